"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.masks import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("masks/<int:pk>/", views.mask, name="mask"),
    path("images/<int:pk>/mask/", views.image_mask, name="image-mask"),
]
