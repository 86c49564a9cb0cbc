"""Answering an image: by prompt, by upload, by pointing to an image that exists."""

import secrets
from collections.abc import Sequence
from typing import Any, Unpack

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forum.images import actions as images
from forum.images.ingest import Ingested
from forum.images.models import Image
from forum.masks.models import Mask
from forum.members.models import Member
from forum.threads.actions.gates import (
    answerable,
    at_the_desk,
    at_work,
    content_of,
    derivable,
    keys_of,
    not_too_many_at_once,
    not_too_many_kept,
    pay,
    said_before,
    shown_to_all_on,
    turn,
)
from forum.threads.actions.growing import grow, has_spoken, lock, tell
from forum.threads.actions.posting import look_at
from forum.threads.actions.refusals import NotAllowed
from forum.threads.actions.uploading import UNSAID, Words, settled
from forum.threads.languages import guess
from forum.threads.models import Reply, ReplyKind, ReplySource, ReplyState, Thread
from forum.threads.sentences import sentence
from generation import queue
from generation.requests import EditRequest, Operation

#: Where the studio posts a derivative to.
RESULT_TO = "forum.receive_result"
#: Seeds are drawn below this, so that JavaScript can show them whole.
SEEDS = 2**32


@transaction.atomic
def answer_by_prompt(
    *,
    member: Member,
    to: Image,
    prompt: str,
    preset: str = "",
    seed: int | None = None,
    strength: float = 0.6,
    further_sources: Sequence[Image] = (),
    read_as: tuple[Operation, ...] | None = None,
    unread: tuple[str, ...] | None = None,
    mask: Mask | None = None,
    waits: bool = True,
    key: str,
) -> Reply:
    """Answer an image with a prompt. The reply waits at once; the derivative comes later.

    `strength` runs from 0 (hardly touched) to 1 (transformed); without `seed` one is drawn. `read_as`
    is what the member saw as chips, and `unread` the words that were not known then. Without `waits`
    an engine that no machine at work has is refused. The same key gives the same reply again. Raises
    NotAllowed, TooMany, KeyReused.
    """
    member = at_the_desk(member)
    more = [] if mask is None else [mask.sha256]
    more += [] if read_as is None else [repr(read_as)]
    content = content_of(
        "prompt", to.pk, prompt, preset, seed, strength, keys_of(further_sources), *more
    )
    if before := said_before(member, key, content):
        return before
    to = answerable(member, to)
    sources = derivable(member, [to, *further_sources], answered=to)
    chosen = engine_for(to, preset, len(sources))
    if not waits:
        at_work(chosen)
    held = None if mask is None else held_mask(member, to, mask)
    not_too_many_kept(member)
    not_too_many_at_once(member)
    pay(member, "envision")
    drawn = secrets.randbelow(SEEDS) if seed is None else seed
    request = EditRequest(
        preset=chosen,
        prompt=prompt,
        seed=drawn,
        sources=tuple(source.source_ref() for source in sources),
        strength=strength,
        read_as=read_as,
        unread=unread,
        mask=None if held is None else held.ref(),
    )
    job = queue.submit(
        request, return_to=RESULT_TO, topic=to.thread.topic, **turn(member, to.board)
    )
    reply = waiting(
        member, to, job, prompt=prompt, preset=chosen, seed=drawn, strength=strength, mask=held,
        key=key, content=content,
    )  # fmt: skip
    remember_sources(reply, sources[1:])
    tell(reply)
    return reply


@transaction.atomic
def answer_by_result(
    *,
    member: Member,
    to: Image,
    job: int,
    prompt: str,
    preset: str,
    seed: int,
    strength: float,
    mask: Mask | None = None,
    further_sources: Sequence[Image] = (),
    recipe: dict[str, Any] | None = None,
    key: str,
) -> Reply:
    """Answer an image with what a finished job of the studio made already. Costs nothing more.

    `further_sources` are the images beside `to` that it was made from. The reply waits until the result is taken in, as every other does. The same key gives the same
    reply again. Raises NotAllowed.
    """
    member = at_the_desk(member)
    content = content_of("result", to.pk, job)
    if before := said_before(member, key, content):
        return before
    to = answerable(member, to)
    sources = derivable(member, [to, *further_sources], answered=to)
    not_too_many_kept(member)
    reply = waiting(
        member, to, job, prompt=prompt, preset=preset, seed=seed, strength=strength, mask=mask,
        key=key, content=content,
    )  # fmt: skip
    if not queue.hand_over(job, return_to=RESULT_TO, topic=to.thread.topic, recipe=recipe):
        raise NotAllowed(_("The picture is no longer here. Have it made anew."), "no_picture")
    remember_sources(reply, sources[1:])
    tell(reply)
    return reply


