"""Addresses of this room."""

from django.urls import URLPattern, URLResolver, path, re_path

from forum.images import views

urlpatterns: list[URLPattern | URLResolver] = [
    # `role` is part of the pattern, so that `reverse("image-file", args=[7, "thumb"])` works and
    # nothing that is no role reaches a query.
    re_path(
        r"^images/(?P<pk>[0-9]{1,18})/files/(?P<role>display|thumb|original|strip-[0-9]{1,3})\Z",
        views.image_file,
        name="image-file",
    ),
    path("images/<int:pk>/lineage/", views.show_lineage, name="lineage"),
    path("images/<int:pk>/edit/", views.edit, name="image-edit"),
    path("images/<int:pk>/withdraw/", views.withdraw, name="image-withdraw"),
    path("images/<int:pk>/hide/", views.hide, name="image-hide"),
    path("images/<int:pk>/show/", views.show, name="image-show"),
    path("members/<str:username>/images/", views.member_images, name="member-images"),
    path("settings/images/", views.my_images, name="my-images"),
]
