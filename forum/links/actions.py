"""Taking an image in among the others, and what people say about links."""

from collections.abc import Collection, Iterable

import numpy as np
from django.db import transaction
from numpy.typing import NDArray
from pgvector.django import HammingDistance

from forum.announce import announce
from forum.images.models import Image, ImageState
from forum.links.lineage import related_threads
from forum.links.lists import enter, retire
from forum.links.models import (
    WF1,
    Duplicate,
    EmbeddingWf1,
    LinkState,
    LinkVote,
    Neighbours,
    Scale,
    SimilarityLink,
    audience,
    ends,
)
from forum.links.nearest import Near
from forum.links.traits import traits
from forum.members.models import Member
from generation.results import Vector

#: So many more members against than for a link reject it.
NET_CONTESTS = 3


@transaction.atomic
def take_in(
    *, image: Image, vectors: Iterable[Vector], pdq: str = "", pdq_quality: int = 0
) -> list[SimilarityLink]:
    """Keep an image's vector and hash, and link it to its kin in other threads.

    `pdq` is 64 hex digits or empty. May run twice for one image. Returns the links made. Raises
    ValueError for a hash or vector of another length.
    """
    if pdq:
        image.pdq, image.pdq_quality = bits(pdq), pdq_quality
        image.save(update_fields=["pdq", "pdq_quality"])
    numbers = next((each.numbers for each in vectors if each.model == WF1), None)
    if numbers is None:
        return []
    vector = remember(image, numbers)
    # A picture without any gradient is near to every other one of its kind and says nothing.
    if not image.is_shown or (pdq and pdq_quality == 0):
        return []
    apart = [image.thread_id, *related_threads(image)]
    same = record_duplicates(image, apart)
    near = candidates(image, vector, apart, same)
    Neighbours.store([Neighbours(image=image, model=WF1).fill(near)])
    return join(image, vector, near)


def remember(image: Image, numbers: Collection[float]) -> NDArray[np.float32]:
    """Store the wf1 vector of an image: float32 of shape (475,)."""
    vector = np.asarray(numbers, np.float32)
    if vector.shape != (EmbeddingWf1.DIMENSIONS,) or not np.isfinite(vector).all():
        raise ValueError(f"A wf1 vector has {EmbeddingWf1.DIMENSIONS} finite numbers.")
    row = EmbeddingWf1(
        image=image,
        thread_id=image.thread_id,
        board_id=image.board_id,
        hidden=not image.is_shown,
        vector=vector,
    )
    EmbeddingWf1.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["image"],
        update_fields=["thread_id", "board_id", "hidden", "vector"],
    )
    return vector


def record_duplicates(image: Image, apart: Collection[int]) -> set[int]:
    """Record which images of other threads are the same picture; their ids."""
    if image.pdq is None or image.pdq_quality < Duplicate.TRUSTED:
        return set()
    same = (
        Image.objects.filter(
            board__in=audience(image.board),
            state=ImageState.READY,
            pdq_quality__gte=Duplicate.TRUSTED,
        )
        .exclude(thread__in=apart)
        .annotate(distance=HammingDistance("pdq", str(image.pdq)))
        .filter(distance__lte=Duplicate.SAME)
        .order_by("distance")
        .values_list("pk", "distance")
    )
    found = [Duplicate(**ends(image.pk, pk), distance=int(distance)) for pk, distance in same[:100]]
    Duplicate.objects.bulk_create(found, ignore_conflicts=True)
    return {each.lower_id + each.higher_id - image.pk for each in found}


def candidates(
    image: Image, vector: NDArray[np.float32], apart: Collection[int], same: set[int]
) -> list[Near]:
    """The nearest images of other threads that take part in links, best first."""
    near = EmbeddingWf1.objects.nearest_of(
        image.board, to=vector.tolist(), limit=Neighbours.MOST, apart_from=apart
    )
    # Blank pictures have a vector but no list.
    listed = Neighbours.objects.filter(model=WF1, image__in=[each.image for each in near])
    taking_part = set(listed.values_list("image", flat=True)) - same
    return [each for each in near if each.image in taking_part]


