"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path

from forum.threads.views import (
    answer,
    board,
    image,
    moving,
    post,
    reading,
    reply,
    stream,
    thread,
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("", stream.stream, name="stream"),
    path("waiting/", stream.waiting, name="waiting"),
    path("post/", post.post, name="post"),
    path("boards/<slug:slug>/", board.board, name="board"),
    path("threads/<int:pk>/", thread.thread, name="thread"),
    path("threads/<int:pk>/move/", moving.move, name="thread-move"),
    path("images/<int:pk>/", image.image, name="image"),
    path("images/<int:pk>/plan/", image.plan, name="plan"),
    path("images/<int:pk>/recipe.json", image.recipe, name="recipe"),
    path("images/<int:pk>/recipe/use/", image.recipe_use, name="recipe-use"),
    path("images/<int:pk>/answer/", answer.answer, name="answer"),
    path("images/<int:pk>/answer/upload/", answer.answer_upload, name="answer-upload"),
    path("images/<int:pk>/answer/link/", answer.answer_link, name="answer-link"),
    path("images/<int:pk>/read/", reading.read, name="read"),
    path("readings/<int:pk>/delete/", reading.reading_delete, name="reading-delete"),
    path("replies/<int:pk>/", reply.reply, name="reply"),
    path("replies/<int:pk>/stop/", reply.reply_stop, name="reply-stop"),
    path("replies/<int:pk>/again/", reply.reply_again, name="reply-again"),
    path("replies/<int:pk>/frame", reply.reply_frame, name="reply-frame"),
]
