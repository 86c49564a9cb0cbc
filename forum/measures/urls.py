"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.measures import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("images/<int:pk>/null/", views.null, name="null"),
    path("nulls/<int:pk>/picture", views.picture, name="null-picture"),
]
