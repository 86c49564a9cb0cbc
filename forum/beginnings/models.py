"""Beginnings: first images that are made from words alone, until they open a thread."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Board, Licence
from forum.images.models import Image
from forum.members.models import Member
from forum.states import Graph, graph


class BeginningState(models.TextChoices):
    """Where a beginning stands."""

    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    FAILED = "failed", _("did not come out")
    CANCELLED = "cancelled", _("stopped")


class BeginningQuerySet(models.QuerySet["Beginning"]):
    def of(self, member: Member | None) -> "BeginningQuerySet":
        """One's own. Nobody sees another's before it has opened a thread."""
        if member is None or not member.is_active:
            return self.none()
        return self.filter(author=member)

    def forming(self) -> "BeginningQuerySet":
        """Those that still come into being."""
        return self.filter(state=BeginningState.WAITING)

    def unborn(self) -> "BeginningQuerySet":
        """Those that opened no thread so far, newest first."""
        return self.exclude(state=BeginningState.DONE).order_by("-pk")


class Beginning(models.Model):
    """A member's wish for a first image that has no source."""

    MOVES: ClassVar[Graph] = graph(
        BeginningState.WAITING,
        [
            (BeginningState.WAITING, BeginningState.DONE),
            (BeginningState.WAITING, BeginningState.FAILED),
            (BeginningState.WAITING, BeginningState.CANCELLED),
            (BeginningState.FAILED, BeginningState.WAITING),
            (BeginningState.CANCELLED, BeginningState.WAITING),
        ],
        ends=[BeginningState.DONE],
    )

    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="beginnings")
    #: Where its thread will stand.
    board = models.ForeignKey(Board, models.PROTECT, related_name="beginnings")
    title = models.CharField(_("title"), max_length=120, blank=True)
    #: What the member typed, word for word.
    prompt = models.CharField(max_length=2000)
    language = models.CharField(max_length=10, blank=True)
    licence = models.CharField(_("licence"), max_length=30, choices=Licence.choices)
    preset = models.CharField(max_length=40)
    seed = models.PositiveBigIntegerField()
    #: The studio's job.
    job = models.BigIntegerField(unique=True)
    state = models.CharField(
        max_length=10, choices=BeginningState.choices, default=BeginningState.WAITING
    )
    #: A stable word for why it did not come out; pages say the sentence.
    reason = models.CharField(max_length=40, blank=True)
    #: The first image it became.
    image = models.OneToOneField(
        Image, models.SET_NULL, null=True, blank=True, related_name="began_as"
    )
    #: The form's own key, so that a double click begins once.
    key = models.CharField(max_length=64)
    #: SHA-256 of what was asked, to tell a repetition from something else under the same key.
    content = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BeginningQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["author", "key"], name="one_beginning_per_author_and_key"
            ),
        ]
        indexes = [
            models.Index(
                fields=["author"], condition=~Q(state="done"), name="beginning_unborn_by_author"
            )
        ]

    def __str__(self) -> str:
        return f"beginning {self.pk}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("beginning", args=[self.pk])

    @property
    def topic(self) -> str:
        """The name under which its changes are announced."""
        return f"beginning.{self.pk}"

    @property
    def is_forming(self) -> bool:
        """Still coming into being."""
        return self.state == BeginningState.WAITING
