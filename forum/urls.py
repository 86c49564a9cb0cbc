"""Doors for people. Each room names its own."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("forum.threads.urls")),
    path("", include("forum.images.urls")),
    path("", include("forum.links.urls")),
    path("", include("forum.boards.urls")),
    path("", include("forum.members.urls")),
    path("", include("forum.live.urls")),
    path("account/", include("allauth.account.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
]
