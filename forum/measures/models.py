"""Null answers: what the apparatus makes of an image when nobody tells it anything."""

from django.conf import settings
from django.db import models
from pgvector.django import HalfVectorField

from forum.images.models import Image
from forum.links.models import EmbeddingWf1
from forum.members.models import Member


class NullState(models.TextChoices):
    """Where a null answer stands."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"


class NullAnswerQuerySet(models.QuerySet["NullAnswer"]):
    def visible_to(self, member: Member | None) -> "NullAnswerQuerySet":
        """Null answers to images this person may look at."""
        return self.filter(source__in=Image.objects.visible_to(member))

    def of(self, source: Image, preset: str, version: str) -> "NullAnswerQuerySet":
        """Those that one program makes of one image, by seed."""
        return self.filter(source=source, preset=preset, version=version).order_by("seed")


class NullAnswer(models.Model):
    """One picture made of `source` without a word, kept for all who ask about any answer to it."""

    source = models.ForeignKey(Image, models.CASCADE, related_name="null_answers")
    preset = models.CharField(max_length=40)
    #: Of the program: another one makes other pictures.
    version = models.CharField(max_length=16)
    seed = models.PositiveSmallIntegerField()
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    #: The studio's job; its result holds the picture.
    job = models.BigIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=NullState.choices, default=NullState.WAITING)
    #: wf1 vector of the picture, once it is done.
    vector = HalfVectorField(dimensions=EmbeddingWf1.DIMENSIONS, null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = NullAnswerQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "preset", "version", "seed"], name="one_null_answer_per_seed"
            )
        ]

    def __str__(self) -> str:
        return f"null answer {self.seed} to image {self.source_id}"
