"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.measures import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("images/<int:pk>/null/", views.null, name="null"),
    path("threads/<int:pk>/web/", views.web, name="thread-web"),
    path("nulls/<int:pk>/picture", views.picture, name="null-picture"),
]
