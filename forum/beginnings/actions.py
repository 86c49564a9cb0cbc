"""Verbs of this room: begin from words alone, stop, try again; and what the studio answers.

What comes of a beginning is a derivative without a source. It opens a thread as an upload does.
"""

import secrets
from datetime import timedelta

from django.db import connection, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forum.announce import announce
from forum.beginnings.models import Beginning, BeginningState
from forum.boards.models import Board
from forum.images import actions as images
from forum.images.models import Image
from forum.members.actions import give_back, purse
from forum.members.allowances import times
from forum.members.events import on_leaving
from forum.members.models import Member
from forum.states import move
from forum.threads.actions import KeyReused, NotAllowed
from forum.threads.actions.answering import SEEDS
from forum.threads.actions.gates import (
    at_the_desk,
    at_work,
    content_of,
    few_at_once,
    not_too_many_kept,
    open_board,
    pay,
    turn,
)
from forum.threads.actions.growing import STREAM
from forum.threads.languages import guess
from forum.threads.models import Thread
from generation import queue
from generation.requests import EditRequest
from generation.results import EditResult

#: Where the studio posts a first image to.
RESULT_TO = "forum.receive_beginning"
#: How long what did not come out is kept for another try.
KEPT_FOR = timedelta(days=7)


@transaction.atomic
def begin(
    *,
    member: Member,
    board: Board,
    prompt: str,
    preset: str,
    title: str = "",
    licence: str = "",
    seed: int | None = None,
    waits: bool = True,
    key: str,
) -> Beginning:
    """Have a first image made from words alone. It opens its thread when it has come out.

    Without `seed` one is drawn; without `waits` an engine that no machine at work has is refused. The same key gives the same beginning again. Raises NotAllowed,
    TooMany, KeyReused.
    """
    member = at_the_desk(member)
    content = content_of(board.pk, prompt, preset, title, licence, seed)
    if before := begun_before(member, key, content):
        return before
    board = open_board(member, board)
    refuse_engine(preset)
    if not waits:
        at_work(preset)
    not_too_many_kept(member)
    not_too_many(member)
    pay(member, "envision")
    drawn = secrets.randbelow(SEEDS) if seed is None else seed
    number = next_number()
    request = EditRequest(preset=preset, prompt=prompt, seed=drawn, sources=())
    return Beginning.objects.create(
        pk=number,
        author=member,
        board=board,
        title=title,
        prompt=prompt,
        language=guess(prompt),
        licence=licence or board.licence,
        preset=preset,
        seed=drawn,
        job=submitted(request, member, board, Beginning(pk=number).topic),
        key=key,
        content=content,
    )


def next_number() -> int:
    """The number of the row to come: its job must know whom to tell."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('forum_beginning', 'id'))")
        return int(cursor.fetchone()[0])


def submitted(request: EditRequest, member: Member, board: Board, topic: str) -> int:
    """The studio's job for a request."""
    return queue.submit(request, return_to=RESULT_TO, topic=topic, **turn(member, board))


def begun_before(member: Member, key: str, content: str) -> Beginning | None:
    """What this request began already. Raises KeyReused if the key began something else."""
    found = Beginning.objects.filter(author=member, key=key).first()
    if found is not None and found.content != content:
        raise KeyReused(key)
    return found


def refuse_engine(preset: str) -> None:
    """Raises NotAllowed unless this preset is here and makes images from words alone."""
    if preset not in queue.presets() or not queue.is_enabled(preset):
        raise NotAllowed(_("There is no such engine here. Choose another one."), "no_engine")
    if not queue.begins(preset):
        raise NotAllowed(_("This engine needs an image to begin from."), "no_engine")


def not_too_many(member: Member) -> None:
    """Raises TooMany while as many of the member's first images form as may be. Needs the lock."""
    sentence = _("As many of your first images as may be still come into being. Wait for one.")
    few_at_once(member, Beginning.objects.filter(author=member).forming(), sentence)


@transaction.atomic
def stop(*, beginning: Beginning, by: Member) -> Beginning:
    """End it before it has come into being. Stopping twice is stopping once. Raises NotAllowed."""
    found = mine(beginning, by)
    if found.state == BeginningState.CANCELLED:
        return found
    if not move(found, BeginningState.CANCELLED, ended_at=Now()):
        raise NotAllowed(_("It has ended already; there is nothing to stop."), "ended")
    queue.cancel(found.job)
    give_back(who=purse(by), what="envision", times=times(by))
    tell(found)
    return found


