"""What an image of a closed board has in common with images of boards that are more open.

Found when it is shown, and never stored: a list or a rank of a public image that names a private one
would tell of it. So the way leads outward only; the page of the public image says nothing.
"""

from collections.abc import Collection

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray
from pgvector.django import HammingDistance

from forum.boards.models import Board, Visibility
from forum.images.models import Image, ImageQuerySet, ImageState
from forum.links.lineage import related_threads
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
from forum.links.nearest import Near, nearest
from forum.links.traits import traits
from forum.members.models import Member

#: From the most open to the closest.
OPENNESS = (Visibility.PUBLIC, Visibility.MEMBERS, Visibility.PRIVATE)


def more_open(board: Board) -> list[str]:
    """The visibilities whose boards everybody who sees this board sees too, its own left out."""
    return [str(each) for each in OPENNESS[: OPENNESS.index(Visibility(board.visibility))]]


def boards_beyond(board: Board, viewer: Member | None) -> QuerySet[Board]:
    """More open boards, as far as this person may look into them."""
    return Board.objects.visible_to(viewer).filter(visibility__in=more_open(board))


def links_beyond(image: Image, viewer: Member | None) -> list[SimilarityLink]:
    """Links, not stored, to the nearest images of more open boards, best first, one per thread.

    Each is mutual as the stored ones are: the image would stand among the other's ten nearest, if it
    were in that list. Nothing for an image of a public board, or while its vector is not there.
    """
    if not more_open(image.board):
        return []
    kept = EmbeddingWf1.objects.filter(pk=image.pk, hidden=False).first()
    if kept is None or (image.pdq is not None and image.pdq_quality == 0):
        return []
    boards = boards_beyond(image.board, viewer)
    vector = np.asarray(kept.vector, np.float32)
    near = nearest(
        EmbeddingWf1.TABLE,
        to=vector.tolist(),
        boards=boards,
        limit=SimilarityLink.CREATE_WITHIN,
        apart_from=[image.thread_id, *related_threads(image)],
    )
    return links_to(image, vector, near, boards)


def links_to(
    image: Image, vector: NDArray[np.float32], near: Collection[Near], boards: QuerySet[Board]
) -> list[SimilarityLink]:
    """One link for each image that is near and would have this one near too."""
    lists = Neighbours.objects.filter(model=WF1, image__in=[each.image for each in near])
    cosines = {each.image_id: each.cosines for each in lists}
    vectors = EmbeddingWf1.objects.in_bulk(list(cosines))
    among = EmbeddingWf1.objects.filter(board_id__in=boards.values("pk"), hidden=False).count()
    scale = Scale.of(WF1)
    made = []
    for rank, each in enumerate(near, start=1):
        # Blank pictures have a vector and no list.
        back = 1 + sum(cosine >= each.cosine for cosine in cosines.get(each.image, ()))
        percentile = scale.percentile(each.cosine)
        mutual = each.image in cosines and back <= SimilarityLink.CREATE_WITHIN
        if not mutual or percentile < Scale.LEAST or each.image not in vectors:
            continue
        other = np.asarray(vectors[each.image].vector, np.float32)
        first = image.pk < each.image
        link = SimilarityLink(
            **ends(image.pk, each.image),
            model=WF1,
            cosine=each.cosine,
            percentile=percentile,
            rank_of_higher=rank if first else back,
            rank_of_lower=back if first else rank,
            among=among,
            traits=traits(vector, other),
        )
        link.state = LinkState(link.machine_state())
        made.append(link)
    return made


def same_beyond(image: Image, viewer: Member | None) -> ImageQuerySet:
    """Images of more open boards that are the same picture, the nearest first; threads apart."""
    boards = boards_beyond(image.board, viewer)
    shown = Image.objects.filter(board__in=boards, state=ImageState.READY)
    if image.pdq is None or image.pdq_quality < Duplicate.TRUSTED or not more_open(image.board):
        return shown.none()
    apart = [image.thread_id, *related_threads(image)]
    alike = shown.exclude(thread__in=apart).filter(pdq_quality__gte=Duplicate.TRUSTED)
    near = alike.alias(distance=HammingDistance("pdq", str(image.pdq)))
    return near.filter(distance__lte=Duplicate.SAME).order_by("distance")
