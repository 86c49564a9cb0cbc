"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.links import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("said/", views.look, name="said"),
    path("images/<int:pk>/resonances/", views.beside, name="resonances"),
    path("images/<int:pk>/resonances/<int:link>/confirm/", views.agree, name="resonance-confirm"),
    path(
        "images/<int:pk>/resonances/<int:link>/contest/", views.disagree, name="resonance-contest"
    ),
]
