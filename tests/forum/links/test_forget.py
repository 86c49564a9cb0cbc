"""Images that are withdrawn or hidden leave nothing that a search finds."""

import pytest

from forum.images.actions import hide, show, withdraw
from forum.links.models import EmbeddingWf1, Neighbours, SimilarityLink
from tests.forum.links.conftest import a_direction, at_cosine

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(taken, plaza, lin):
    """Two images in different threads that are linked."""
    first = a_direction()
    return taken(plaza, first, author=lin), taken(plaza, at_cosine(first, 0.95), author=lin)


def test_a_withdrawn_image_is_forgotten(pair, lin):
    assert SimilarityLink.objects.exists()
    withdraw(image=pair[0], by=lin)
    assert not EmbeddingWf1.objects.filter(image=pair[0]).exists()
    assert not Neighbours.objects.filter(image=pair[0]).exists()
    assert not SimilarityLink.objects.exists()
    assert EmbeddingWf1.objects.filter(image=pair[1]).exists()


def test_a_hidden_image_is_not_found_until_it_is_shown(pair, moderator):
    hide(image=pair[0], by=moderator, reason="Not here.")
    assert EmbeddingWf1.objects.get(image=pair[0]).hidden
    show(image=pair[0], by=moderator)
    assert not EmbeddingWf1.objects.get(image=pair[0]).hidden
