"""The nightly repair: every list anew from all vectors, then the links that follow from the lists.

Taking in touches few lists, and two images taken in at the same instant may miss each other. Here
everything is compared with everything, in blocks, by numpy: about 2 ms an image among 100,000.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from numpy.typing import NDArray

from forum.boards.models import Board, Visibility
from forum.images.models import Image
from forum.links.lineage import all_related
from forum.links.models import (
    WF1,
    Duplicate,
    EmbeddingWf1,
    LinkState,
    Neighbours,
    Scale,
    SimilarityLink,
    ends,
)
from forum.links.nearest import LEAST_PGVECTOR, Near, make_index, pgvector_version
from forum.links.traits import traits

#: Images compared with all others at once; bounds memory: 64 x 100,000 cosines are 26 MB.
BLOCK = 64
#: A scale is measured from this many images on, by so many random pairs, and again after a month.
ENOUGH, PAIRS, RENEWED_AFTER = 1000, 50_000, timedelta(days=30)


@dataclass(slots=True)
class Relinked:
    """What a relink did."""

    images: int = 0
    made: int = 0
    retired: int = 0
    #: Whether the vector index was built.
    indexed: bool = False


@dataclass(slots=True)
class Crowd:
    """All images of one audience that take part in links."""

    ids: NDArray[np.int64]
    threads: NDArray[np.int64]
    #: Unit vectors, float32 of shape (images, 475).
    vectors: NDArray[np.float32]
    lists: dict[int, Neighbours] = field(default_factory=dict)

    def place(self) -> dict[int, int]:
        """Row of each image."""
        return {int(pk): row for row, pk in enumerate(self.ids)}


def relink() -> Relinked:
    """Lists, links, scale and, above the configured size, the index. Safe beside a running forum."""
    done = Relinked()
    renew_scale()
    related = all_related()
    same = duplicate_pairs()
    crowds = [crowd for boards in audiences() if len((crowd := gathered(boards)).ids)]
    for crowd in crowds:
        done.images += len(crowd.ids)
        fill_lists(crowd, related, same)
    done.retired = retire_all(crowds, related, same)
    scale = Scale.of(WF1)
    done.made = sum(link_all(crowd, scale) for crowd in crowds)
    large = EmbeddingWf1.objects.count() >= settings.FORUM_VECTOR_INDEX_FROM
    if large and pgvector_version() >= LEAST_PGVECTOR:
        done.indexed = make_index(EmbeddingWf1.TABLE)
    return done


def audiences() -> Iterator[list[int]]:
    """Boards by audience: public ones, members' ones, and each private one."""
    for visibility in (Visibility.PUBLIC, Visibility.MEMBERS):
        yield list(Board.objects.filter(visibility=visibility).values_list("pk", flat=True))
    for pk in Board.objects.filter(visibility=Visibility.PRIVATE).values_list("pk", flat=True):
        yield [pk]


def gathered(boards: list[int]) -> Crowd:
    """The images of these boards that are shown and not blank, with their vectors."""
    blank = Image.objects.filter(pdq__isnull=False, pdq_quality=0, board__in=boards)
    rows = (
        EmbeddingWf1.objects.filter(board_id__in=boards, hidden=False)
        .exclude(image__in=blank)
        .order_by("image_id")
        .values_list("image_id", "thread_id", "vector")
    )
    ids, threads, vectors = [], [], []
    for pk, thread, vector in rows.iterator(2000):
        ids.append(pk)
        threads.append(thread)
        vectors.append(np.asarray(vector, np.float32))
    stacked = np.array(vectors, np.float32).reshape(-1, EmbeddingWf1.DIMENSIONS)
    length = np.linalg.norm(stacked, axis=1, keepdims=True)
    return Crowd(
        np.array(ids, np.int64), np.array(threads, np.int64), stacked / np.maximum(length, 1e-9)
    )


def duplicate_pairs() -> dict[int, set[int]]:
    """For each image the others that are the same picture."""
    same: dict[int, set[int]] = {}
    for lower, higher in Duplicate.objects.values_list("lower", "higher"):
        same.setdefault(lower, set()).add(higher)
        same.setdefault(higher, set()).add(lower)
    return same


def fill_lists(crowd: Crowd, related: dict[int, set[int]], same: dict[int, set[int]]) -> None:
    """Every image's list anew, stored block by block so that no lock is held for long."""
    for start in range(0, len(crowd.ids), BLOCK):
        cosines = crowd.vectors[start : start + BLOCK] @ crowd.vectors.T
        block = []
        for offset, row in enumerate(cosines):
            pk, thread = int(crowd.ids[start + offset]), int(crowd.threads[start + offset])
            apart = {thread} | related.get(thread, set())
            near = best_of_threads(crowd, row, apart, same.get(pk, set()))
            block.append(Neighbours(image_id=pk, model=WF1).fill(near))
        crowd.lists.update((each.image_id, each) for each in block)
        keep(block)


