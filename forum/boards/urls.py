"""Addresses of this room. `board`, the page of one board, is the threads room's."""

from django.urls import URLPattern, URLResolver, path

from forum.boards import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("boards/", views.boards, name="boards"),
    # Not below boards/, where every word may be a board's own address.
    path("new-board/", views.new, name="board-new"),
    path("boards/<slug:slug>/edit/", views.edit, name="board-edit"),
    path("boards/<slug:slug>/archive/", views.archive, name="board-archive"),
    path("words/", views.words, name="site-words"),
    path("words/<int:pk>/", views.word, name="site-word"),
    path("words/<int:pk>/delete/", views.word_delete, name="site-word-delete"),
    path("boards/<slug:slug>/words/", views.words, name="board-words"),
    path("boards/<slug:slug>/words/<int:pk>/", views.word, name="board-word"),
    path("boards/<slug:slug>/words/<int:pk>/delete/", views.word_delete, name="board-word-delete"),
    path("boards/<slug:slug>/decisions/", views.decisions, name="board-decisions"),
    path("boards/<slug:slug>/members/", views.members, name="board-members"),
    path("boards/<slug:slug>/go/", views.go, name="board-go"),
    path(
        "boards/<slug:slug>/members/<str:username>/remove/",
        views.remove_member,
        name="board-member-remove",
    ),
]
