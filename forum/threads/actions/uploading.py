"""What posting and answering with a picture of one's own share: its words, and what becomes of its files."""

from collections.abc import Callable
from typing import Required, TypedDict, TypeVar

from forum.images import ingest
from forum.images.ingest import Ingested

Thing = TypeVar("Thing")


class Words(TypedDict, total=False):
    """What is said of a picture, as `images.actions.add_original` takes it."""

    title: str
    alt: str
    licence: Required[str]
    allow_derivatives: bool
    #: One of `images.models.Origin`.
    origin: str
    #: BCP 47 tag of title and description, as far as it is known.
    language: str
    #: The form's own key: the same key is the same request again.
    key: Required[str]


#: What holds where nothing was said.
UNSAID: Words = {
    "title": "", "alt": "", "allow_derivatives": True, "origin": "unknown", "language": "",
    "licence": "", "key": "",
}  # fmt: skip


def settled(ingested: Ingested, verb: Callable[[], tuple[Thing, bool]]) -> Thing:
    """Do a verb that takes a picture in; it says whether it made something or found it made before.

    The files of `ingested` belong to what was made afterwards, or are gone: also when the verb
    raises, and when this request had been done already.
    """
    try:
        thing, made = verb()
    except BaseException:
        ingest.discard(ingested)
        raise
    if not made:
        ingest.discard(ingested)
    return thing
