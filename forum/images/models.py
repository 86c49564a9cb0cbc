"""Images, their files, and the descent of derivatives from their sources."""

from collections.abc import Iterable
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from pgvector.django import BitField

from forum.boards.models import Board, Licence
from forum.members.models import Member
from forum.states import Graph, graph
from generation.requests import ImageRef


class Kind(models.TextChoices):
    """Where the pixels come from."""

    ORIGINAL = "original", _("original")
    DERIVATIVE = "derivative", _("derivative")


class Origin(models.TextChoices):
    """What is said of how an original was made."""

    UNKNOWN = "unknown", _("not said")
    HAND = "hand", _("by hand or lens")
    AI_DECLARED = "ai-declared", _("made with AI, says its author")
    AI_DETECTED = "ai-detected", _("made with AI, says the file")


class ImageState(models.TextChoices):
    """Whether an image can be seen."""

    READY = "ready", _("ready")
    HIDDEN = "hidden", _("hidden by a moderator")
    WITHDRAWN = "withdrawn", _("withdrawn")


class FileRole(models.TextChoices):
    """What a file is for."""

    ORIGINAL = "original"
    DISPLAY = "display"
    THUMB = "thumb"
    STRIP = "strip"
    #: A picture between, from which one further turn of a draft went on.
    STEP = "step"


class ImageQuerySet(models.QuerySet["Image"]):
    def in_visible_boards(self, member: Member | None) -> "ImageQuerySet":
        """Images of boards this person may look into, whatever their state: lineage shows grey places."""
        return self.filter(board__in=Board.objects.visible_to(member))

    def visible_to(self, member: Member | None) -> "ImageQuerySet":
        """Images this person may look at. Hidden ones only for moderators, withdrawn ones for nobody."""
        states = [ImageState.READY]
        if member is not None and member.is_active and member.is_moderator:
            states.append(ImageState.HIDDEN)
        return self.in_visible_boards(member).filter(state__in=states)

    def overseen_by(self, member: Member | None) -> "ImageQuerySet":
        """Hidden images that this person may look at and bring back: those of boards they moderate."""
        return self.filter(state=ImageState.HIDDEN, board__in=Board.objects.editable_by(member))

    def told_to(self, member: Member | None) -> "ImageQuerySet":
        """Hidden images whose page tells this person so: their own, and those they oversee."""
        if member is None or not member.is_active:
            return self.none()
        mine = Q(author=member) | Q(board__in=Board.objects.editable_by(member))
        return self.in_visible_boards(member).filter(mine, state=ImageState.HIDDEN)

    def answerable_by(self, member: Member | None) -> "ImageQuerySet":
        """Images this person may answer in whatever way the image allows."""
        # Open boards are visible ones, so the boards are asked for once.
        return self.filter(board__in=Board.objects.open_to(member), state=ImageState.READY)

    def editable_by(self, member: Member | None) -> "ImageQuerySet":
        """Images this person may describe anew or withdraw: their own; moderators any."""
        if member is None or not member.is_active:
            return self.none()
        seen = self.visible_to(member)
        return seen if member.is_moderator else seen.filter(author=member)

    def with_files(self) -> "ImageQuerySet":
        """With files and author fetched, for pages."""
        return self.select_related("author", "board").prefetch_related("files")


