"""Verbs of this room: make a film, stop it, share it, take it in, let it go."""

import secrets
from collections.abc import Iterable

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forum import states
from forum.announce import announce
from forum.films.models import Film, FilmKind, FilmQuerySet, FilmState
from forum.films.shots import Cut, cut
from forum.images import audit, events, storing
from forum.images.models import Image
from forum.members import allowances
from forum.members.actions import give_back, purse
from forum.members.allowances import times
from forum.members.events import on_leaving
from forum.members.models import Member
from forum.threads.actions import NotAllowed, TooMany
from forum.threads.actions.gates import SOON, at_the_desk, pay
from forum.threads.costs import Cost
from generation import queue
from generation.queue import Standing
from generation.results import FilmResult

#: Where the studio posts a film to.
RESULT_TO = "forum.receive_film"
#: Films of one member that may wait at once.
AT_ONCE = 2


@transaction.atomic
def make(*, image: Image, kind: str, form: str, titled: bool = False, by: Member) -> Film:
    """Ask for a film of an image, or get the one there is. Costs as much as an answer.

    Raises NotAllowed, with the reason, and TooMany.
    """
    by = at_the_desk(by)
    seen = Image.objects.visible_to(by).filter(state="ready").with_files()
    found = seen.select_for_update(of=("self",), no_key=True).filter(pk=image.pk).first()
    if found is None:
        raise NotAllowed(_("There is no such image that you may film."), "no_such_image")
    titled = titled and kind == FilmKind.LINEAGE
    film = Film.objects.filter(image=found, kind=kind, format=form, titled=titled).first()
    if film is not None and film.state in {FilmState.DONE, FilmState.WAITING}:
        return film
    wanted = cut(found, kind, by, titled=titled)
    if not wanted.is_film:
        raise NotAllowed(NOTHING[FilmKind(kind)], "nothing_to_film")
    formats = queue.film_formats()
    if formats and form not in formats:
        raise NotAllowed(_("MP4 is not available here; choose WebP."), "no_such_format")
    if Film.objects.filter(maker=by).waiting().count() >= AT_ONCE:
        raise TooMany(SOON, _("As many films as may be are being made. Wait for one."))
    pay(by, "envision")
    return begin(film or Film(image=found, kind=kind, format=form, titled=titled), wanted, by)


def price(formats: set[str], by: Member) -> Cost:
    """What a film costs this person: one of the allowance, and about as long as the last ones took.

    `formats` are those that a machine at work can make; without one it waits.
    """
    before = Film.objects.waiting().count()
    seconds = round((before + 1) * Film.objects.pace(), 1)
    wait = Standing("waiting", before=before, seconds=seconds, workers=int(bool(formats)))
    return Cost(None, wait, left=allowances.left(by, "envision"))


def begin(film: Film, wanted: Cut, by: Member) -> Film:
    """Let a new film, or one that failed or was stopped, wait for the studio."""
    request = wanted.request(film.kind, film.format)
    film.job = queue.submit(
        request, return_to=RESULT_TO, topic=f"image.{film.image_id}", asker=by.pk
    )
    film.maker, film.state, film.reason, film.ended_at = by, FilmState.WAITING, "", None
    film.save()
    film.shown.set(wanted.images)
    tell(film)
    return film


NOTHING = {
    FilmKind.LINEAGE: _("This image has no ancestors that could be shown."),
    FilmKind.STRIP: _("No frames were kept of how this image came into being."),
}


@transaction.atomic
def stop(*, film: Film, by: Member) -> Film:
    """End a film before it is made, and give back what it cost. Raises NotAllowed."""
    found = mine(film, by)
    if found.state == FilmState.CANCELLED:
        return found
    if not move(found, FilmState.CANCELLED, ended_at=Now()):
        raise NotAllowed(_("It has ended already; there is nothing to stop."), "ended")
    if found.job is not None:
        queue.cancel(found.job)
    refund(found)
    tell(found)
    return found


@transaction.atomic
def share(*, film: Film, by: Member) -> Film:
    """Give a film a link that opens it to everybody who has it. Raises NotAllowed.

    Only where everybody may look at every image in it anyway: on public boards.
    """
    found = mine(film, by)
    if found.state != FilmState.DONE:
        raise NotAllowed(_("Only a finished film can be shared."), "ended")
    if not Film.objects.visible_to(None).filter(pk=found.pk).exists():
        raise NotAllowed(
            _("It shows images of a board that not everybody may see, so it has no public link."),
            "not_for_all",
        )
    if found.token is None:
        found.token = secrets.token_urlsafe(24)
        found.save(update_fields=["token"])
        tell(found)
    return found


