"""Answering an image: by prompt, by upload, by pointing to an image that exists."""

from http import HTTPStatus
from typing import TypeVar

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from forum.images import ingest
from forum.images.models import Image
from forum.images.refusals import Refused
from forum.masks import actions as masks
from forum.masks.models import Mask
from forum.threads import actions
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.cards import cards_for
from forum.threads.forms import LONGEST_PROMPT, AnswerLink, AnswerUpload, Prompt
from forum.threads.languages import guess
from forum.threads.models import Reply
from forum.threads.views import refused
from forum.threads.views.image import composer, page
from forum.web import MemberRequest, is_fragment, member_required

F = TypeVar("F", bound=Prompt)


def answered_image(request: MemberRequest, pk: int) -> Image:
    """An image that this member may answer, with all its page shows of it."""
    images = Image.objects.answerable_by(request.member)
    rows = images.select_related("author", "board", "thread__board").prefetch_related("files")
    found: Image = get_object_or_404(rows, pk=pk)
    return found


@require_POST
@member_required
def answer(request: MemberRequest, pk: int) -> HttpResponse:
    """Answer by prompt. The reply is in the thread at once."""
    to = answered_image(request, pk)
    form = Prompt(request.POST, request.FILES, to=to)
    mask, status = painted(request, to, form)
    if request.POST.get("suggest") or request.POST.get("chip_do"):
        return again(request, to, unsent(form, request.POST.get("suggest", "")), HTTPStatus.OK)
    second = other_picture(request, form) if form.is_valid() else []
    if not form.is_valid():
        return again(request, to, form, status)
    try:
        reply = actions.answer_by_prompt(
            member=request.member, to=to, mask=mask, further_sources=second, **form.cleaned_data
        )
    except (KeyReused, NotAllowed, TooMany) as refusal:
        return refused.with_form(refusal, form, lambda status: again(request, to, form, status))
    return sent(request, to, reply)


def other_picture(request: MemberRequest, form: Prompt) -> list[Image]:
    """The second picture that an operation looks at; what is amiss is said at its field."""
    if form.second_number is None:
        return []
    found = list(Image.objects.visible_to(request.member).filter(pk=form.second_number))
    if not found:
        form.add_error("second", _("There is no such image that you may see."))
    return found


def unsent(form: F, word: str) -> F:
    """The composer after a chip was touched: with its words, or with the chips as they are now."""
    if word:
        form.add_suggestion(word[:200])
    shown = type(form)(to=form.to, initial=dict(form.data), before=form.before)
    if word or form.understood is None:
        shown.look(str(form.data.get("prompt", ""))[:LONGEST_PROMPT], shown.preset_name)
    else:
        shown.understood = form.understood
    return shown


def painted(request: MemberRequest, to: Image, form: Prompt) -> tuple[Mask | None, int]:
    """The mask that was sent, kept from now on, so that nothing else that is amiss loses it.

    What is amiss with the mask is said at its field; the number is the status to answer with then.
    """
    form.is_valid()
    try:
        mask = masks.choose(member=request.member, image=to, **form.mask_words)
    except Refused as refusal:
        form.add_error("mask", str(refusal.sentence))
        form.keep_mask(None)
        return None, refusal.status
    form.keep_mask(None if mask is None else mask.pk)
    return mask, HTTPStatus.UNPROCESSABLE_ENTITY


def again(request: MemberRequest, to: Image, form: Prompt, status: int) -> HttpResponse:
    """The composer once more, with what was typed and what is amiss."""
    if is_fragment(request):
        words = composer(to, form, request.member)
        return render(request, "threads/_composer.html", words, status=status)
    return page(request, to, form, status=status)  # type: ignore[arg-type]


def sent(request: MemberRequest, to: Image, reply: Reply) -> HttpResponse:
    """htmx gets the new card and a fresh composer; without scripts the page shows both."""
    if not is_fragment(request):
        return HttpResponseRedirect(place_of(reply))
    row = Reply.objects.visible_to(request.member).for_card().get(pk=reply.pk)
    words = {**composer(to, Prompt(to=to), request.member), "card": cards_for([row])[0]}
    return render(request, "threads/_sent.html", words)


def place_of(reply: Reply) -> str:
    """Where a reply stands on the page of the image it answers."""
    return f"{reverse('image', args=[reply.to_id])}#reply-{reply.pk}"


@require_http_methods(["GET", "POST"])
@member_required
def answer_upload(request: MemberRequest, pk: int) -> HttpResponse:
    """Answer with a picture of one's own."""
    to = answered_image(request, pk)
    if request.method == "GET":
        return upload_page(request, to, AnswerUpload(to=to))
    form = AnswerUpload(request.POST, request.FILES, to=to)
    if not form.is_valid():
        return upload_page(request, to, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    words = form.cleaned_data
    try:
        ingested = ingest.ingest(words.pop("file"), member=request.member)
        reply = actions.answer_by_upload(
            member=request.member,
            to=to,
            ingested=ingested,
            language=guess(words["title"] or words["alt"]),
            **words,
        )
    except (Refused, KeyReused, NotAllowed, TooMany) as refusal:
        return refused.with_form(
            refusal, form, lambda status: upload_page(request, to, form, status)
        )
    return HttpResponseRedirect(place_of(reply))


def upload_page(
    request: MemberRequest, to: Image, form: AnswerUpload, status: int = 200
) -> HttpResponse:
    """The form for a picture of one's own."""
    words = {"form": form, "image": to, "max_bytes": settings.FORUM_UPLOAD_MB * 1024**2}
    return render(request, "threads/answer_upload.html", words, status=status)


@require_http_methods(["GET", "POST"])
@member_required
def answer_link(request: MemberRequest, pk: int) -> HttpResponse:
    """Answer by pointing to an image that exists."""
    to = answered_image(request, pk)
    if request.method == "GET":
        return link_page(request, to, AnswerLink())
    form = AnswerLink(request.POST)
    if not form.is_valid():
        return link_page(request, to, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    number = form.cleaned_data["image"]
    pointed = Image.objects.visible_to(request.member).filter(pk=number).first()
    if pointed is None:
        form.add_error("image", _("There is no such image to point to."))
        return link_page(request, to, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        reply = actions.answer_by_link(
            member=request.member, to=to, image=pointed, key=form.cleaned_data["key"]
        )
    except (KeyReused, NotAllowed, TooMany) as refusal:
        return refused.with_form(refusal, form, lambda status: link_page(request, to, form, status))
    return HttpResponseRedirect(place_of(reply))


def link_page(
    request: MemberRequest, to: Image, form: AnswerLink, status: int = 200
) -> HttpResponse:
    """The form for pointing to an image, with the member's newest ones to choose from."""
    own = Image.objects.visible_to(request.member).filter(author=request.member, state="ready")
    rows = own.exclude(pk=to.pk).prefetch_related("files").order_by("-created_at")[:12]
    words = {"form": form, "image": to, "own": rows}
    return render(request, "threads/answer_link.html", words, status=status)