@transaction.atomic
def try_again(*, beginning: Beginning, by: Member) -> Beginning:
    """Ask once more for one that failed or was stopped. Raises NotAllowed and TooMany."""
    by = at_the_desk(by)
    found = mine(beginning, by)
    if found.is_forming:
        return found
    open_board(by, found.board)
    refuse_engine(found.preset)
    not_too_many(by)
    pay(by, "envision")
    if not move(found, BeginningState.WAITING, reason="", ended_at=None):
        raise NotAllowed(_("It has come into being; there is nothing to try again."), "ended")
    if not queue.retry(found.job):
        request = EditRequest(preset=found.preset, prompt=found.prompt, seed=found.seed, sources=())
        found.job = submitted(request, by, found.board, found.topic)
        found.save(update_fields=["job"])
    tell(found)
    return found


@transaction.atomic
def take_in(job_id: int) -> Image | None:
    """A first image is made: it opens its thread. None when nobody waits, and then its files go."""
    result = queue.result(job_id)
    if not isinstance(result, EditResult):
        return None
    found = waiting_for(job_id)
    if (image := Image.objects.filter(job=job_id).first()) is None and found is not None:
        image = opened(found, result)
    if image is None:
        queue.discard(job_id)
    else:
        queue.mark_taken_in(job_id)
    return image


def waiting_for(job_id: int) -> Beginning | None:
    """The forming beginning behind a job, locked."""
    rows = Beginning.objects.forming().select_related("author", "board")
    return rows.select_for_update(of=("self",)).filter(job=job_id).first()


def opened(found: Beginning, result: EditResult) -> Image | None:
    """The image with its thread; None where its author may no longer post there."""
    try:
        board = open_board(found.author, found.board)
    except NotAllowed as refusal:
        move(found, BeginningState.FAILED, reason=refusal.reason[:40], ended_at=Now())
        tell(found)
        return None
    thread = Thread.objects.create(board=board, title=found.title)
    image = images.add_derivative(
        job_id=found.job,
        result=result,
        thread=thread,
        author=found.author,
        sources=[],
        alt="",
        language=found.language,
        licence=found.licence,
    )
    image.title = found.title
    image.save(update_fields=["title"])
    thread.first_image = image
    thread.image_count = thread.voice_count = 1
    thread.save(update_fields=["first_image", "image_count", "voice_count"])
    move(found, BeginningState.DONE, image=image, ended_at=Now())
    announce(STREAM, "thread", id=thread.pk)
    tell(found)
    return image


@transaction.atomic
def take_in_failure(job_id: int) -> Beginning | None:
    """Let a beginning say why it did not come out, and give back what it cost."""
    standing = queue.read([job_id]).get(job_id)
    found = waiting_for(job_id)
    if found is None or standing is None or standing.state != "failed":
        return None
    move(found, BeginningState.FAILED, reason=standing.reason[:40], ended_at=Now())
    give_back(who=purse(found.author), what="envision", times=times(found.author))
    tell(found)
    return found


def sweep_beginnings() -> int:
    """Forget what did not come out and was not tried again for a week. How many."""
    ended = [BeginningState.FAILED, BeginningState.CANCELLED]
    old = Beginning.objects.filter(state__in=ended, ended_at__lt=Now() - KEPT_FOR)
    return old.delete()[0]


def mine(beginning: Beginning, by: Member) -> Beginning:
    """The row afresh and locked, if it is this person's own. Raises NotAllowed."""
    own = Beginning.objects.of(by).select_related("author", "board")
    found = own.select_for_update(of=("self",)).filter(pk=beginning.pk).first()
    if found is None:
        raise NotAllowed(_("Only its author or a moderator can do that."), "not_yours")
    return found


def tell(beginning: Beginning) -> None:
    """Say that it changed, to the page that shows it."""
    announce(beginning.topic, "beginning", id=beginning.pk)


def leave_house(member: Member, keep_images: bool) -> None:
    """Who leaves waits for nothing any more."""
    for each in Beginning.objects.filter(author=member).forming():
        queue.cancel(each.job)


if leave_house not in on_leaving:
    on_leaving.append(leave_house)