def waiting(member: Member, to: Image, job: int, *, prompt: str, **words: Any) -> Reply:
    """A reply by prompt that waits for what its job makes."""
    return Reply.objects.create(
        thread=to.thread,
        to=to,
        author=member,
        kind=ReplyKind.PROMPT,
        prompt=prompt,
        language=guess(prompt),
        job=job,
        **words,
    )


def engine_for(to: Image, preset: str, sources: int) -> str:
    """Name of the preset that answers: the one asked for, else the board's. Raises NotAllowed."""
    name = preset or to.board.usual
    found = queue.presets().get(name)
    if found is None or not queue.is_enabled(name):
        raise NotAllowed(_("There is no such engine here. Choose another one."), "no_engine")
    if sources > found.max_sources:
        raise NotAllowed(_("This engine takes fewer images at once."), "too_many_sources")
    return name


def held_mask(member: Member, to: Image, mask: Mask) -> Mask:
    """The mask afresh and locked, so that no sweep takes it meanwhile. Raises NotAllowed."""
    own = Mask.objects.usable_by(member, to).select_for_update(no_key=True)
    found = own.filter(pk=mask.pk).first()
    if found is None:
        raise NotAllowed(_("This mask is no longer here. Paint it anew."), "no_such_mask")
    return found


def remember_sources(reply: Reply, sources: Sequence[Image]) -> None:
    """Keep the further sources, in order."""
    ReplySource.objects.bulk_create(
        ReplySource(reply=reply, image=image, position=place)
        for place, image in enumerate(sources, start=1)
    )


def answer_by_upload(
    *, member: Member, to: Image, ingested: Ingested, **words: Unpack[Words]
) -> Reply:
    """Answer with a picture of one's own. The same key gives the same reply again.

    The files of `ingested` belong to the reply afterwards, or are gone. Raises NotAllowed, TooMany,
    KeyReused.
    """
    said: Words = {**UNSAID, **words}
    return settled(ingested, lambda: _upload(member, to, ingested, said))


@transaction.atomic
def _upload(member: Member, to: Image, ingested: Ingested, words: Words) -> tuple[Reply, bool]:
    member = at_the_desk(member)
    content = content_of("upload", to.pk, ingested.sha256)
    if before := said_before(member, words["key"], content):
        return before, False
    to = answerable(member, to)
    not_too_many_kept(member)
    pay(member, "upload")
    hold(to.thread)
    new_voice = not has_spoken(member, to.thread)
    image = images.add_original(
        ingested=ingested, thread=to.thread, board=to.board, author=member, **words
    )
    reply = _done(member, to, image, ReplyKind.UPLOAD, words["key"], content)
    grow(to.thread, images=1, replies=1, new_voice=new_voice)
    look_at(image, to.thread)
    tell(reply)
    return reply, True


@transaction.atomic
def answer_by_link(*, member: Member, to: Image, image: Image, key: str) -> Reply:
    """Answer by pointing to an image that exists. The same key gives the same reply again.

    Raises NotAllowed, KeyReused.
    """
    member = at_the_desk(member)
    content = content_of("link", to.pk, image.pk)
    if before := said_before(member, key, content):
        return before
    to = answerable(member, to)
    image = linkable(member, to, image)
    hold(to.thread)
    if Reply.objects.filter(to=to, image=image).exists():
        raise NotAllowed(_("That image answers this one already."), "answered_already")
    new_voice = not has_spoken(member, to.thread)
    reply = _done(member, to, image, ReplyKind.LINK, key, content)
    grow(to.thread, images=0, replies=1, new_voice=new_voice)
    tell(reply)
    return reply


def hold(thread: Thread) -> None:
    """Lock a thread that is about to grow. Raises NotAllowed where it was moved meanwhile."""
    if not lock(thread):
        said = _("This thread was moved to another board meanwhile. Look at it there first.")
        raise NotAllowed(said, "moved")


def linkable(member: Member, to: Image, image: Image) -> Image:
    """The image afresh, if all who see the thread may see it. Raises NotAllowed."""
    seen = Image.objects.visible_to(member).filter(state="ready").select_related("board")
    found = seen.filter(pk=image.pk).first()
    if found is None or found.pk == to.pk:
        raise NotAllowed(_("There is no such image to point to."), "no_such_image")
    if not shown_to_all_on(to.board, found):
        raise NotAllowed(sentence("not_for_all"), "not_for_all")
    return found


def _done(
    member: Member, to: Image, image: Image, kind: ReplyKind, key: str, content: str
) -> Reply:
    """A reply that is complete as soon as it is said."""
    return Reply.objects.create(
        thread=to.thread,
        to=to,
        author=member,
        kind=kind,
        image=image,
        state=ReplyState.DONE,
        ended_at=Now(),
        key=key,
        content=content,
    )
