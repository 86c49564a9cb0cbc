"""Drafts: what a member tries with the apparatus before anything is said in the thread."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from forum.images.models import Image
from forum.masks.models import Mask
from forum.members.models import Member
from forum.states import Graph, graph
from forum.threads.models import Reply


def topic_of(author: int, to: int) -> str:
    """The topic of somebody's draft to an image, known before there is one: pages listen from then on."""
    return f"draft.{author}.{to}"


class DraftQuerySet(models.QuerySet["Draft"]):
    def of(self, member: Member | None) -> "DraftQuerySet":
        """One's own, to images one may still look at. Nobody sees another's, moderators neither."""
        if member is None or not member.is_active:
            return self.none()
        return self.filter(author=member, to__in=Image.objects.visible_to(member))


class Draft(models.Model):
    """A conversation of one member with the apparatus about one image, seen by nobody else."""

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    #: The image that will be answered.
    to = models.ForeignKey(Image, models.CASCADE, related_name="drafts")
    #: The take that the next turn edits; empty is the image itself.
    head = models.ForeignKey("Take", models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    #: When something last happened; drafts that rest for long are swept.
    moved_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author", "to"], name="one_draft_per_member_and_image")
        ]

    def __str__(self) -> str:
        return f"draft {self.pk}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("draft", args=[self.to_id])

    @property
    def topic(self) -> str:
        """The name under which its changes are announced."""
        return topic_of(self.author_id, self.to_id)


class TakeState(models.TextChoices):
    """Where a take stands."""

    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    FAILED = "failed", _("did not come out")
    CANCELLED = "cancelled", _("stopped")


class TakeQuerySet(models.QuerySet["Take"]):
    def of(self, member: Member | None) -> "TakeQuerySet":
        """Takes of one's own drafts."""
        return self.filter(draft__in=Draft.objects.of(member))

    def forming(self) -> "TakeQuerySet":
        """Those that still come into being."""
        return self.filter(state=TakeState.WAITING)

    def unpublished(self) -> "TakeQuerySet":
        """Those whose files nobody else owns."""
        return self.filter(reply__isnull=True)


class Take(models.Model):
    """One candidate of one turn."""

    MOVES: ClassVar[Graph] = graph(
        TakeState.WAITING,
        [
            (TakeState.WAITING, TakeState.DONE),
            (TakeState.WAITING, TakeState.FAILED),
            (TakeState.WAITING, TakeState.CANCELLED),
            (TakeState.FAILED, TakeState.WAITING),
            (TakeState.CANCELLED, TakeState.WAITING),
        ],
        ends=[TakeState.DONE],
    )

    draft = models.ForeignKey(Draft, models.CASCADE, related_name="takes")
    #: The take it edits; empty is the image itself.
    after = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="continuations"
    )
    #: Number of its turn in the draft, from 1; candidates of one turn share it.
    turn = models.PositiveSmallIntegerField()
    #: Place on the contact sheet, from 0.
    position = models.PositiveSmallIntegerField(default=0)
    prompt = models.CharField(max_length=2000)
    language = models.CharField(max_length=10, blank=True)
    preset = models.CharField(max_length=40)
    seed = models.PositiveBigIntegerField()
    strength = models.FloatField()
    mask = models.ForeignKey(Mask, models.SET_NULL, null=True, blank=True, related_name="takes")
    #: The second picture of this turn, where an operation takes after one.
    second = models.ForeignKey(Image, models.SET_NULL, null=True, blank=True, related_name="+")
    #: The studio's job; its result holds the picture for as long as this is a draft.
    job = models.BigIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=TakeState.choices, default=TakeState.WAITING)
    #: A stable word for why it did not come out; pages say the sentence.
    reason = models.CharField(max_length=40, blank=True)
    #: What it became in the thread, once it was published.
    reply = models.ForeignKey(
        Reply, models.SET_NULL, null=True, blank=True, related_name="was_take"
    )
    #: The form's own key, so that a double click makes one turn.
    key = models.CharField(max_length=64)
    #: SHA-256 of what was asked.
    content = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = TakeQuerySet.as_manager()

    class Meta:
        ordering = ["turn", "position"]
        constraints = [
            models.UniqueConstraint(fields=["draft", "key", "position"], name="one_take_per_key"),
            models.CheckConstraint(
                name="take_follows_another",
                condition=Q(after__isnull=True) | ~Q(after=F("id")),
            ),
        ]

    def __str__(self) -> str:
        return f"take {self.pk}"

    @property
    def is_forming(self) -> bool:
        """Still coming into being."""
        return self.state == TakeState.WAITING

    @property
    def is_done(self) -> bool:
        """Whether there is a picture."""
        return self.state == TakeState.DONE
