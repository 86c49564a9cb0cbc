"""The site's addresses as samples see them: their pictures come from the page of pieces."""

from django.urls import URLPattern, URLResolver, include, path

from forum.pieces import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("-/pieces/", include("forum.pieces.urls")),
    path("", include("forum.urls")),
    # Of several addresses under one name the last is written into pages.
    path("-/pieces/images/<int:pk>/files/<str:role>", views.picture, name="image-file"),
    path("-/pieces/replies/<int:pk>/frame", views.picture, name="reply-frame"),
    path("-/pieces/takes/<int:pk>/picture", views.picture, name="take-picture"),
    path("-/pieces/takes/<int:pk>/frame", views.picture, name="take-frame"),
    path("-/pieces/begin/<int:pk>/frame", views.picture, name="beginning-frame"),
    path("-/pieces/films/<int:pk>/file", views.picture, name="film-file"),
    path("-/pieces/nulls/<int:pk>/picture", views.picture, name="null-picture"),
]
