"""The one entrance of the web process: pages by HTTP, and browsers that stay connected."""

import gc
import os
import sys
from typing import Any

from django.core.asgi import get_asgi_application

from forum.running.switches import REFUSES, WronglySet

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
try:
    pages: Any = get_asgi_application()  # loads the apps; what follows may import models
except WronglySet as wrong:
    sys.stderr.write(f"{wrong}\n")
    raise SystemExit(REFUSES) from None

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator

from forum.checks import refuse_if_wrong
from forum.live.lifespan import Lifespan
from forum.live.sockets import patterns
from forum.running.body_limit import BodyLimit
from forum.running.health import Door
from forum.running.presence import SocketDoor

refuse_if_wrong()

# What is loaded by now stays: collecting garbage need not walk through it again and again.
gc.collect()
gc.freeze()
gc.set_threshold(20_000, 10, 10)

# Sockets have no CSRF token: the check of the Origin header stands in its place.
sockets = AllowedHostsOriginValidator(SocketDoor(AuthMiddlewareStack(URLRouter(patterns))))
application = Door(
    ProtocolTypeRouter({"http": BodyLimit(pages), "websocket": sockets, "lifespan": Lifespan()})
)
