"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.beginnings import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("begin/", views.begin, name="begin"),
    path("begin/plan/", views.plan, name="begin-plan"),
    path("begin/<int:pk>/", views.beginning, name="beginning"),
    path("begin/<int:pk>/frame", views.frame, name="beginning-frame"),
    path("begin/<int:pk>/stop/", views.stop, name="beginning-stop"),
    path("begin/<int:pk>/again/", views.again, name="beginning-again"),
]
