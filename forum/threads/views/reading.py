"""Readings: text about an image."""

from http import HTTPStatus

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from forum.images.models import Image
from forum.threads import actions
from forum.threads.actions import NotAllowed
from forum.threads.forms import Prompt
from forum.threads.forms import Reading as ReadingForm
from forum.threads.models import Reading
from forum.threads.readings import readings_of
from forum.threads.views.answer import answered_image
from forum.threads.views.image import page
from forum.web import MemberRequest, is_fragment, member_required


@require_POST
@member_required
def read(request: MemberRequest, pk: int) -> HttpResponse:
    """Write down what one sees in an image."""
    image = answered_image(request, pk)
    form = ReadingForm(request.POST)
    if not form.is_valid():
        return again(request, image, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        actions.read(member=request.member, image=image, text=form.cleaned_data["text"])
    except NotAllowed as refusal:
        form.add_error(None, str(refusal.sentence))
        return again(request, image, form, HTTPStatus.FORBIDDEN)
    return shown(request, image, ReadingForm())


def again(request: MemberRequest, image: Image, form: ReadingForm, status: int) -> HttpResponse:
    """The form once more, with what was typed and what is amiss."""
    if is_fragment(request):
        return readings(request, image, form, status)
    return page(request, image, Prompt(to=image), reading=form, status=status)  # type: ignore[arg-type]


def shown(request: MemberRequest, image: Image, form: ReadingForm) -> HttpResponse:
    """All readings, or the way back to them."""
    if is_fragment(request):
        return readings(request, image, form)
    return HttpResponseRedirect(f"{reverse('image', args=[image.pk])}#readings")


def readings(
    request: MemberRequest, image: Image, form: ReadingForm, status: int = 200
) -> HttpResponse:
    """The readings of an image with the form below them: a fragment."""
    words = {
        "image": image,
        "readings": readings_of(image.pk),
        "reading_form": form,
        "may_answer": True,
    }
    return render(request, "threads/_reading.html", words, status=status)


@require_POST
@member_required
def reading_delete(request: MemberRequest, pk: int) -> HttpResponse:
    """Take a reading back."""
    own = Reading.objects.editable_by(request.member).select_related("image__board")
    found = get_object_or_404(own, pk=pk)
    image = found.image
    actions.take_back(reading=found, by=request.member)
    return shown(request, image, ReadingForm())
