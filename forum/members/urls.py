"""Addresses of this room, and of the few pages of allauth that a forum without e-mail needs."""

from allauth.account import views as allauth
from django.urls import URLPattern, URLResolver, path

from forum.members import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("account/login/", allauth.login, name="account_login"),
    path("account/logout/", allauth.logout, name="account_logout"),
    path("account/signup/", views.SignUp.as_view(), name="account_signup"),
    path("account/inactive/", allauth.account_inactive, name="account_inactive"),
    path("account/password/", allauth.password_change, name="account_change_password"),
    path("account/reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("members/<str:username>/", views.profile, name="member"),
    path("members/<str:username>/role/", views.appoint, name="member-role"),
    path("mine/<int:pk>.css", views.mine, name="mine"),
    path("language/", views.set_language, name="set_language"),
    path("settings/", views.settings, name="settings"),
    path("settings/tokens/", views.keys, name="settings-tokens"),
    path("settings/tokens/<int:pk>/delete/", views.delete_key, name="settings-token-delete"),
    path("settings/leave/", views.leave, name="settings-leave"),
    path("invitations/", views.invitations, name="invitations"),
    path("invitations/<int:pk>/delete/", views.delete_invitation, name="invitation-delete"),
]
