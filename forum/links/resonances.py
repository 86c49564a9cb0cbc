"""Similarity links as people see them: resonances, each with its reason; and what was said before."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from numpy.typing import NDArray
from pgvector.django import HammingDistance

from forum.images.models import Image, ImageState
from forum.links.actions import bits
from forum.links.beyond import links_beyond, same_beyond
from forum.links.models import Duplicate, EmbeddingWf1, LinkState, SimilarityLink
from forum.links.traits import words
from forum.members.models import Member

#: Where the dial stands by itself, between 0 (echo: the nearest) and 100 (counterpoint: the most varied).
DIAL: Final = 30
#: More candidates than these are not weighed against each other.
WEIGHED: Final = 40
#: Cosine of wf1 from which a picture counts as nearly said before: that of a light edit.
NEARLY_SAID: Final = 0.93

_ORDER: Final = (LinkState.CONFIRMED, LinkState.STRONG, LinkState.FAINT)


@dataclass(frozen=True)
class Resonance:
    """An image of another thread that resonates, and why."""

    image: Image
    link: SimilarityLink
    #: Unit vector, float32 of shape (475,).
    vector: NDArray[np.float32] = field(repr=False, compare=False)

    @property
    def score(self) -> float:
        """Cosine of the two vectors."""
        return self.link.cosine

    @property
    def state(self) -> str:
        """One of `LinkState`, never rejected."""
        return self.link.state

    @property
    def faint(self) -> bool:
        """Shown on demand only."""
        return self.link.state == LinkState.FAINT

    @property
    def why(self) -> str:
        """What is alike, in few words; what people said of it comes first."""
        return self.link.name or _(", ").join(words(self.link.traits))

    @property
    def reason(self) -> str:
        """Why the two are linked, as a sentence in the reader's language."""
        alike = _("alike in %(traits)s") % {"traits": _(" and ").join(words(self.link.traits))}
        both = {"one": self.mutual, "two": alike}
        return _("%(one)s; %(two)s") % both if self.link.traits else self.mutual

    @property
    def mutual(self) -> str:
        """How near each is to the other."""
        rank = self.link.rank
        return ngettext(
            "each is the other's nearest of %(among)s",
            "each is among the other's %(rank)s nearest of %(among)s",
            rank,
        ) % {"rank": rank, "among": f"{self.link.among:,}"}


def resonances(
    image: Image, viewer: Member | None, limit: int = 5, dial: int = DIAL
) -> list[Resonance]:
    """At most `limit` resonances this person may see, one per thread, confirmed ones first.

    Within each state they are weighed for nearness against variety (maximal marginal relevance,
    Carbonell and Goldstein 1998); `dial` moves the weight.
    """
    links = (
        SimilarityLink.objects.of(image)
        .shown_to(viewer)
        .select_related("lower__thread", "higher__thread", "lower__author", "higher__author")
        .prefetch_related("lower__files", "higher__files")
    )
    # Sorted by state first: confirmed, then strong, then faint, which is not their alphabet.
    found = sorted(
        [*links.order_by("-cosine")[:400], *beyond(image, viewer)],
        key=lambda link: _ORDER.index(link.state),
    )
    best = one_per_thread(image, found)[:WEIGHED]
    vectors = EmbeddingWf1.objects.in_bulk([other.pk for _link, other in best])
    weighed = [
        Resonance(other, link, np.asarray(vectors[other.pk].vector, np.float32))
        for link, other in best
        if other.pk in vectors
    ]
    return varied(weighed, limit, 1 - min(max(dial, 0), 100) / 100)


def beyond(image: Image, viewer: Member | None) -> list[SimilarityLink]:
    """Links into more open boards, for an image of a closed one, with both of their ends."""
    links = links_beyond(image, viewer)
    if not links:
        return []
    shown = Image.objects.visible_to(viewer).filter(state=ImageState.READY)
    rows = shown.select_related("thread", "author").prefetch_related("files")
    others = rows.in_bulk([each.lower_id + each.higher_id - image.pk for each in links])
    seen = []
    for link in links:
        other = others.get(link.lower_id + link.higher_id - image.pk)
        if other is not None:
            link.lower, link.higher = sorted((image, other), key=lambda end: end.pk)
            seen.append(link)
    return seen


def one_per_thread(
    image: Image, links: Collection[SimilarityLink]
) -> list[tuple[SimilarityLink, Image]]:
    """The first link into each thread, with the image at its other end."""
    seen: set[int] = {image.thread_id}
    kept = []
    for link in links:
        other = link.higher if link.lower_id == image.pk else link.lower
        if other.thread_id not in seen:
            seen.add(other.thread_id)
            kept.append((link, other))
    return kept


def varied(found: list[Resonance], limit: int, nearness: float) -> list[Resonance]:
    """Choose one after the other: near to the image, unlike those already chosen."""
    chosen: list[Resonance] = []
    left = list(found)
    while left and len(chosen) < limit:
        first = min(_ORDER.index(each.state) for each in left)
        rivals = [each for each in left if _ORDER.index(each.state) == first]
        best = max(
            rivals, key=lambda each: nearness * each.score - (1 - nearness) * near(each, chosen)
        )
        chosen.append(best)
        left.remove(best)
    return chosen


def near(one: Resonance, chosen: list[Resonance]) -> float:
    """The largest cosine with one of the chosen; 0 while there is none."""
    return max((float(one.vector @ each.vector) for each in chosen), default=0.0)


@dataclass(frozen=True, slots=True)
class Said:
    """An image that says the same as a picture, or nearly."""

    image: Image
    #: The same picture by its perceptual hash; otherwise a near one by its vector.
    same: bool


def said_before(
    viewer: Member | None,
    *,
    pdq: str = "",
    pdq_quality: int = 0,
    vector: Collection[float] = (),
    limit: int = 3,
) -> list[Said]:
    """Images this person may see that say this already: the same picture first, then near ones."""
    shown = Image.objects.visible_to(viewer).filter(state=ImageState.READY)
    said: list[Said] = []
    if pdq and pdq_quality >= Duplicate.TRUSTED:
        same = shown.filter(pdq_quality__gte=Duplicate.TRUSTED).alias(
            distance=HammingDistance("pdq", bits(pdq))
        )
        rows = same.select_related("thread", "author").prefetch_related("files")
        hits = rows.filter(distance__lte=Duplicate.SAME).order_by("distance")[:limit]
        said = [Said(each, same=True) for each in hits]
    if vector and len(said) < limit:
        found = EmbeddingWf1.objects.nearest(to=vector, viewer=viewer, limit=limit)
        close = [each.image for each in found if each.cosine >= NEARLY_SAID]
        known = {each.image.pk for each in said}
        near_ones = shown.in_bulk([pk for pk in close if pk not in known])
        said += [Said(near_ones[pk], same=False) for pk in close if pk in near_ones]
    return said[:limit]


def duplicates(image: Image, viewer: Member | None) -> list[Image]:
    """Images of other threads that are the same picture and that this person may see, at most ten."""
    pairs = Duplicate.objects.filter(Q(lower=image) | Q(higher=image)).values_list(
        "lower", "higher"
    )
    others = {pk for pair in pairs for pk in pair} - {image.pk}
    others.update(same_beyond(image, viewer).values_list("pk", flat=True)[:10])
    shown = Image.objects.visible_to(viewer).filter(state=ImageState.READY, pk__in=others)
    rows = shown.select_related("thread", "author").prefetch_related("files")
    return list(rows.order_by("pk")[:10])
