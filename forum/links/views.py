"""The resonances beside an image, and what members say of them."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from forum.images.ingest import glance
from forum.images.models import Image
from forum.images.refusals import Refused
from forum.links.actions import confirm, contest
from forum.links.forms import Because, Dial, Look
from forum.links.models import EmbeddingWf1, SimilarityLink
from forum.links.resonances import DIAL, duplicates, resonances, said_before
from forum.members.actions import purse, spend
from forum.members.models import Member
from forum.threads.forms import new_key
from forum.threads.models import Reply, ReplyKind
from forum.web import MemberRequest, Request, is_fragment, member_required


@require_GET
def beside(request: Request, pk: int) -> HttpResponse:
    """The resonances of an image: a fragment for htmx, a page of their own without scripts."""
    return shown(request, an_image(request, pk), Dial(request.GET).position())


@require_POST
@member_required
def agree(request: MemberRequest, pk: int, link: int) -> HttpResponse:
    """The two are related, perhaps because of something that is said."""
    image, found = a_link(request, pk, link)
    form = Because(request.POST)
    if not form.is_valid():
        return answered(
            request, image, " ".join(str(each) for each in form.errors["name"]), status=422
        )
    confirm(link=found, member=request.member, name=form.cleaned_data["name"])
    return answered(request, image, _("Confirmed: the two stay linked."))


@require_POST
@member_required
def disagree(request: MemberRequest, pk: int, link: int) -> HttpResponse:
    """The two are not alike: gone for this member at once, for all when enough say so."""
    image, found = a_link(request, pk, link)
    contest(link=found, member=request.member)
    return answered(request, image, _("Not alike: you will not see this one again."))


def an_image(request: Request, pk: int) -> Image:
    """An image this person may see; 404 otherwise."""
    images = Image.objects.visible_to(request.member).select_related("board", "thread")
    found: Image = get_object_or_404(images, pk=pk)
    return found


def a_link(request: MemberRequest, pk: int, link: int) -> tuple[Image, SimilarityLink]:
    """An image and one of its links, both ends visible to this member; 404 otherwise."""
    image = an_image(request, pk)  # type: ignore[arg-type]
    links = SimilarityLink.objects.visible_to(request.member).of(image)
    return image, get_object_or_404(links, pk=link)


def answered(
    request: MemberRequest, image: Image, sentence: str, status: int = 200
) -> HttpResponse:
    """The list anew with a word about what happened; without scripts back to the image's page."""
    if is_fragment(request):
        dial = Dial(request.POST).position()
        return shown(request, image, dial, sentence, status)  # type: ignore[arg-type]
    messages.add_message(request, messages.ERROR if status >= 400 else messages.INFO, sentence)
    return HttpResponseRedirect(f"{image.get_absolute_url()}#resonances")


def said(image: Image, viewer: Member | None) -> dict[str, Any]:
    """Images that are the same picture; and for its author the image to answer with one of them."""
    same = duplicates(image, viewer)
    if not same or viewer is None or image.author_id != viewer.pk:
        return {"same": same}
    own = Reply.objects.visible_to(viewer).filter(author=viewer, image=image)
    reply = own.exclude(kind=ReplyKind.LINK).first()
    return {"same": same, "answered": reply and reply.to_id, "mine": True, "key": new_key()}


@require_POST
@member_required
def look(request: MemberRequest) -> HttpResponse:
    """Whether a picture that is about to be sent was said before: a fragment, often an empty one.

    The browser sends it small. Nothing of it is kept.
    """
    form = Look(request.POST, request.FILES)
    if not form.is_valid():
        return HttpResponse(status=422)
    spend(who=purse(request.member), what="look")
    try:
        pdq, quality = glance(form.cleaned_data["file"])
    except Refused as refusal:
        return HttpResponse(status=refusal.status)
    to = Image.objects.answerable_by(request.member).filter(pk=form.cleaned_data["to"] or 0).first()
    same = said_before(request.member, pdq=pdq, pdq_quality=quality, limit=6)
    words = {
        "same": [each.image for each in same if to is None or each.image.pk != to.pk],
        "answered": to and to.pk,
        "key": new_key(),
    }
    return render(request, "links/_said.html", words)


def shown(
    request: Request, image: Image, dial: int, sentence: str = "", status: int = 200
) -> HttpResponse:
    """The resonances as this person sees them."""
    found = resonances(image, request.member, dial=dial)
    words = {
        "image": image,
        "clear": [each for each in found if not each.faint],
        "faint": [each for each in found if each.faint],
        **said(image, request.member),
        # Until the vector is there, nothing can be said.
        "looking": not EmbeddingWf1.objects.filter(pk=image.pk).exists(),
        "dial": dial,
        "usual_dial": DIAL,
        "sentence": sentence,
    }
    name = "links/_resonances.html" if is_fragment(request) else "links/resonances.html"
    response = render(request, name, words, status=status)
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    return response
