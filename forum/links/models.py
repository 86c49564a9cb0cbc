"""Embeddings, neighbours and similarity links (shown to people as resonances)."""

from collections.abc import Collection
from typing import Any, ClassVar, Final, Self

import numpy as np
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField

from forum.boards.models import Board, BoardQuerySet, Visibility
from forum.images.models import Image, ImageState
from forum.links.nearest import Near, VectorTable, nearest
from forum.members.models import Member

#: Name of the embedding model of this release.
WF1: Final = "wf1"


def audience(board: Board) -> BoardQuerySet:
    """Boards whose images may stand in one stored list: all that the same people can see.

    Mixed lists would tell by a rank, or by "of 41,233", what a viewer may not see.
    """
    if board.visibility == Visibility.PRIVATE:
        return Board.objects.filter(pk=board.pk)
    return Board.objects.filter(visibility=board.visibility)


class EmbeddingQuerySet(models.QuerySet["EmbeddingWf1"]):
    def nearest(
        self,
        *,
        to: Collection[float],
        viewer: Member | None,
        limit: int,
        apart_from: Collection[int] = (),
    ) -> list[Near]:
        """The nearest images that this person may see, best first, one per thread.

        `to` is a vector of 475 numbers; `apart_from` names threads to leave out, usually the own.
        """
        boards = Board.objects.visible_to(viewer)
        return nearest(EmbeddingWf1.TABLE, to=to, boards=boards, limit=limit, apart_from=apart_from)

    def nearest_of(
        self, board: Board, *, to: Collection[float], limit: int, apart_from: Collection[int] = ()
    ) -> list[Near]:
        """The nearest images within the audience of a board; for stored lists."""
        boards = audience(board)
        return nearest(EmbeddingWf1.TABLE, to=to, boards=boards, limit=limit, apart_from=apart_from)


class EmbeddingWf1(models.Model):
    """The wf1 vector of an image. One table per model: vectors of two models never meet."""

    DIMENSIONS: Final = 475
    TABLE: Final = VectorTable("forum_embeddingwf1", DIMENSIONS)

    image = models.OneToOneField(
        Image, models.CASCADE, primary_key=True, related_name="embedding_wf1"
    )
    # Copied into the row, because only conditions on the scanned table filter during a vector
    # scan. A trigger keeps the three in step with the image.
    thread_id = models.BigIntegerField()
    board_id = models.BigIntegerField()
    hidden = models.BooleanField(default=False)
    vector = HalfVectorField(dimensions=DIMENSIONS)

    objects = EmbeddingQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index("board_id", name="embedding_wf1_by_board", condition=Q(hidden=False)),
            models.Index("thread_id", name="embedding_wf1_by_thread"),
        ]

    def __str__(self) -> str:
        return f"wf1 of image {self.image_id}"


class Neighbours(models.Model):
    """The nearest images of other threads within one audience, best first, one per thread.

    One row with arrays rather than a row per pair: those would outweigh the vectors.
    """

    MOST: Final = 60

    image = models.ForeignKey(Image, models.CASCADE, related_name="neighbour_lists")
    model = models.CharField(max_length=20)
    ids = ArrayField(models.BigIntegerField(), default=list)
    #: The thread of each, so that ranks by thread need no further query.
    threads = ArrayField(models.BigIntegerField(), default=list)
    cosines = ArrayField(models.FloatField(), default=list)

    class Meta:
        verbose_name_plural = "neighbours"
        constraints = [
            models.UniqueConstraint("image", "model", name="one_neighbour_list_per_image_and_model")
        ]

    def __str__(self) -> str:
        return f"{len(self.ids)} neighbours of image {self.image_id}"

    def fill(self, near: Collection[Near]) -> Self:
        """Replace the whole list."""
        self.ids = [each.image for each in near]
        self.threads = [each.thread for each in near]
        self.cosines = [each.cosine for each in near]
        return self

    @staticmethod
    def store(lists: Collection["Neighbours"]) -> None:
        """Write lists, replacing those that are there."""
        Neighbours.objects.bulk_create(
            lists,
            update_conflicts=True,
            unique_fields=["image", "model"],
            update_fields=["ids", "threads", "cosines"],
        )

    def rank(self, thread: int) -> int | None:
        """Place of a thread's best image, from 1; None when it is not among them."""
        return self.threads.index(thread) + 1 if thread in self.threads else None


