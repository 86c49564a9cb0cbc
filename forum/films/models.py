"""Films: a lineage, or how one image came into being, as a moving picture."""

from collections.abc import Iterable
from datetime import timedelta
from statistics import median
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Visibility
from forum.images.models import Image
from forum.members.models import Member
from forum.states import Graph, graph

#: How many films say how long one takes.
LATELY = 9


class FilmKind(models.TextChoices):
    """What a film shows."""

    LINEAGE = "lineage", _("lineage")
    STRIP = "strip", _("coming into being")


class FilmFormat(models.TextChoices):
    """How a film is kept."""

    WEBP = "webp", "WebP"
    MP4 = "mp4", "MP4"


class FilmState(models.TextChoices):
    """Where a film stands."""

    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    FAILED = "failed", _("did not come out")
    CANCELLED = "cancelled", _("stopped")


class FilmQuerySet(models.QuerySet["Film"]):
    def visible_to(self, member: Member | None) -> "FilmQuerySet":
        """Films of which this person may look at every image."""
        seen = Image.objects.visible_to(member)
        unseen = Film.shown.through.objects.filter(film=OuterRef("pk")).exclude(image__in=seen)
        return self.filter(image__in=seen).filter(~Exists(unseen))

    def editable_by(self, member: Member | None) -> "FilmQuerySet":
        """Films this person may stop, share or remove: those they asked for; moderators any."""
        if member is None or not member.is_active:
            return self.none()
        seen = self.visible_to(member)
        return seen if member.is_moderator else seen.filter(maker=member)

    def shared(self, token: str) -> "FilmQuerySet":
        """The film behind a share link, as long as everybody may look at every image in it."""
        open_to_all = self.visible_to(None).filter(image__board__visibility=Visibility.PUBLIC)
        return open_to_all.filter(token=token, state=FilmState.DONE)

    def of(self, image: Image) -> "FilmQuerySet":
        """Films of one image, in the order of their kinds."""
        rows = self.filter(image=image).select_related("maker", "image__board")
        return rows.order_by("kind", "format", "titled")

    def waiting(self) -> "FilmQuerySet":
        """Those that are being made."""
        return self.filter(state=FilmState.WAITING)

    def pace(self) -> float:
        """Seconds from asking to seeing, the middle one of the newest films; 0 without any."""
        newest = self.filter(state=FilmState.DONE, ended_at__isnull=False).order_by("-ended_at")
        took = ExpressionWrapper(F("ended_at") - F("created_at"), models.DurationField())
        times: Iterable[timedelta] = newest.values_list(took, flat=True)[:LATELY]
        return median([each.total_seconds() for each in times] or [0.0])


class Film(models.Model):
    """One film of an image. There is one of each kind, format and manner; who asks again gets it."""

    MOVES: ClassVar[Graph] = graph(
        FilmState.WAITING,
        [
            (FilmState.WAITING, FilmState.DONE),
            (FilmState.WAITING, FilmState.FAILED),
            (FilmState.WAITING, FilmState.CANCELLED),
            (FilmState.FAILED, FilmState.WAITING),
            (FilmState.CANCELLED, FilmState.WAITING),
        ],
        ends=[FilmState.DONE],
    )

    image = models.ForeignKey(Image, models.CASCADE, related_name="films")
    kind = models.CharField(max_length=10, choices=FilmKind.choices)
    format = models.CharField(max_length=5, choices=FilmFormat.choices)
    #: Whether what was said stands under each picture.
    titled = models.BooleanField(default=False)
    maker = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="films"
    )
    #: Every image in it: where one goes, the film goes.
    shown = models.ManyToManyField(Image, related_name="shown_in")
    state = models.CharField(max_length=10, choices=FilmState.choices, default=FilmState.WAITING)
    #: A stable word for why it did not come out; pages say the sentence.
    reason = models.CharField(max_length=40, blank=True)
    #: The studio's job.
    job = models.BigIntegerField(null=True, blank=True, unique=True)
    #: The secret part of its share link; empty while it is not shared.
    token = models.CharField(max_length=43, null=True, blank=True, unique=True)
    #: The finished file in the default storage.
    name = models.CharField(max_length=200, blank=True, db_index=True)
    mime = models.CharField(max_length=30, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    seconds = models.FloatField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = FilmQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "kind", "format", "titled"], name="one_film_of_each_manner"
            ),
            models.CheckConstraint(
                name="done_film_has_file", condition=~Q(state=FilmState.DONE) | ~Q(name="")
            ),
        ]

    def __str__(self) -> str:
        return f"film {self.pk} of image {self.image_id}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("film", args=[self.pk])

    @property
    def is_forming(self) -> bool:
        """Still being made."""
        return self.state == FilmState.WAITING

    @property
    def is_video(self) -> bool:
        """Whether it plays as a video; otherwise it is an image that moves."""
        return self.format == FilmFormat.MP4
