"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.reruns import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("images/<int:pk>/reruns/", views.reruns, name="reruns"),
]
