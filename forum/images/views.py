"""Doors to files, lineage, and a member's own images."""

from http import HTTPStatus

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum.boards.actions import moderators_of, office_of
from forum.boards.models import Board, Decision, Office, Visibility
from forum.images import actions, lineage_drawing
from forum.images.forms import DescriptionForm, ReasonForm
from forum.images.ingest import stored_bytes
from forum.images.lineage import lineage
from forum.images.models import File, Image, ImageQuerySet, ImageState
from forum.images.refusals import Refused
from forum.images.serving import send
from forum.members.models import Member
from forum.web import MemberRequest, Request, is_fragment, member_required, sent

#: Images on one page of "my images".
PAGE = 24
#: Nodes up to which the lineage is drawn; beyond, the list alone is readable.
DRAWN = 60


@require_safe
def image_file(request: Request, pk: str, role: str) -> HttpResponse:
    """One file of an image, for those who may see it now. `role` may end in a position: strip-3."""
    role, _dash, position = role.partition("-")
    files = File.objects.visible_to(request.member).select_related("image__board")
    asked = {"image": int(pk), "role": role, "position": int(position or 0)}
    file = files.filter(**asked).first()
    if file is None:
        overseen = File.objects.overseen_by(request.member).select_related("image__board")
        file = get_object_or_404(overseen, **asked)
    foreign = request.headers.get("Sec-Fetch-Site") == "cross-site"
    if foreign and file.image.board.visibility != Visibility.PUBLIC:
        raise Http404
    return send(request, file)


@require_safe
def show_lineage(request: Request, pk: int) -> HttpResponse:
    """All that an image comes from and all that comes from it: a drawing and an indented list."""
    image = get_object_or_404(Image.objects.visible_to(request.member).with_files(), pk=pk)
    found = lineage(image, request.member)
    drawing = lineage_drawing.draw(found) if 1 < len(found.nodes) <= DRAWN else None
    words = {
        "image": image,
        "lineage": found,
        "drawing": drawing,
        "lines": lineage_drawing.indented(found),
    }
    return render(request, "images/lineage.html", words)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def edit(request: MemberRequest, pk: int) -> HttpResponse:
    """Describe one's own image anew."""
    images = Image.objects.editable_by(request.member).with_files()
    image = get_object_or_404(images, pk=pk)
    form = DescriptionForm(request.POST or None, instance=image)
    if request.method == "POST" and form.is_valid():
        try:
            actions.describe(image=image, by=request.member, **form.cleaned_data)
        except Refused as refusal:  # withdrawn while the form was open
            form.add_error(None, str(refusal.sentence))
        else:
            messages.success(request, _("The description was kept."))
            return HttpResponseRedirect(image.get_absolute_url())
    status = 422 if request.method == "POST" else 200
    return render(request, "images/edit.html", {"image": image, "form": form}, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask once, with the consequence in words; then take the image away. One's own though hidden."""
    hidden = Image.objects.told_to(request.member).filter(author=request.member)
    images = Image.objects.editable_by(request.member) | hidden
    image = get_object_or_404(images.with_files(), pk=pk)
    if request.method == "POST":
        actions.withdraw(image=image, by=request.member)
        messages.success(request, _("The image was withdrawn."))
        return HttpResponseRedirect(reverse("my-images"))
    answers = image.derivatives.count()
    return render(request, "images/withdraw.html", {"image": image, "answers": answers})


def moderated(request: MemberRequest, pk: int) -> Image:
    """An image of a board that this member moderates; 404 for everybody else."""
    seen = Image.objects.in_visible_boards(request.member).with_files()
    kept = seen.exclude(state=ImageState.WITHDRAWN)
    mine = Board.objects.editable_by(request.member)
    found: Image = get_object_or_404(kept.filter(board__in=mine), pk=pk)
    return found


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def hide(request: MemberRequest, pk: int) -> HttpResponse:
    """Moderators of the house and of the board take an image out of sight, and say why."""
    image = moderated(request, pk)
    form = ReasonForm(sent(request))
    if request.method == "POST" and form.is_valid():
        actions.hide(image=image, by=request.member, reason=form.cleaned_data["reason"])
        said = _("It is hidden. Moderators still see its page, and can show it again.")
        messages.success(request, said)
        return HttpResponseRedirect(image.get_absolute_url())
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "images/hide.html", {"image": image, "form": form}, status=status)


@require_POST
@member_required
def show(request: MemberRequest, pk: int) -> HttpResponse:
    """Moderators bring a hidden image back."""
    image = moderated(request, pk)
    try:
        actions.show(image=image, by=request.member, reason=request.POST.get("reason", ""))
    except Refused as refusal:
        messages.error(request, str(refusal.sentence))
    else:
        messages.success(request, _("Everybody sees it again."))
    return HttpResponseRedirect(image.get_absolute_url())


def hidden_page(request: Request, pk: int) -> HttpResponse:
    """What its author and those who moderate are told of a hidden image. Raises Http404 for others."""
    rows = Image.objects.told_to(request.member).select_related("board", "thread")
    image: Image = get_object_or_404(rows, pk=pk)
    office = None if request.member is None else office_of(request.member, image.board)
    decision = actions.hidden_since(image)
    words = {
        "image": image,
        "decision": decision,
        "oversees": office is not None,
        "may_show": office == Office.HOUSE
        or (office is not None and (decision is None or decision.office != Office.HOUSE)),
        "ask": whom_to_ask(image.board, decision),
        "contact": settings.FORUM_CONTACT,
    }
    return render(request, "images/hidden.html", words, status=HTTPStatus.FORBIDDEN)


def whom_to_ask(board: Board, decision: Decision | None) -> list[Member]:
    """Those who can bring an image back: of the house where the house hid it, else of the board."""
    by_house = decision is not None and decision.office == Office.HOUSE
    return moderators_of(None if by_house else board)


@require_safe
def member_images(request: Request, username: str) -> HttpResponse:
    """What somebody has shown, newest first, as far as the viewer may see it."""
    images = Image.objects.visible_to(request.member).filter(author__username__iexact=username)
    found, older = _page(request, images)
    template = "images/_sheet.html" if is_fragment(request) else "images/member_images.html"
    return render(request, template, {"images": found, "older": older, "who": username})


@require_safe
@member_required
def my_images(request: MemberRequest) -> HttpResponse:
    """One's own images, newest first, with what they take of one's storage."""
    own = Image.objects.in_visible_boards(request.member).filter(author=request.member)
    found, older = _page(request, own.exclude(state=ImageState.WITHDRAWN))
    words = {
        "images": found,
        "older": older,
        "newer": reverse("my-images") if "before" in request.GET else "",
        "used": stored_bytes(request.member),
        "room": settings.FORUM_MEMBER_STORAGE_MB * 1024**2,
    }
    return render(request, "images/my_images.html", words)


def _page(request: HttpRequest, images: ImageQuerySet) -> tuple[list[Image], str]:
    """One page of images, newest first, from `?before=` on; and the address of the earlier ones."""
    images = images.with_files().order_by("-pk")
    before = request.GET.get("before", "")
    if before.isdecimal() and len(before) < 19:
        images = images.filter(pk__lt=int(before))
    found = list(images[: PAGE + 1])
    older = f"{request.path}?before={found[PAGE - 1].pk}" if len(found) > PAGE else ""
    return found[:PAGE], older
