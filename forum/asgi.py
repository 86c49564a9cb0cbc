"""The one entrance of the web process: pages by HTTP, and browsers that stay connected."""

import gc
import os
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
pages: Any = get_asgi_application()  # loads the apps; what follows may import models

from channels.auth import AuthMiddlewareStack  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from forum.live.lifespan import Lifespan  # noqa: E402
from forum.live.sockets import patterns  # noqa: E402
from forum.running.body_limit import BodyLimit  # noqa: E402
from forum.running.health import Door  # noqa: E402

# What is loaded by now stays: collecting garbage need not walk through it again and again.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)

# Sockets have no CSRF token: the check of the Origin header stands in its place.
sockets = AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(patterns)))
application = Door(
    ProtocolTypeRouter({"http": BodyLimit(pages), "websocket": sockets, "lifespan": Lifespan()})
)
