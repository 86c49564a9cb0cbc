"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.drafts import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("images/<int:pk>/draft/", views.draft, name="draft"),
    path("images/<int:pk>/draft/back/", views.back, name="draft-back"),
    path("images/<int:pk>/draft/leave/", views.leave, name="draft-leave"),
    path("takes/<int:pk>/picture", views.picture, name="take-picture"),
    path("takes/<int:pk>/frame", views.frame, name="take-frame"),
    path("takes/<int:pk>/go/", views.change, {"verb": "go"}, name="take-go"),
    path("takes/<int:pk>/stop/", views.change, {"verb": "stop"}, name="take-stop"),
    path("takes/<int:pk>/again/", views.change, {"verb": "again"}, name="take-again"),
    path("takes/<int:pk>/publish/", views.publish, name="take-publish"),
]