class Image(models.Model):
    """One picture: an original (uploaded) or a derivative (generated from others)."""

    MOVES: ClassVar[Graph] = graph(
        ImageState.READY,
        [
            (ImageState.READY, ImageState.HIDDEN),
            (ImageState.HIDDEN, ImageState.READY),
            (ImageState.READY, ImageState.WITHDRAWN),
            (ImageState.HIDDEN, ImageState.WITHDRAWN),
        ],
        ends=[ImageState.WITHDRAWN],
    )

    board = models.ForeignKey(Board, models.PROTECT, related_name="images")
    #: The conversation it was first shown in.
    thread = models.ForeignKey("forum.Thread", models.PROTECT, related_name="images")
    #: Empty when the author left and wished no name to stay.
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="images"
    )
    kind = models.CharField(max_length=10, choices=Kind.choices)
    state = models.CharField(max_length=10, choices=ImageState.choices, default=ImageState.READY)
    title = models.CharField(_("title"), max_length=120, blank=True)
    #: What the picture shows, for those who cannot see it.
    alt = models.CharField(_("description"), max_length=1000, blank=True)
    #: BCP 47 tag of title and description, as far as it is known.
    language = models.CharField(max_length=10, blank=True)
    licence = models.CharField(_("licence"), max_length=30, choices=Licence.choices)
    allow_derivatives = models.BooleanField(_("may be answered by derivatives"), default=True)
    origin = models.CharField(
        _("how it was made"), max_length=12, choices=Origin.choices, default=Origin.UNKNOWN
    )
    #: Of the picture as shown, upright.
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    #: Hex SHA-256 of the original file.
    sha256 = models.CharField(max_length=64, db_index=True)
    #: Perceptual hash PDQ; empty while unknown.
    pdq = BitField(length=256, null=True, blank=True)
    pdq_quality = models.PositiveSmallIntegerField(default=0)
    #: Everything needed to make a derivative again; empty for originals.
    recipe = models.JSONField(default=dict, blank=True)
    #: The studio's job behind a derivative. Unique, so a message that comes twice makes one image.
    job = models.BigIntegerField(null=True, blank=True, unique=True)
    #: The uploader's key, so that a form sent twice makes one image.
    key = models.CharField(max_length=64, null=True, blank=True)
    #: Steps from the nearest original; 0 for originals.
    generation = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = ImageQuerySet.as_manager()
    #: Set by `FileQuerySet.bring`.
    brought: "list[File] | None" = None

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["author", "key"], name="one_image_per_author_and_key"),
            models.CheckConstraint(
                name="derivative_has_recipe", condition=Q(kind=Kind.ORIGINAL) | ~Q(recipe={})
            ),
            models.CheckConstraint(name="image_has_size", condition=Q(width__gt=0, height__gt=0)),
        ]
        indexes = [
            models.Index(fields=["author", "-created_at"], name="image_by_author"),
            models.Index(fields=["board", "-created_at"], name="image_by_board"),
        ]

    def __str__(self) -> str:
        return self.title or f"image {self.pk}"

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("image", args=[self.pk])

    @property
    def is_original(self) -> bool:
        """Uploaded, not generated."""
        return self.kind == Kind.ORIGINAL

    @property
    def is_moving(self) -> bool:
        """A short film: its original file moves, all others are stills of its beginning."""
        return bool(self.recipe and self.recipe.get("moving"))

    @property
    def not_for_money(self) -> bool:
        """Whether the licence of the engine that made it forbids commercial use."""
        return bool(self.recipe) and self.recipe.get("commercial") is False

    @property
    def is_shown(self) -> bool:
        """Whether its pixels may be seen by those who see its board."""
        return self.state == ImageState.READY

    @property
    def known_files(self) -> "Iterable[File]":
        """The files that were brought (`FileQuerySet.bring`) or prefetched, else all by a query."""
        return self.files.all() if self.brought is None else self.brought

    def file(self, role: str) -> "File | None":
        """Its file of this role, from the brought or prefetched ones where they are."""
        return next((each for each in self.known_files if each.role == role), None)

    def source_ref(self) -> ImageRef:
        """What an engine edits: our own bytes, never a stranger's. Raises LookupError without files."""
        wanted = FileRole.DISPLAY if self.is_original else FileRole.ORIGINAL
        found = self.file(wanted)
        if found is None:
            raise LookupError(f"Image {self.pk} has no {wanted} file.")
        return ImageRef(sha256=found.sha256, name=found.name, size=(found.width, found.height))


class FileQuerySet(models.QuerySet["File"]):
    def visible_to(self, member: Member | None) -> "FileQuerySet":
        """Files this person may fetch: those of images they see, but an uploaded original, which may
        hold a place or a name, only for its author and for moderators.
        """
        seen = self.filter(image__in=Image.objects.visible_to(member))
        open_to_all = ~Q(role=FileRole.ORIGINAL) | Q(image__kind=Kind.DERIVATIVE)
        if member is None or not member.is_active:
            return seen.filter(open_to_all)
        return seen if member.is_moderator else seen.filter(open_to_all | Q(image__author=member))

    def overseen_by(self, member: Member | None) -> "FileQuerySet":
        """What is shown of hidden images to those who moderate their boards: no uploaded original."""
        seen = self.filter(image__in=Image.objects.overseen_by(member))
        return seen.filter(role__in=[FileRole.DISPLAY, FileRole.THUMB])

    def bring(self, images: "Iterable[Image]") -> None:
        """Give these images their files of this selection, in one query.

        Prefetching with a selection builds a queryset for each image; a page has dozens of them.
        """
        wanted = list(images)
        deal(self.filter(image__in={image.pk for image in wanted}), wanted)


def deal(files: "Iterable[File]", images: "Iterable[Image]") -> None:
    """Give each of these images its own of the files."""
    found: dict[int, list[File]] = {}
    for file in files:
        found.setdefault(file.image_id, []).append(file)
    for image in images:
        image.brought = found.get(image.pk, [])


class File(models.Model):
    """One stored file of an image. Names are random; every byte is served after a permission check."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="files")
    role = models.CharField(max_length=10, choices=FileRole.choices)
    #: Order among several of one role: frames of a strip.
    position = models.PositiveSmallIntegerField(default=0)
    #: Name in the default storage.
    name = models.CharField(max_length=200, unique=True)
    mime = models.CharField(max_length=30)
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()

    objects = FileQuerySet.as_manager()

    class Meta:
        ordering = ["role", "position"]
        constraints = [
            models.UniqueConstraint(fields=["image", "role", "position"], name="one_file_per_role")
        ]

    def __str__(self) -> str:
        return self.name


class Descent(models.Model):
    """An edge of the lineage: `child` was made from `source`."""

    child = models.ForeignKey(Image, models.CASCADE, related_name="sources")
    source = models.ForeignKey(Image, models.PROTECT, related_name="derivatives")
    #: 0 is the image that was answered; further sources follow.
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["child", "source"], name="one_descent_per_pair"),
            models.CheckConstraint(
                name="no_image_from_itself", condition=~Q(child=models.F("source"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source_id} -> {self.child_id}"
