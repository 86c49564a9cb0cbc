"""A closed board looks out into more open ones; nothing of it is seen from there."""

import pytest

from forum.boards.models import Board
from forum.images.models import Descent, ImageState
from forum.links.models import Duplicate, Neighbours, SimilarityLink
from forum.links.resonances import duplicates, resonances
from tests.forum.links.conftest import a_direction
from tests.forum.links.test_resonances import HASH, shown


def test_a_private_image_resonates_with_public_ones(plaza, salon, rivers, taken, around, lin):
    public, members = taken(plaza, around(0.9)), taken(salon, around(0.85))
    private = taken(rivers, around(1.0))
    assert shown(private, lin, dial=0) == [public.pk, members.pk]
    [first, _] = resonances(private, lin, dial=0)
    assert first.reason.startswith("each is the other's nearest of 2")
    assert first.link.pk is None


def test_a_members_image_looks_into_public_boards_alone(plaza, salon, rivers, taken, around, lin):
    public, private = taken(plaza, around(0.9)), taken(rivers, around(0.95))
    members = taken(salon, around(1.0))
    assert shown(members, lin) == [public.pk]
    assert private.pk not in shown(members, lin)


def test_never_the_other_way_round(plaza, salon, rivers, taken, around, lin, owner):
    public, members = taken(plaza, around(0.9)), taken(salon, around(0.85))
    private = taken(rivers, around(1.0))
    resonances(private, lin)
    for viewer in (None, lin, owner):
        for image in (public, members):
            assert private.pk not in shown(image, viewer)
    assert not SimilarityLink.objects.exists()
    for row in Neighbours.objects.all():
        assert private.pk not in row.ids and not row.ids


def test_two_private_boards_never_meet(rivers, owner, lin, taken, around):
    other = Board.objects.create(slug="o", title="O", made_by=owner, visibility="private")
    other.memberships.create(member=lin)
    one, two = taken(rivers, around(1.0)), taken(other, around(0.9))
    assert shown(one, lin) == shown(two, lin) == []


def test_it_is_mutual_as_stored_links_are(plaza, rivers, taken, around, lin):
    centre = around(1.0)
    public = taken(plaza, centre)
    for _ in range(SimilarityLink.CREATE_WITHIN):
        taken(plaza, around(0.95))
    private = taken(rivers, around(0.9))
    # Ten public ones are nearer to it, though it is the nearest to the private one.
    assert public.pk not in shown(private, lin, limit=20)


@pytest.mark.parametrize("state", [ImageState.HIDDEN, ImageState.WITHDRAWN])
def test_what_is_not_shown_does_not_resonate(plaza, rivers, taken, around, lin, owner, state):
    public = taken(plaza, around(0.9))
    private = taken(rivers, around(1.0))
    public.state = state
    public.save()
    assert shown(private, lin) == shown(private, owner) == []


def test_faint_kin_is_faint_and_strangers_are_nothing(plaza, rivers, taken, around, lin):
    taken(plaza, around(0.1))
    faint = taken(plaza, around(0.6))
    private = taken(rivers, around(1.0))
    [found] = resonances(private, lin)
    assert (found.image, found.faint) == (faint, True)


def test_lineage_is_no_resonance(plaza, rivers, taken, around, lin):
    public = taken(plaza, around(0.9))
    private = taken(rivers, around(1.0))
    Descent.objects.create(child=private, source=public, position=0)
    assert shown(private, lin) == []


def test_the_own_audience_comes_too_each_thread_once(plaza, rivers, taken, around, lin):
    public = taken(plaza, around(0.9))
    own, private = taken(rivers, around(0.95)), taken(rivers, around(1.0))
    assert shown(private, lin, dial=0) == [own.pk, public.pk]


def test_the_page_offers_no_vote_on_what_is_not_kept(plaza, rivers, taken, around, lin, browse):
    public, private = taken(plaza, around(0.9)), taken(rivers, around(1.0))
    page = browse(lin).get(f"/images/{private.pk}/resonances/").content.decode()
    assert public.title in page and "nothing about it is kept" in page
    assert "Not alike" not in page and "confirm/" not in page


def test_the_same_picture_in_a_public_board_is_named(plaza, rivers, taken, around, lin):
    public = taken(plaza, around(0.9), pdq=HASH, pdq_quality=90)
    private = taken(rivers, a_direction(), pdq=HASH, pdq_quality=90)
    assert duplicates(private, lin) == [public]
    assert duplicates(public, lin) == []
    assert not Duplicate.objects.exists()


def test_a_public_image_asks_nothing_more(plaza, taken, around, django_assert_num_queries):
    first = taken(plaza, around(1.0))
    taken(plaza, around(0.9))
    with django_assert_num_queries(4):
        resonances(first, None)
