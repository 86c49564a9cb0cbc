"""Addresses of this page; included only with DEBUG, and by its own test."""

from django.urls import URLPattern, URLResolver, path

from forum.pieces import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.show, name="pieces"),
    path("images/<int:pk>/files/<str:role>", views.picture),
    path("replies/<int:pk>/frame", views.picture),
    path("takes/<int:pk>/picture", views.picture),
    path("takes/<int:pk>/frame", views.picture),
    path("begin/<int:pk>/frame", views.picture),
    path("films/<int:pk>/file", views.picture),
    path("nulls/<int:pk>/picture", views.picture),
]
