"""Pages of the members room."""

from typing import Any

from allauth.account.views import SignupView
from django.conf import settings as switches
from django.contrib import messages
from django.contrib.auth import logout
from django.core.exceptions import BadRequest
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from forum.members import actions, forms, tokens
from forum.members.models import Invitation, Member, Role
from forum.web import MemberRequest, Request, address, member_required, sent


class SignUp(SignupView):  # type: ignore[misc]
    """allauth's sign-up; account and invitation are one transaction."""

    def form_valid(self, form: forms.SignUp) -> HttpResponse:
        """Make the account. Somebody may have taken the name or the code a moment ago."""
        actions.spend(who=f"address:{address(self.request)}", what="sign-up")
        try:
            with transaction.atomic():
                answer: HttpResponse = super().form_valid(form)
                return answer
        except forms.CodeUsedUp:
            form.add_error("code", _("This code is unknown, used up or too old."))
        except IntegrityError:
            form.add_error("username", _("Somebody else has this name."))
        refused: HttpResponse = self.form_invalid(form)
        return refused


@require_GET
def profile(request: Request, username: str) -> HttpResponse:
    """Somebody's page. Their images come by address from the room above."""
    member = get_object_or_404(Member, username__iexact=username)
    asker = request.member
    appoints = bool(asker and asker.is_owner and not member.is_owner and member.is_active)
    return render(request, "members/member.html", {"member": member, "appoints": appoints})


#: Shared fragments carry their author's buttons for everybody; whose they are is a class.
MINE = "body:not(.moderates) .for-author:not(.by-{pk}, .by-{pk} *) {{ display: none; }}\n"


@require_GET
def mine(request: Request, pk: int) -> HttpResponse:
    """The stylesheet by which a member sees their own buttons only, with scripts and without.

    It says nothing but the number in its address, so every cache may keep it.
    """
    kept = {"Cache-Control": "public, max-age=31536000, immutable"}
    return HttpResponse(MINE.format(pk=pk), "text/css; charset=utf-8", headers=kept)


@require_POST
@member_required
def appoint(request: MemberRequest, username: str) -> HttpResponse:
    """The owner makes somebody a moderator, or ends the office."""
    member = get_object_or_404(Member, username__iexact=username)
    role = Role.MODERATOR if request.POST.get("role") == Role.MODERATOR else Role.MEMBER
    actions.change_role(member=member, role=role, by=request.member)
    messages.success(request, _("Done."))
    return redirect("member", member.username)


@require_http_methods(["GET", "POST"])
@member_required
def settings(request: MemberRequest) -> HttpResponse:
    """What members decide about themselves."""
    form = forms.Settings(sent(request), instance=request.member)
    if request.method != "POST":
        return render(request, "members/settings.html", {"form": form})
    if not form.is_valid():
        request.member.refresh_from_db()
        return render(request, "members/settings.html", {"form": form}, status=422)
    member = form.save()
    messages.success(request, _("Saved."))
    return speak(redirect("settings"), member.language)


@require_POST
def set_language(request: Request) -> HttpResponse:
    """The switch in the bar: kept for a member everywhere, for a visitor on this machine."""
    language = request.POST.get("language", "")
    if language not in dict(switches.LANGUAGES):
        raise BadRequest("no such language")
    if request.member is not None:
        request.member.language = language
        request.member.save(update_fields=["language"])
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return speak(redirect(back if ours else "stream"), language)


def speak(response: HttpResponse, language: str) -> HttpResponse:
    """Let this machine speak the language that was just chosen."""
    if not language:
        response.delete_cookie(switches.LANGUAGE_COOKIE_NAME)
        return response
    response.set_cookie(
        switches.LANGUAGE_COOKIE_NAME,
        language,
        max_age=31_536_000,
        secure=bool(switches.LANGUAGE_COOKIE_SECURE),
        samesite="Lax",
    )
    return response


@never_cache
@require_http_methods(["GET", "POST"])
@member_required
def keys(request: MemberRequest) -> HttpResponse:
    """API tokens: a list, and a new one, shown once."""
    form = forms.NewToken(sent(request))
    words: dict[str, Any] = {"form": form, "tokens": request.member.tokens.order_by("-pk")}
    if request.method != "POST":
        return render(request, "members/tokens.html", words)
    if form.is_valid():
        try:
            _kept, secret = tokens.make(member=request.member, name=form.cleaned_data["name"])
            return render(
                request,
                "members/tokens.html",
                {**words, "form": forms.NewToken(), "secret": secret},
            )
        except tokens.TooManyTokens:
            form.add_error(None, _("You have as many tokens as one may. Delete one first."))
    return render(request, "members/tokens.html", words, status=422)


@require_POST
@member_required
def delete_key(request: MemberRequest, pk: int) -> HttpResponse:
    """The token opens nothing any more."""
    get_object_or_404(request.member.tokens, pk=pk).delete()
    messages.success(request, _("The token is deleted."))
    return redirect("settings-tokens")


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
@member_required
def leave(request: MemberRequest) -> HttpResponse:
    """End one's account."""
    form = forms.Leave(sent(request), member=request.member)
    if request.method != "POST":
        return render(request, "members/leave.html", {"form": form})
    if form.is_valid():
        try:
            actions.leave(member=request.member, keep_images=form.keeps_images)
        except actions.LastOwner:
            form.add_error(
                None, _("You run this forum, and it needs an owner. You cannot leave it.")
            )
        else:
            return farewell(request)
    return render(request, "members/leave.html", {"form": form}, status=422)


def farewell(request: HttpRequest) -> HttpResponse:
    """Out of the door, with a word."""
    logout(request)
    messages.success(request, _("Your account is gone. Take care."))
    return redirect("stream")


@require_http_methods(["GET", "POST"])
@member_required
def invitations(request: MemberRequest) -> HttpResponse:
    """Codes with which people sign up; for moderators."""
    if not request.member.is_moderator:
        raise actions.NotAllowed
    form = forms.NewInvitation(sent(request))
    if request.method == "POST" and form.is_valid():
        actions.invite(by=request.member, **form.cleaned_data)
        return redirect("invitations")
    words = {"form": form, "invitations": Invitation.objects.select_related("made_by")[:200]}
    return render(request, "members/invitations.html", words, status=422 if form.is_bound else 200)


@require_POST
@member_required
def delete_invitation(request: MemberRequest, pk: int) -> HttpResponse:
    """The code lets nobody in any more."""
    if not request.member.is_moderator:
        raise actions.NotAllowed
    invitation = get_object_or_404(Invitation, pk=pk)
    actions.withdraw_invitation(invitation=invitation, by=request.member)
    return redirect("invitations")
