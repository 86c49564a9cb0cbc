"""`python -m forum.running` is the house; `make run` and `manage.py up` come here."""

import sys

from forum.running.house import main

sys.exit(main())
