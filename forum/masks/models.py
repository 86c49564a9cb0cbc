"""Masks: where an image may change in an answer."""

from django.conf import settings
from django.db import models
from django.db.models import Count, F, Q
from django.urls import reverse

from forum.images.models import File, Image
from forum.members.models import Member
from generation.requests import ImageRef


class MaskQuerySet(models.QuerySet["Mask"]):
    def visible_to(self, member: Member | None) -> "MaskQuerySet":
        """Masks of visible images: one's own, and those of replies this person may see.

        A reply is seen where its thread is, and that is where the image it answers stands.
        """
        answered = Q(replies__isnull=False, replies__image__isnull=True)
        shown = Q(replies__image__in=Image.objects.visible_to(member))
        mine = Q() if member is None else Q(author=member)
        found = self.filter(answered | shown | mine) if mine else self.filter(answered | shown)
        return found.filter(image__in=Image.objects.visible_to(member)).distinct()

    def usable_by(self, member: Member, image: Image) -> "MaskQuerySet":
        """Masks with which this member may answer this image: their own."""
        return self.filter(author=member, image=image)

    def behind(self, image: Image) -> "MaskQuerySet":
        """The mask that a derivative was made with."""
        return self.filter(replies__image=image, replies__job=image.job).distinct()

    def unused(self) -> "MaskQuerySet":
        """Masks that no reply was sent with."""
        return self.filter(replies__isnull=True)

    def left_behind(self) -> "MaskQuerySet":
        """Masks all of whose replies became images that were withdrawn."""
        gone = Count("replies", filter=Q(replies__image__state="withdrawn"))
        return self.annotate(total=Count("replies"), gone=gone).filter(total__gt=0, total=F("gone"))


class Mask(models.Model):
    """A grey picture: white where the image may change, black where it stays, grey between."""

    #: The image it was painted on.
    image = models.ForeignKey(Image, models.CASCADE, related_name="masks")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="masks"
    )
    #: Width of its soft edge as a share of the longer side; it is in the pixels already.
    feather = models.FloatField(default=0)
    #: How much of the image may change, 0 to 1.
    share = models.FloatField()
    #: The file in the default storage: PNG in L mode, of the image's shape.
    name = models.CharField(max_length=200, unique=True)
    mime = models.CharField(max_length=30, default="image/png")
    bytes = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = MaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["author", "image", "sha256"], name="one_mask_of_a_kind_per_author"
            )
        ]

    def __str__(self) -> str:
        return f"mask {self.pk} of image {self.image_id}"

    def get_absolute_url(self) -> str:
        """Where its picture is."""
        return reverse("mask", args=[self.pk])

    def ref(self) -> ImageRef:
        """What an engine is given: `EditRequest.mask`."""
        return ImageRef(sha256=self.sha256, name=self.name, size=(self.width, self.height))

    def as_file(self) -> File:
        """Its picture as `serving.send` takes it; no row."""
        return File(
            image=self.image,
            role="mask",
            name=self.name,
            mime=self.mime,
            bytes=self.bytes,
            sha256=self.sha256,
            width=self.width,
            height=self.height,
        )