@transaction.atomic
def unshare(*, film: Film, by: Member) -> Film:
    """Take the link back; who has it finds nothing any more. Raises NotAllowed."""
    found = mine(film, by)
    if found.token is not None:
        found.token = None
        found.save(update_fields=["token"])
        tell(found)
    return found


@transaction.atomic
def remove(*, film: Film, by: Member) -> None:
    """Delete a film with its file. Raises NotAllowed."""
    drop(Film.objects.filter(pk=mine(film, by).pk))


def mine(film: Film, by: Member) -> Film:
    """The film afresh and locked, if this person may change it. Raises NotAllowed."""
    rows = Film.objects.editable_by(by).select_related("image", "maker")
    found = rows.select_for_update(of=("self",)).filter(pk=film.pk).first()
    if found is None:
        raise NotAllowed(_("Only who asked for it or a moderator can do that."), "not_yours")
    return found


@transaction.atomic
def take_in(job_id: int) -> Film | None:
    """Keep a finished film. None when nobody waits for it, and then its file goes."""
    result = queue.result(job_id)
    film = waiting_for(job_id)
    if film is None or not isinstance(result, FilmResult):
        # Told twice: the file belongs to the film of the first time.
        if Film.objects.filter(job=job_id, state=FilmState.DONE).exists():
            queue.mark_taken_in(job_id)
        else:
            queue.discard(job_id)
        return None
    file = result.file
    facts = {
        "name": file.name, "mime": file.mime, "bytes": file.bytes, "sha256": file.sha256,
        "width": file.width, "height": file.height, "seconds": result.seconds,
    }  # fmt: skip
    move(film, FilmState.DONE, ended_at=Now(), **facts)
    queue.mark_taken_in(job_id)
    tell(film)
    return film


@transaction.atomic
def take_in_failure(job_id: int) -> Film | None:
    """Let a film say why it did not come out, and give back what it cost. None where none waits."""
    standing = queue.read([job_id]).get(job_id)
    film = waiting_for(job_id)
    if film is None or standing is None or standing.state != "failed":
        return None
    move(film, FilmState.FAILED, reason=standing.reason[:40], ended_at=Now())
    refund(film)
    tell(film)
    return film


def waiting_for(job_id: int) -> Film | None:
    """The film behind a job, locked."""
    rows = Film.objects.waiting().select_related("image", "maker")
    return rows.select_for_update(of=("self",)).filter(job=job_id).first()


def move(film: Film, state: FilmState, **more: object) -> bool:
    """As `states.move`; the film in hand is read anew, for its facts are shown at once."""
    if not states.move(film, state, **more):
        return False
    film.refresh_from_db()
    return True


def refund(film: Film) -> None:
    """What came to nothing costs nothing."""
    if film.maker is not None:
        give_back(who=purse(film.maker), what="envision", times=times(film.maker))


def tell(film: Film) -> None:
    """Say to those who look at the image that its films changed."""
    announce(f"image.{film.image_id}", "film", id=film.pk)


def drop(films: FilmQuerySet) -> None:
    """Films go with their files; what is still being made is stopped."""
    gone = list(films)
    for film in gone:
        if film.is_forming and film.job is not None:
            queue.cancel(film.job)
        tell(film)
    names = [film.name for film in gone if film.name]
    Film.objects.filter(pk__in=[film.pk for film in gone]).delete()
    if names:
        transaction.on_commit(lambda: storing.remove(names))


def forget(image: Image) -> None:
    """Where an image is withdrawn or hidden, no film may show it any longer."""
    if not image.is_shown:
        drop(Film.objects.filter(shown=image))


def leave(member: Member, keep_images: bool) -> None:
    """Who leaves shares nothing any more, and waits for nothing."""
    own = Film.objects.filter(maker=member)
    drop(own.waiting() if keep_images else own)
    own.update(token=None)


def known(names: Iterable[str]) -> set[str]:
    """Those of these stored files that belong to films."""
    return set(Film.objects.filter(name__in=list(names)).values_list("name", flat=True))


for hooks, hook in ((events.on_withdrawn, forget), (events.on_hidden, forget)):
    if hook not in hooks:
        hooks.append(hook)
if leave not in on_leaving:
    on_leaving.append(leave)
if known not in audit.KEPT_ELSEWHERE:
    audit.KEPT_ELSEWHERE.append(known)
