"""Looks: thumbnails of one image as the darkroom would make it, in one sheet."""

from datetime import timedelta
from urllib.parse import urlencode

from django.db import models
from django.urls import reverse
from django.utils import timezone

from forum.images.models import File, Image
from forum.members.models import Member

#: How long after a failure it is tried again, when somebody looks.
AGAIN_AFTER = timedelta(hours=1)


class LooksQuerySet(models.QuerySet["Looks"]):
    def visible_to(self, member: Member | None) -> "LooksQuerySet":
        """Sheets of images this person may look at."""
        return self.filter(image__in=Image.objects.visible_to(member)).exclude(name="")


class Looks(models.Model):
    """The sheet of one image, made on first demand and kept until the darkroom changes."""

    image = models.OneToOneField(Image, models.CASCADE, primary_key=True, related_name="looks")
    #: What `queue.looks_version()` was when the sheet was asked for, and when it was made.
    asked = models.CharField(max_length=16, blank=True)
    made = models.CharField(max_length=16, blank=True)
    asked_at = models.DateTimeField(auto_now=True)
    #: The studio's job; empty once the sheet is there or has failed.
    job = models.BigIntegerField(null=True, blank=True, unique=True)
    #: Names of the looks in the sheet, from left to right.
    names = models.JSONField(default=list)
    #: The file in the default storage: squares side by side. Empty before the first.
    name = models.CharField(max_length=200, blank=True, db_index=True)
    mime = models.CharField(max_length=30, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    objects = LooksQuerySet.as_manager()

    def __str__(self) -> str:
        return f"looks of image {self.image_id}"

    def is_due(self, version: str) -> bool:
        """Whether a sheet should be asked for: another darkroom, or a failure some time ago."""
        if self.asked != version:
            return True
        failed = self.made != version and self.job is None
        return failed and self.asked_at < timezone.now() - AGAIN_AFTER

    @property
    def url(self) -> str:
        """Where the sheet is; another address for another sheet."""
        return f"{reverse('looks-sheet', args=[self.image_id])}?{urlencode({'v': self.made})}"

    def place_of(self, look: str) -> int | None:
        """Left edge of a look in the sheet, in pixels; None where it is not in it."""
        return self.names.index(look) * self.height if look in self.names else None

    def as_file(self) -> File:
        """The sheet as `serving.send` takes it; no row."""
        return File(
            image=self.image,
            role="looks",
            name=self.name,
            mime=self.mime,
            bytes=self.bytes,
            sha256=self.sha256,
            width=self.width,
            height=self.height,
        )
