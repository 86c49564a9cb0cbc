"""Readings: text about an image."""

from django.db import transaction

from forum.announce import announce
from forum.images.models import Image
from forum.members.models import Member
from forum.threads.actions.gates import answerable, at_the_desk
from forum.threads.actions.refusals import NotAllowed
from forum.threads.languages import guess
from forum.threads.models import Reading
from forum.threads.sentences import sentence


@transaction.atomic
def read(*, member: Member, image: Image, text: str) -> Reading:
    """Write down what somebody sees in an image. The same words of the same member are said once.

    Raises NotAllowed.
    """
    member = at_the_desk(member)
    image = answerable(member, image)
    reading, made = Reading.objects.get_or_create(
        image=image, author=member, text=text, defaults={"language": guess(text)}
    )
    if made:
        announce(image.thread.topic, "reading", id=reading.pk)
    return reading


@transaction.atomic
def take_back(*, reading: Reading, by: Member) -> None:
    """Delete a reading. Raises NotAllowed for others than its author and moderators."""
    found = Reading.objects.editable_by(by).select_related("image__thread").filter(pk=reading.pk)
    own = found.first()
    if own is None:
        raise NotAllowed(sentence("not_yours"), "not_yours")
    announce(own.image.thread.topic, "reading", id=own.pk)
    own.delete()
