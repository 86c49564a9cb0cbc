"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.looks import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("images/<int:pk>/looks/", views.looks, name="looks"),
    path("images/<int:pk>/looks/sheet", views.sheet, name="looks-sheet"),
]
