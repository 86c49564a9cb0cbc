"""What this room does when an image is withdrawn, or goes out of sight and comes back."""

from django.db.models import Q

from forum.images import events
from forum.images.models import Image
from forum.links.models import Duplicate, EmbeddingWf1, Neighbours, SimilarityLink


def forget(image: Image) -> None:
    """Nothing that was drawn from a withdrawn picture stays: no vector, no list, no link."""
    EmbeddingWf1.objects.filter(image=image).delete()
    Neighbours.objects.filter(image=image).delete()
    for pairs in (SimilarityLink, Duplicate):
        pairs._default_manager.filter(Q(lower=image) | Q(higher=image)).delete()


def follow(image: Image) -> None:
    """A hidden picture is found by no search; one that is shown again is found again."""
    EmbeddingWf1.objects.filter(image=image).update(hidden=not image.is_shown)


events.on_withdrawn.append(forget)
events.on_hidden.append(follow)
