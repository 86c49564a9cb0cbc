"""Films of an image: to ask for, to look at, to share; and the page behind a share link."""

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum.films import actions
from forum.films.cards import cards_for
from forum.films.forms import Wanted
from forum.films.models import Film, FilmKind, FilmState
from forum.films.shots import cut
from forum.images.models import Image
from forum.images.serving import send_private
from forum.members.models import Member
from forum.threads.actions import NotAllowed, TooMany
from forum.threads.views import refused
from forum.web import MemberRequest, Request, is_fragment, member_required, sign_in_first
from generation import queue


@require_http_methods(["GET", "HEAD", "POST"])
def films(request: Request, pk: int) -> HttpResponse:
    """The films of an image and the form for one more: a fragment for htmx, a page without scripts."""
    if request.method == "POST" and request.member is None:
        return sign_in_first(request)
    image = an_image(request.member, pk)
    if request.method != "POST":
        return shown(request, image, Wanted())
    form = Wanted(request.POST)
    if not form.is_valid():
        return shown(request, image, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return ask(request, image, form)


def an_image(member: Member | None, pk: int) -> Image:
    """An image this person may see, with its files; 404 otherwise."""
    found: Image = get_object_or_404(Image.objects.visible_to(member).with_files(), pk=pk)
    return found


def ask(request: Request, image: Image, form: Wanted) -> HttpResponse:
    """Have it made, or find the one there is."""
    assert request.member is not None
    said = form.cleaned_data
    words = {"kind": said["kind"], "form": said["format"], "titled": said["titled"]}
    try:
        film = actions.make(image=image, by=request.member, **words)
    except (NotAllowed, TooMany) as refusal:
        form.add_error(None, str(refused.sentence(refusal)))
        response = shown(request, image, form, status=refused.status(refusal))
        if isinstance(refusal, TooMany):
            response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    if is_fragment(request):
        return shown(request, image, Wanted())
    return HttpResponseRedirect(film.get_absolute_url())


def shown(request: Request, image: Image, form: Wanted, *, status: int = 200) -> HttpResponse:
    """What there is, and what can be asked for."""
    found = Film.objects.visible_to(request.member).of(image)
    formats = queue.film_formats()
    words = {
        "image": image,
        "form": form,
        "cards": cards_for(found.exclude(state=FilmState.CANCELLED)),
        "kinds": [
            (kind.value, kind.label)
            for kind in FilmKind
            if cut(image, kind, request.member).is_film
        ],
        "formats": formats or {"webp"},
        "ready": bool(formats),
        "cost": None if request.member is None else actions.price(formats, request.member),
    }
    template = "films/_films.html" if is_fragment(request) else "films/films.html"
    response = render(request, template, words, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_safe
def film(request: Request, pk: int) -> HttpResponse:
    """One film on a page of its own; for htmx the film alone."""
    rows = Film.objects.visible_to(request.member).select_related("image__board", "maker")
    found = get_object_or_404(rows.prefetch_related("image__files"), pk=pk)
    [card] = cards_for([found])
    template = "films/_film.html" if is_fragment(request) else "films/film.html"
    words = {"card": card, "film": found, "image": found.image, "link": link(request, found)}
    response = render(request, template, words)
    patch_vary_headers(response, ["HX-Request"])
    return response


def link(request: Request, film: Film) -> str:
    """The address that opens a film to everybody who has it; empty while it has none."""
    if film.token is None or request.member is None:
        return ""
    if request.member.pk != film.maker_id and not request.member.is_moderator:
        return ""
    return request.build_absolute_uri(reverse("film-shared", args=[film.token]))


@require_safe
def film_file(request: Request, pk: int) -> HttpResponse:
    """The bytes of a film, for those who may look at every image in it now."""
    rows = Film.objects.visible_to(request.member).filter(state=FilmState.DONE)
    return sent(request, get_object_or_404(rows, pk=pk))


def sent(request: Request, film: Film) -> HttpResponse:
    """The bytes; never kept anywhere, since an image in it may be withdrawn."""
    return send_private(request, film, f"film-{film.pk}.{film.format}")


@require_POST
@member_required
def change(request: MemberRequest, pk: int, verb: str) -> HttpResponse:
    """Stop, share, no longer share, or remove a film of one's own."""
    found = get_object_or_404(Film.objects.editable_by(request.member), pk=pk)
    verbs = {"stop": actions.stop, "share": actions.share, "unshare": actions.unshare}
    back = reverse("films", args=[found.image_id])
    try:
        if verb == "remove":
            actions.remove(film=found, by=request.member)
            messages.success(request, _("The film was removed."))
        else:
            verbs[verb](film=found, by=request.member)
            back = found.get_absolute_url() if verb != "stop" else back
    except NotAllowed as refusal:
        messages.error(request, str(refusal.sentence))
        back = found.get_absolute_url()
    return HttpResponseRedirect(back)


@require_safe
def shared(request: Request, token: str) -> HttpResponse:
    """The page behind a share link: the film, and nothing that needs an account."""
    found = behind(token)
    [card] = cards_for([found])
    response = render(request, "films/shared.html", {"card": card, "film": found})
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@require_safe
def shared_file(request: Request, token: str) -> HttpResponse:
    """The bytes behind a share link."""
    return sent(request, behind(token))


def behind(token: str) -> Film:
    """The film that this link opens; 404 once it is revoked, or an image in it is not public."""
    found = Film.objects.shared(token).select_related("image__thread", "image__author").first()
    if found is None:
        raise Http404
    return found