def join(image: Image, vector: NDArray[np.float32], near: list[Near]) -> list[SimilarityLink]:
    """Enter the image into its neighbours' lists, retire what falls out, link what is mutual."""
    first = enter(image, {each.image: each.cosine for each in near}, model=WF1)
    retire(list(first), model=WF1)
    links = [
        new_link(image, each, rank, first[each.image].index(image.pk) + 1)
        for rank, each in enumerate(near[: SimilarityLink.CREATE_WITHIN], start=1)
        if image.pk in first.get(each.image, [])
    ]
    return store(image, vector, links)


def new_link(image: Image, other: Near, rank_of_other: int, rank_of_image: int) -> SimilarityLink:
    """A link, not yet stored, without percentile, traits and state."""
    first = image.pk < other.image
    return SimilarityLink(
        **ends(image.pk, other.image),
        model=WF1,
        cosine=other.cosine,
        rank_of_higher=rank_of_other if first else rank_of_image,
        rank_of_lower=rank_of_image if first else rank_of_other,
    )


def store(
    image: Image, vector: NDArray[np.float32], links: list[SimilarityLink]
) -> list[SimilarityLink]:
    """Complete new links with what their cosine is worth and say so; those that were made."""
    if not links:
        return []
    scale = Scale.of(WF1)
    boards = audience(image.board)
    among = EmbeddingWf1.objects.filter(board_id__in=boards.values("pk"), hidden=False).count()
    others = [each.lower_id + each.higher_id - image.pk for each in links]
    vectors = EmbeddingWf1.objects.in_bulk(others)
    worth: list[SimilarityLink] = []
    for link, other in zip(links, others, strict=True):
        link.percentile = scale.percentile(link.cosine)
        link.among = among
        link.traits = traits(vector, np.asarray(vectors[other].vector, np.float32))
        link.state = link.machine_state()
        if link.percentile >= Scale.LEAST:
            worth.append(link)
    # A pair that was ever rejected has its row, so it is not made again.
    SimilarityLink.objects.bulk_create(worth, ignore_conflicts=True)
    for pk in {image.pk, *others}:
        announce(f"image.{pk}", "resonances", id=pk)
    return list(SimilarityLink.objects.of(image).filter(model=WF1).undecided())


@transaction.atomic
def confirm(*, link: SimilarityLink, member: Member, name: str = "") -> SimilarityLink:
    """A member says that two images belong together, perhaps why. Such a link stays for ever."""
    link = say(link, member, agrees=True)
    if name and link.state == LinkState.CONFIRMED:
        link.name, link.named_by = name[:120], member
        link.save(update_fields=["name", "named_by"])
    return link


@transaction.atomic
def contest(*, link: SimilarityLink, member: Member) -> SimilarityLink:
    """A member says that two images have nothing to do with each other: hidden for them at once."""
    return say(link, member, agrees=False)


def say(link: SimilarityLink, member: Member, *, agrees: bool) -> SimilarityLink:
    """Keep one member's vote and let the votes decide anew."""
    link = SimilarityLink.objects.select_for_update().get(pk=link.pk)
    LinkVote.objects.update_or_create(link=link, member=member, defaults={"agrees": agrees})
    verdict = decided(link)
    if verdict != link.state:
        link.state = verdict
        link.save(update_fields=["state"])
        for pk in (link.lower_id, link.higher_id):
            announce(f"image.{pk}", "resonances", id=pk)
    return link


def decided(link: SimilarityLink) -> str:
    """The state that votes give a link: a moderator's word, then three net contests, then any yes."""
    votes = list(link.votes.select_related("member"))
    against = [each for each in votes if not each.agrees]
    if any(each.member.is_moderator for each in against):
        return LinkState.REJECTED
    supporters = len(votes) - len(against)
    if len(against) - supporters >= NET_CONTESTS:
        return LinkState.REJECTED
    return LinkState.CONFIRMED if supporters else link.machine_state()


def bits(pdq: str) -> str:
    """A PDQ hash of 64 hex digits as 256 binary digits. Raises ValueError for anything else."""
    if len(pdq) != 64:
        raise ValueError("A PDQ hash has 64 hex digits.")
    return f"{int(pdq, 16):0256b}"
