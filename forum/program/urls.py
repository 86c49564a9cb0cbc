"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.program import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("about/", views.about, name="about"),
    path("program/", views.program, name="program"),
    path("program/resonances/", views.resonances, name="program-resonances"),
    path("program/files/<slug:name>/", views.source, name="program-source"),
    path("program/<slug:name>/", views.operation, name="program-operation"),
]