def keep(block: list[Neighbours]) -> None:
    """Store lists, leaving out those of images that went away meanwhile."""
    with transaction.atomic():
        there = set(
            Image.objects.filter(pk__in=[each.image_id for each in block])
            .select_for_update(no_key=True, of=("self",))
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        Neighbours.store([each for each in block if each.image_id in there])


def best_of_threads(
    crowd: Crowd, cosines: NDArray[np.float32], apart: set[int], same: set[int]
) -> list[Near]:
    """The nearest image of each other thread, best first; looks further until the list is full."""
    total, wide = len(cosines), 20 * Neighbours.MOST
    while True:
        wide = min(wide, total)
        rows = np.argpartition(-cosines, wide - 1)[:wide]
        near: list[Near] = []
        seen = set(apart)
        for row in rows[np.argsort(-cosines[rows], kind="stable")]:
            pk, thread = int(crowd.ids[row]), int(crowd.threads[row])
            if thread not in seen and pk not in same:
                seen.add(thread)
                near.append(Near(pk, thread, float(cosines[row])))
        if len(near) >= Neighbours.MOST or wide == total:
            return near[: Neighbours.MOST]
        wide *= 4


def retire_all(crowds: list[Crowd], related: dict[int, set[int]], same: dict[int, set[int]]) -> int:
    """Remove what nobody confirmed and the lists no longer bear out; how many."""
    links = SimilarityLink.objects.undecided().filter(model=WF1)
    gone = [
        link.pk
        for link in links.select_related("lower", "higher").iterator(2000)
        if link.higher_id in same.get(link.lower_id, set())
        or link.higher.thread_id in related.get(link.lower.thread_id, set())
        or not any(borne_out(link, crowd) for crowd in crowds)
    ]
    for start in range(0, len(gone), 1000):
        chunk = gone[start : start + 1000]
        SimilarityLink.objects.undecided().filter(pk__in=chunk).delete()
    return len(gone)


def borne_out(link: SimilarityLink, crowd: Crowd) -> bool:
    """Whether both images are of this audience and each is in the other's list, near enough."""
    low, high = crowd.lists.get(link.lower_id), crowd.lists.get(link.higher_id)
    if low is None or high is None:
        return False
    return not beyond(low.rank(link.higher.thread_id)) and not beyond(
        high.rank(link.lower.thread_id)
    )


def beyond(rank: int | None) -> bool:
    """Whether this place in a list is too far for a link to stay."""
    return rank is None or rank > SimilarityLink.RETIRE_BEYOND


def link_all(crowd: Crowd, scale: Scale) -> int:
    """Link what is mutual; renew what only the machine said of existing links. How many are new."""
    before = SimilarityLink.objects.count()
    row_of = crowd.place()
    batch = []
    for link in mutual(crowd):
        link.percentile = scale.percentile(link.cosine)
        if link.percentile < Scale.LEAST:
            continue
        low, high = row_of[link.lower_id], row_of[link.higher_id]
        link.traits = traits(crowd.vectors[low], crowd.vectors[high])
        link.state = link.machine_state()
        batch.append(link)
    for start in range(0, len(batch), 500):
        renew(batch[start : start + 500])
    return SimilarityLink.objects.count() - before


def mutual(crowd: Crowd) -> Iterator[SimilarityLink]:
    """Pairs that stand among each other's nearest, as links without percentile and traits."""
    for pk, own in crowd.lists.items():
        for rank, other in enumerate(own.ids[: SimilarityLink.CREATE_WITHIN], start=1):
            back = crowd.lists[other].ids[: SimilarityLink.CREATE_WITHIN]
            if pk < other and pk in back:
                yield SimilarityLink(
                    **ends(pk, other),
                    model=WF1,
                    cosine=own.cosines[rank - 1],
                    rank_of_higher=rank,
                    rank_of_lower=back.index(pk) + 1,
                    among=len(crowd.ids),
                )


def renew(batch: list[SimilarityLink]) -> None:
    """Store links; of those that exist only the undecided take the new figures."""
    with transaction.atomic():
        ids = [each.lower_id for each in batch] + [each.higher_id for each in batch]
        there = set(Image.objects.filter(pk__in=ids).values_list("pk", flat=True))
        batch = [each for each in batch if {each.lower_id, each.higher_id} <= there]
        known = SimilarityLink.objects.select_for_update().filter(
            Q(lower__in=[each.lower_id for each in batch]), model=WF1
        )
        old = {(each.lower_id, each.higher_id): each for each in known.order_by("pk")}
        figures = ["cosine", "percentile", "rank_of_higher", "rank_of_lower", "among", "traits"]
        changed = []
        for each in batch:
            kept = old.get((each.lower_id, each.higher_id))
            if kept is None or kept.state in {LinkState.CONFIRMED, LinkState.REJECTED}:
                continue
            for name in [*figures, "state"]:
                setattr(kept, name, getattr(each, name))
            changed.append(kept)
        SimilarityLink.objects.bulk_update(changed, [*figures, "state"])
        SimilarityLink.objects.bulk_create(batch, ignore_conflicts=True)


def renew_scale() -> None:
    """Measure what a cosine is worth, once there are enough images and a month after the last time."""
    scale = Scale.objects.filter(pk=WF1).first()
    count = EmbeddingWf1.objects.filter(hidden=False).count()
    if count < ENOUGH:
        return
    if scale is not None and scale.measured_at > timezone.now() - RENEWED_AFTER:
        return
    Scale.objects.update_or_create(
        model=WF1,
        defaults={
            "cosines": random_cosines(),
            "images": count,
            "measured_at": timezone.now(),
        },
    )


def random_cosines() -> list[float]:
    """Cosines of random pairs of different threads at the shares that a scale keeps."""
    chosen = EmbeddingWf1.objects.filter(hidden=False).order_by("?")[:2000]
    rows = list(chosen.values_list("thread_id", "vector"))
    threads = np.array([thread for thread, _ in rows])
    vectors = np.array([vector for _, vector in rows], np.float32)
    rng = np.random.default_rng()
    a, b = rng.integers(len(rows), size=(2, 2 * PAIRS))
    apart = threads[a] != threads[b]
    a, b = a[apart][:PAIRS], b[apart][:PAIRS]
    cosines = np.concatenate(
        [
            (vectors[a[i : i + 5000]] * vectors[b[i : i + 5000]]).sum(axis=1)
            for i in range(0, len(a), 5000)
        ]
    )
    return [float(each) for each in np.quantile(cosines, Scale.SHARES)]
