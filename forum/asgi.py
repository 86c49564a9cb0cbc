"""The one entrance of the web process."""

import os

from django.core.asgi import get_asgi_application

from forum.running.health import Door

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
application = Door(get_asgi_application())
