"""Reruns: a derivative was made once more, and this is how it compared with the one that was kept."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forum.images.models import Image
from forum.members.models import Member
from forum.states import Graph, graph


class RerunState(models.TextChoices):
    """Where a rerun stands."""

    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    FAILED = "failed", _("did not come out")


class Verdict(models.TextChoices):
    """How what came out compares with what was kept."""

    IDENTICAL = "identical", _("identical")
    SAME = "same", _("same to the eye")
    DIFFERENT = "different", _("different")


class RerunQuerySet(models.QuerySet["Rerun"]):
    def visible_to(self, member: Member | None) -> "RerunQuerySet":
        """Reruns of images this person may look at."""
        return self.filter(image__in=Image.objects.visible_to(member))

    def of(self, image: Image) -> "RerunQuerySet":
        """Reruns of one image, newest first, with who asked."""
        return self.filter(image=image).select_related("asker").order_by("-pk")

    def waiting(self) -> "RerunQuerySet":
        """Those that still come out."""
        return self.filter(state=RerunState.WAITING)


class Rerun(models.Model):
    """One time that a derivative was made again from its recipe."""

    MOVES: ClassVar[Graph] = graph(
        RerunState.WAITING,
        [(RerunState.WAITING, RerunState.DONE), (RerunState.WAITING, RerunState.FAILED)],
        ends=[RerunState.DONE, RerunState.FAILED],
    )

    image = models.ForeignKey(Image, models.CASCADE, related_name="reruns")
    asker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="reruns"
    )
    state = models.CharField(max_length=10, choices=RerunState.choices, default=RerunState.WAITING)
    verdict = models.CharField(max_length=10, choices=Verdict.choices, blank=True)
    #: A stable word for why it did not come out; pages say the sentence.
    reason = models.CharField(max_length=40, blank=True)
    #: The studio's job.
    job = models.BigIntegerField(unique=True)
    #: Bits of 256 in which the PDQ hashes differ; empty for pictures too plain to be hashed.
    pdq_distance = models.PositiveSmallIntegerField(null=True, blank=True)
    #: Largest and mean difference of a channel (0 to 255), share of pixels that differ (0 to 1).
    largest = models.PositiveSmallIntegerField(null=True, blank=True)
    mean = models.FloatField(null=True, blank=True)
    differing = models.FloatField(null=True, blank=True)
    #: What is not as it was: a list of {"what", "then", "now"}.
    because = models.JSONField(default=list, blank=True)
    #: Engine, version and libraries of the first time and of this time.
    versions_then = models.JSONField(default=dict, blank=True)
    versions_now = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = RerunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image"],
                condition=Q(state=RerunState.WAITING),
                name="one_rerun_of_an_image_at_a_time",
            ),
            models.CheckConstraint(
                name="done_rerun_has_verdict",
                condition=~Q(state=RerunState.DONE) | ~Q(verdict=""),
            ),
        ]
        indexes = [models.Index(fields=["image", "-id"], name="rerun_by_image")]

    def __str__(self) -> str:
        return f"rerun {self.pk} of image {self.image_id}"
