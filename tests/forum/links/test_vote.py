"""What people say of links: confirming, naming, contesting, rejecting."""

import pytest

from forum.links.actions import confirm, contest
from forum.links.models import LinkState, LinkVote, SimilarityLink
from forum.links.resonances import resonances
from tests.conftest import a_member


@pytest.fixture
def pair(plaza, taken, around):
    """Two images that are strongly linked."""
    return taken(plaza, around(1.0)), taken(plaza, around(0.9))


@pytest.fixture
def link(pair) -> SimilarityLink:
    return SimilarityLink.objects.get()


def test_confirming_pins_a_link(link, lin) -> None:
    assert link.state == LinkState.STRONG
    assert confirm(link=link, member=lin).state == LinkState.CONFIRMED


def test_naming_says_why_and_who(link, lin) -> None:
    confirm(link=link, member=lin, name="both wait")
    link.refresh_from_db()
    assert (link.name, link.named_by) == ("both wait", lin)


def test_confirming_twice_is_one_vote(link, lin) -> None:
    for _ in range(2):
        confirm(link=link, member=lin)
    assert LinkVote.objects.count() == 1


def test_contesting_hides_it_for_that_member_alone(pair, link, lin, ada) -> None:
    first, _ = pair
    contest(link=link, member=lin)
    assert resonances(first, lin) == []
    assert len(resonances(first, ada)) == 1
    assert len(resonances(first, None)) == 1


def test_three_net_contests_reject_it_for_all(pair, link, lin) -> None:
    first, _ = pair
    confirm(link=link, member=lin)
    for _ in range(3):
        assert contest(link=link, member=a_member()).state == LinkState.CONFIRMED
    assert contest(link=link, member=a_member()).state == LinkState.REJECTED
    assert resonances(first, None) == []


def test_a_moderators_word_rejects_it_at_once(link, moderator) -> None:
    assert contest(link=link, member=moderator).state == LinkState.REJECTED


def test_a_change_of_mind_counts_once(link, lin) -> None:
    confirm(link=link, member=lin)
    assert contest(link=link, member=lin).state == LinkState.STRONG
    assert LinkVote.objects.get().agrees is False


def test_a_rejected_link_keeps_no_new_name(link, lin, moderator) -> None:
    contest(link=link, member=moderator)
    confirm(link=link, member=lin, name="no")
    link.refresh_from_db()
    assert (link.state, link.name) == (LinkState.REJECTED, "")


# --- through the pages ------------------------------------------------------------------------

HTMX = {"HX-Request": "true"}


def test_a_member_confirms_and_names_by_form(pair, link, browse, ada) -> None:
    first, _ = pair
    path = f"/images/{first.pk}/resonances/{link.pk}/confirm/"
    answer = browse(ada).post(path, {"name": "night", "dial": "80"}, headers=HTMX)
    assert answer.status_code == 200
    assert "related because night" in answer.content.decode()
    assert 'value="80"' in answer.content.decode()
    link.refresh_from_db()
    assert link.state == LinkState.CONFIRMED


def test_a_member_contests_by_form(pair, link, browse, wen) -> None:
    first, second = pair
    path = f"/images/{first.pk}/resonances/{link.pk}/contest/"
    page = browse(wen).post(path, headers=HTMX).content.decode()
    assert second.title not in page


def test_too_long_a_reason_is_said_and_nothing_is_kept(pair, link, browse, wen) -> None:
    path = f"/images/{pair[0].pk}/resonances/{link.pk}/confirm/"
    answer = browse(wen).post(path, {"name": "x" * 121}, headers=HTMX)
    assert answer.status_code == 422
    assert "120" in answer.content.decode()
    assert not LinkVote.objects.exists()


@pytest.mark.parametrize("verb", ["confirm", "contest"])
def test_visitors_sign_in_first(pair, link, browse, verb) -> None:
    path = f"/images/{pair[0].pk}/resonances/{link.pk}/{verb}/"
    answer = browse().post(path)
    assert answer.status_code == 302
    assert "login" in answer.url or "sign" in answer.url
    assert not LinkVote.objects.exists()


@pytest.mark.parametrize("verb", ["confirm", "contest"])
def test_nobody_votes_on_what_they_cannot_see(rivers, taken, around, browse, wen, verb) -> None:
    first, _ = taken(rivers, around(1.0)), taken(rivers, around(0.9))
    link = SimilarityLink.objects.get()
    answer = browse(wen).post(f"/images/{first.pk}/resonances/{link.pk}/{verb}/")
    assert answer.status_code == 404
    assert not LinkVote.objects.exists()


@pytest.mark.parametrize("verb", ["confirm", "contest"])
def test_votes_are_posted(pair, link, browse, wen, verb) -> None:
    answer = browse(wen).get(f"/images/{pair[0].pk}/resonances/{link.pk}/{verb}/")
    assert answer.status_code == 405