class Scale(models.Model):
    """How alike random pairs of a model are in this forum: what a cosine is worth."""

    #: Shares of random pairs whose cosines are kept.
    SHARES: Final = (0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0)
    #: Measured on 5,079 photographs; serves until a forum has enough images of its own.
    BEFOREHAND: ClassVar[dict[str, list[float]]] = {
        WF1: [-0.3, -0.07, 0.07, 0.26, 0.47, 0.65, 0.79, 1.0]
    }
    #: Above this share of random pairs a resonance is strong.
    STRONG: Final = 0.999
    #: Below this share it is no resonance, however near a small forum makes it.
    LEAST: Final = 0.5

    model = models.CharField(max_length=20, primary_key=True)
    cosines = ArrayField(models.FloatField())
    images = models.PositiveIntegerField()
    measured_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"scale of {self.model}"

    @classmethod
    def of(cls, model: str) -> "Scale":
        """The forum's own scale, or the one measured beforehand."""
        found = cls.objects.filter(pk=model).first()
        return found or cls(model=model, cosines=cls.BEFOREHAND[model], images=0)

    def percentile(self, cosine: float) -> float:
        """Share of random pairs that are less alike, 0 to 1."""
        return float(np.interp(cosine, self.cosines, self.SHARES))


class LinkState(models.TextChoices):
    """How sure a similarity link is."""

    FAINT = "faint", _("faint")
    STRONG = "strong", _("strong")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")


class LinkQuerySet(models.QuerySet["SimilarityLink"]):
    def of(self, image: Image) -> Self:
        """Links at either end of an image."""
        return self.filter(Q(lower=image) | Q(higher=image))

    def visible_to(self, member: Member | None) -> Self:
        """Links between two images that this person may see and that are shown."""
        shown = Image.objects.visible_to(member).filter(state=ImageState.READY)
        return self.filter(lower__in=shown, higher__in=shown)

    def shown_to(self, member: Member | None) -> Self:
        """Visible ones that neither the forum rejected nor this person contested."""
        links = self.visible_to(member).exclude(state=LinkState.REJECTED)
        if member is None:
            return links
        contested = LinkVote.objects.filter(member=member, agrees=False)
        return links.exclude(pk__in=contested.values("link"))

    def undecided(self) -> Self:
        """Those that only the machine made: they may change or go."""
        return self.filter(state__in=[LinkState.FAINT, LinkState.STRONG])


class SimilarityLink(models.Model):
    """A stored, scored link between images of different threads."""

    #: A link comes when each image is among the other's ten nearest, and goes beyond twenty.
    CREATE_WITHIN: Final = 10
    RETIRE_BEYOND: Final = 20

    lower = models.ForeignKey(Image, models.CASCADE, related_name="links_up")
    higher = models.ForeignKey(Image, models.CASCADE, related_name="links_down")
    model = models.CharField(max_length=20)
    state = models.CharField(max_length=10, choices=LinkState.choices)
    cosine = models.FloatField()
    #: Share of random pairs that are less alike, 0 to 1.
    percentile = models.FloatField()
    #: Place of `higher` in the list of `lower`, from 1, and the other way round.
    rank_of_higher = models.PositiveIntegerField()
    rank_of_lower = models.PositiveIntegerField()
    #: How many images were compared.
    among = models.PositiveIntegerField()
    #: Machine words for what is alike, such as "light texture"; pages say the sentence.
    traits = models.CharField(max_length=60, blank=True)
    #: Given by people: "related because ...".
    name = models.CharField(max_length=120, blank=True)
    named_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="links_named"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LinkQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="link_lower_first", condition=Q(lower__lt=F("higher"))),
            models.UniqueConstraint("lower", "higher", "model", name="one_link_per_pair_and_model"),
        ]

    def __str__(self) -> str:
        return f"{self.lower_id} ~ {self.higher_id}"

    @property
    def rank(self) -> int:
        """The mutual rank: the worse of the two."""
        return max(self.rank_of_higher, self.rank_of_lower)

    def machine_state(self) -> str:
        """What it is while nobody has said anything about it."""
        strong = self.percentile >= Scale.STRONG
        return LinkState.STRONG if strong else LinkState.FAINT


class LinkVote(models.Model):
    """A member confirms or contests a link."""

    link = models.ForeignKey(SimilarityLink, models.CASCADE, related_name="votes")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="link_votes")
    agrees = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("link", "member", name="one_vote_per_link_and_member")
        ]

    def __str__(self) -> str:
        return f"{self.member} on {self.link}"


class Duplicate(models.Model):
    """Two images that are the same picture by their perceptual hash."""

    #: Largest Hamming distance of PDQ hashes, and least quality, at which they count as the same.
    SAME: Final = 31
    TRUSTED: Final = 50

    lower = models.ForeignKey(Image, models.CASCADE, related_name="duplicates_up")
    higher = models.ForeignKey(Image, models.CASCADE, related_name="duplicates_down")
    #: Hamming distance of the PDQ hashes, 0 to 256.
    distance = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="duplicate_lower_first", condition=Q(lower__lt=F("higher"))
            ),
            models.UniqueConstraint("lower", "higher", name="one_duplicate_per_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.lower_id} = {self.higher_id}"


def ends(a: int, b: int) -> dict[str, Any]:
    """The two ends of a link or duplicate, lower first."""
    return {"lower_id": min(a, b), "higher_id": max(a, b)}
