"""Words that a community teaches the darkroom: a term, and words it knows already that say the same.

"Grandma's kitchen" may mean "sepia, slightly grainy". What is meant is read once, when it is taught,
and kept as operations, so that a later lexicon does not change it. A word of a board holds there
alone; a word of the house holds everywhere, and a board's own goes before it.
"""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Board, Word
from forum.members.models import Member
from generation import queue
from generation.requests import OwnWord

#: A board holds as many, and so does the house.
MOST_WORDS = 200
#: The reader looks for terms of at most as many words or Chinese characters.
MOST_PARTS = 10
MOST_STEPS = 4
LONGEST_TERM = 60
#: The engine whose lexicon this is; others read prompts by themselves.
PRESET = "darkroom"

Text = str | Promise


class Refused(ValueError):
    """A word that cannot be taught. `field` is "term" or "means", `sentence` is for people."""

    def __init__(self, field: str, sentence: Text) -> None:
        super().__init__(str(sentence))
        self.field, self.sentence = field, sentence


def heard_on(board: Board) -> tuple[OwnWord, ...]:
    """The words that hold on a board, as the studio takes them, in one query."""
    rows = Word.objects.heard_on(board).values_list("term", "steps")
    return tuple(own_word(term, steps) for term, steps in rows)


def of_the_house() -> tuple[OwnWord, ...]:
    """The words that hold everywhere."""
    rows = Word.objects.filter(board=None).values_list("term", "steps")
    return tuple(own_word(term, steps) for term, steps in rows)


def own_word(term: str, steps: Iterable[dict[str, Any]]) -> OwnWord:
    """A word as plain data that can be remembered."""
    return OwnWord(
        term, tuple((step["name"], tuple(sorted(step["settings"].items()))) for step in steps)
    )


def may_teach(member: Member | None, board: Board | None) -> bool:
    """Whether this person may teach words: a board's moderators there, the owner everywhere."""
    if member is None or not member.is_active:
        return False
    if board is None:
        return member.is_owner
    return Board.objects.editable_by(member).filter(pk=board.pk).exists()


@transaction.atomic
def teach(*, board: Board | None, by: Member, term: str, means: str) -> Word:
    """A new word. Raises PermissionDenied, and Refused for one that cannot be."""
    authorise(board, by)
    if Word.objects.filter(board=board).count() >= MOST_WORDS:
        full = _("There are %(most)s words already. Take one away first.")
        raise Refused("term", str(full) % {"most": MOST_WORDS})
    word = Word(board=board, made_by=by)
    return kept(word, term, means)


@transaction.atomic
def change(*, word: Word, by: Member, term: str, means: str) -> Word:
    """A word with another spelling or meaning. Raises as `teach` does."""
    authorise(word.board, by)
    word.changed_by, word.changed_at = by, timezone.now()
    return kept(word, term, means)


def forget(*, word: Word, by: Member) -> None:
    """Take a word away; what was made with it stays as it is. Raises PermissionDenied."""
    authorise(word.board, by)
    word.delete()


def authorise(board: Board | None, by: Member) -> None:
    """Raise PermissionDenied unless `by` may teach here."""
    if not may_teach(by, board):
        raise PermissionDenied


def kept(word: Word, term: str, means: str) -> Word:
    """Save a word, read afresh. Raises Refused."""
    word.term, word.folded = checked_term(term)
    word.means = means.strip()
    word.steps = steps_of(word.means)
    try:
        with transaction.atomic():
            word.save()
    except IntegrityError:
        raise Refused("term", _("This word has been taught already. Change it instead.")) from None
    return word


def checked_term(term: str) -> tuple[str, str]:
    """A term as typed and folded. Raises Refused where the reader could not use it."""
    term = " ".join(term.split())
    folded = term.casefold()
    letters = sum(each.isalnum() for each in folded)
    if letters < (2 if any(ord(each) > 0x2E7F for each in folded) else 3):
        raise Refused("term", _("A word needs at least three letters or two Chinese characters."))
    if len(term) > LONGEST_TERM:
        raise Refused("term", _("At most 60 characters."))
    if queue.parts_of(term) > MOST_PARTS:
        raise Refused("term", _("At most ten words or Chinese characters."))
    if set(queue.known_terms(term)) - set(queue.titles()):
        raise Refused(
            "term", _("Sentences need this small word, a colour or a place; choose another.")
        )
    return term, folded


def steps_of(means: str) -> list[dict[str, Any]]:
    """What words that the darkroom knows ask for. Raises Refused for others."""
    plan = queue.plan(means, PRESET, get_language() or "en")
    if plan.unknown:
        sentence = _("The darkroom does not know: {words}")
        raise Refused("means", format_lazy(sentence, words=", ".join(plan.unknown)))
    if not plan.operations:
        raise Refused("means", " ".join(plan.notes) or _("The darkroom reads nothing of this."))
    if len(plan.operations) > MOST_STEPS:
        raise Refused("means", _("At most four things to do."))
    return [{"name": name, "settings": settings} for name, settings in plan.operations]


def does(word: Word) -> list[str]:
    """What a word does, for people: "Old photograph", "Tint (sky)"."""
    language = get_language() or "en"
    titles, places = queue.titles(language), queue.region_titles(language)
    found = []
    for step in word.steps:
        # What a later program no longer has goes by its bare name.
        title, region = titles.get(step["name"], step["name"]), step["settings"].get("region")
        found.append(f"{title} ({places.get(region, region)})" if region else title)
    return found


def conflict(term: str) -> str:
    """What a term means without this word, for people; empty where it is new."""
    titles = queue.titles(get_language() or "en")
    return ", ".join(titles[name] for name in queue.known_terms(term) if name in titles)
