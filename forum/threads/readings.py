"""The readings that stand beside an image, on its page and for whoever follows it live."""

from django.db.models import QuerySet

from forum.images.models import Image
from forum.prepared import prepared
from forum.threads.models import Reading

#: How many readings stand beside a picture.
READINGS = 50


@prepared
def readings_of(pk: int) -> QuerySet[Reading]:
    """Readings of an image, by its id, for those who see it."""
    return Reading.objects.about(Image(pk=pk))[:READINGS]
