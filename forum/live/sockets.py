"""Addresses of sockets."""

from channels.routing import URLRouter
from django.urls import URLPattern, path, re_path

from forum.live.consumers import (
    Nowhere,
    WatchBeginning,
    WatchDraft,
    WatchStream,
    WatchThread,
    WatchWaiting,
)

patterns: list[URLPattern | URLRouter] = [
    path("ws/threads/<int:thread_id>/", WatchThread.as_asgi()),
    path("ws/drafts/<int:image_id>/", WatchDraft.as_asgi()),
    path("ws/beginnings/<int:beginning_id>/", WatchBeginning.as_asgi()),
    path("ws/stream/", WatchStream.as_asgi()),
    path("ws/waiting/", WatchWaiting.as_asgi()),
    # Without this line an unknown address is an exception in the log.
    re_path("", Nowhere.as_asgi()),
]
