"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.films import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("images/<int:pk>/films/", views.films, name="films"),
    path("films/<int:pk>/", views.film, name="film"),
    path("films/<int:pk>/file", views.film_file, name="film-file"),
    path("films/<int:pk>/stop/", views.change, {"verb": "stop"}, name="film-stop"),
    path("films/<int:pk>/share/", views.change, {"verb": "share"}, name="film-share"),
    path("films/<int:pk>/unshare/", views.change, {"verb": "unshare"}, name="film-unshare"),
    path("films/<int:pk>/remove/", views.change, {"verb": "remove"}, name="film-remove"),
    path("films/<slug:token>/", views.shared, name="film-shared"),
    path("films/<slug:token>/file", views.shared_file, name="film-shared-file"),
]
