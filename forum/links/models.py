"""Embeddings, neighbours and similarity links (shown to people as resonances)."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from pgvector.django import HalfVectorField

from forum.images.models import Image


class EmbeddingWf1(models.Model):
    """The wf1 vector of an image. One table per model: vectors of two models never meet."""

    DIMENSIONS = 475

    image = models.OneToOneField(
        Image, models.CASCADE, primary_key=True, related_name="embedding_wf1"
    )
    # Copied into the row: only conditions on the scanned table filter during a vector scan.
    thread_id = models.BigIntegerField()
    board_id = models.BigIntegerField()
    hidden = models.BooleanField(default=False)
    vector = HalfVectorField(dimensions=DIMENSIONS)

    class Meta:
        indexes = [models.Index(fields=["board_id"], name="embedding_wf1_by_board")]

    def __str__(self) -> str:
        return f"wf1 of image {self.image_id}"


class Neighbours(models.Model):
    """The nearest images of other threads within one audience, best first, one per thread."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="neighbour_lists")
    model = models.CharField(max_length=20)
    ids = ArrayField(models.BigIntegerField(), default=list)
    cosines = ArrayField(models.FloatField(), default=list)

    class Meta:
        verbose_name_plural = "neighbours"
        constraints = [
            models.UniqueConstraint(
                fields=["image", "model"], name="one_neighbour_list_per_image_and_model"
            )
        ]

    def __str__(self) -> str:
        return f"{len(self.ids)} neighbours of image {self.image_id}"


class LinkState(models.TextChoices):
    """How sure a similarity link is."""

    FAINT = "faint", _("faint")
    STRONG = "strong", _("strong")
    CONFIRMED = "confirmed", _("confirmed")
    REJECTED = "rejected", _("rejected")


class SimilarityLink(models.Model):
    """A stored, scored link between images of different threads."""

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

    class Meta:
        constraints = [
            models.CheckConstraint(name="link_lower_first", condition=Q(lower__lt=F("higher"))),
            models.UniqueConstraint(
                fields=["lower", "higher", "model"], name="one_link_per_pair_and_model"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lower_id} ~ {self.higher_id}"


class LinkVote(models.Model):
    """A member confirms or contests a link."""

    link = models.ForeignKey(SimilarityLink, models.CASCADE, related_name="votes")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="link_votes")
    agrees = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["link", "member"], name="one_vote_per_link_and_member")
        ]

    def __str__(self) -> str:
        return f"{self.member} on {self.link}"


class Duplicate(models.Model):
    """Two images that are the same picture by their perceptual hash."""

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
            models.UniqueConstraint(fields=["lower", "higher"], name="one_duplicate_per_pair"),
        ]

    def __str__(self) -> str:
        return f"{self.lower_id} = {self.higher_id}"
