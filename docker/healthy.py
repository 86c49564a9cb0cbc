"""Exit code 0 while this container's web process says that the whole house is well."""

import os
import sys

from forum.running.address import Address

sys.exit(not Address("127.0.0.1", int(os.environ.get("PORT") or 8000)).answers())
