"""/images/{id}/plan and /boards/{slug}/words: how prompts are read, and words of one's own."""

from typing import Annotated, Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from ninja import Path, Query, Router, Status

from forum.api import draft_schemas, schemas
from forum.api.images import Id, find
from forum.api.keys import Caller, once, reader, writer
from forum.api.problems import Trouble
from forum.boards import words as teaching
from forum.boards.models import Board, Word
from forum.images.models import Image
from forum.web import MemberRequest, Request
from generation import queue
from generation.requests import Operation
from generation.results import Plan

Words = schemas.PromptIn | draft_schemas.TurnIn
router = Router(tags=["prompts"])
Slug = Annotated[str, Path(max_length=50)]
WordId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get("/images/{int:image}/plan", auth=reader, response=schemas.PlanOut, url_name="plan")
def get_plan(
    request: Request,
    image: Id,
    prompt: Annotated[str, Query(max_length=2000, pattern=schemas.NO_NUL)],
    preset: Annotated[str, Query(max_length=40, pattern=schemas.NO_NUL)] = "",
) -> schemas.PlanOut:
    """How a prompt would be read here, before anything is made: send `operations` as `read_as`."""
    plan = read(find(request, image), prompt, preset)
    return schemas.PlanOut(
        preset=plan.preset,
        operations=[
            schemas.ReadOut(name=name, title=title, settings=settings, words=words)
            for (name, settings), title, words in zip(
                plan.operations, plan.read, plan.words, strict=True
            )
        ],
        unknown=list(plan.unknown),
        offers=[schemas.OfferOut(title=title, words=words) for title, words in plan.offers],
        notes=list(plan.notes),
        seconds=plan.seconds,
        refusal=plan.refusal,
        impossible=queue.offer().is_impossible(plan.preset),
    )


def read(to: Image, prompt: str, preset: str, strength: float = 0.6) -> Plan:
    """A prompt as it is read on an image's board. Raises Trouble without such a preset."""
    name = preset or to.board.usual
    if name not in queue.presets():
        raise Trouble(422, "no_engine", _("There is no such engine here. Choose another one."))
    own = teaching.heard_on(to.board)
    return queue.plan(prompt, name, get_language() or "en", strength, own)


def understood(to: Image, prompt: str, preset: str, strength: float) -> Plan:
    """A prompt that something can be made of. Raises Trouble, which says what is known instead."""
    plan = read(to, prompt, preset, strength)
    if plan.refusal:
        raise Trouble(422, "refused", plan.refusal)
    if plan.offers and not plan.operations:
        said = " ".join(plan.notes) or _("None of this is understood.")
        raise Trouble(
            422, "nothing_understood", said, unknown=list(plan.unknown), offers=list(plan.offers)
        )
    return plan


def asked(to: Image, words: Words, preset: str) -> dict[str, Any]:
    """What the studio is asked to do, and the words that nothing was made of.

    What was sent as `read_as` is checked, else the prompt is read. Raises Trouble for operations
    that cannot be, and for a prompt of which the engine understands nothing.
    """
    if words.read_as is not None:
        unread = read(to, words.prompt, preset).unknown
        wanted = checked(words.read_as)
    else:
        plan = understood(to, words.prompt, preset, words.strength)
        unread = plan.unknown
        wanted = tuple(Operation(name, settings) for name, settings in plan.operations)
    enough_sources(wanted, words)
    return {"read_as": wanted, "unread": unread} if wanted else {}


def checked(asked: list[schemas.OperationIn]) -> tuple[Operation, ...]:
    """Operations as the darkroom takes them. Raises Trouble that names the place of what cannot be."""
    found = []
    for place, each in enumerate(asked):
        try:
            found.append(queue.checked_operation(each.name, each.settings))
        except ValueError as error:
            at = f"body.words.read_as.{place}.{culprit(each)}"
            wrong = [{"at": at, "message": str(error)}]
            detail = _("Some values are missing or cannot be.")
            raise Trouble(422, "invalid", detail, errors=wrong) from None
    return tuple(found)


def culprit(asked: schemas.OperationIn) -> str:
    """Which part of an operation cannot be: its name, or one of its settings."""
    for name, value in asked.settings.items():
        try:
            queue.checked_operation(asked.name, {name: value})
        except ValueError:
            return f"settings.{name}" if asked.name in queue.titles() else "name"
    return "name"


def enough_sources(wanted: tuple[Operation, ...], words: Words) -> None:
    """Raise Trouble where something takes after a second picture and none is sent."""
    if not words.sources and any(queue.second_of(each.name) == "must" for each in wanted):
        raise Trouble(422, "no_second", _("Say which picture it shall take after."))


# --- words of a community -----------------------------------------------------------------------


def board_of(request: Caller, slug: str) -> Board:
    """A board that may be seen; 404 for all others."""
    return get_object_or_404(Board.objects.visible_to(request.member), slug=slug)


def shown(word: Word) -> schemas.WordOut:
    """A word as the API gives it."""
    return schemas.WordOut(
        id=word.pk,
        term=word.term,
        means=word.means,
        read_as=[schemas.OperationOut(**each) for each in word.steps],
        taught_by=word.made_by.username if word.made_by else None,
        created_at=word.created_at,
        before=teaching.conflict(word.term),
    )


@router.get(
    "/boards/{slug}/words", auth=reader, response=list[schemas.WordOut], url_name="board-words"
)
def list_words(request: Request, slug: Slug) -> list[schemas.WordOut]:
    """The words that a board taught the darkroom."""
    rows = Word.objects.filter(board=board_of(request, slug)).select_related("made_by")
    return [shown(word) for word in rows]


@router.post(
    "/boards/{slug}/words",
    auth=writer,
    response={201: schemas.WordOut},
    url_name="board-words",
)
@once
def teach_word(
    request: MemberRequest, slug: Slug, words: schemas.WordIn
) -> Status[schemas.WordOut]:
    """Teach the darkroom a word: for those who moderate the board."""
    board = board_of(request, slug)
    try:
        word = teaching.teach(board=board, by=request.member, term=words.term, means=words.means)
    except teaching.Refused as refusal:
        wrong = [{"at": f"body.words.{refusal.field}", "message": str(refusal.sentence)}]
        raise Trouble(422, "invalid", str(refusal.sentence), errors=wrong) from None
    return Status(201, shown(word))


@router.delete(
    "/boards/{slug}/words/{int:word}", auth=writer, response={204: None}, url_name="board-word"
)
def forget_word(request: MemberRequest, slug: Slug, word: WordId) -> HttpResponse:
    """Let the darkroom forget a word: for those who moderate the board."""
    found = get_object_or_404(Word, board=board_of(request, slug), pk=word)
    teaching.forget(word=found, by=request.member)
    return HttpResponse(status=204)
