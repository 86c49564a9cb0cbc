"""Doors for people. Each room names its own."""

from django.conf import settings
from django.urls import URLPattern, URLResolver, include, path

from forum.api.v1 import api

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("forum.threads.urls")),
    path("", include("forum.masks.urls")),
    path("", include("forum.looks.urls")),
    path("", include("forum.images.urls")),
    path("", include("forum.links.urls")),
    path("", include("forum.reruns.urls")),
    path("", include("forum.films.urls")),
    path("", include("forum.drafts.urls")),
    path("", include("forum.beginnings.urls")),
    path("", include("forum.measures.urls")),
    path("", include("forum.program.urls")),
    path("", include("forum.boards.urls")),
    path("", include("forum.members.urls")),
    path("", include("forum.studio.urls")),
    path("", include("forum.live.urls")),
    path("api/v1/", api.urls),
]

if settings.DEBUG:  # for those who draw: every fragment in every state
    urlpatterns.append(path("-/pieces/", include("forum.pieces.urls")))

handler400 = "forum.live.errors.bad_request"
handler403 = "forum.live.errors.forbidden"
handler404 = "forum.live.errors.not_found"
handler500 = "forum.live.errors.server_error"
