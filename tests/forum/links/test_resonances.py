"""Resonances as people see them: which, in what order, why, and for whom."""

import numpy as np
import pytest
from django.utils import translation

from forum.boards.models import Board, Membership, Visibility
from forum.images.models import ImageState
from forum.links.actions import confirm, take_in
from forum.links.models import LinkState, SimilarityLink, ends
from forum.links.resonances import resonances, said_before
from forum.links.traits import PARTS, traits
from generation.results import Vector
from tests.forum.links.conftest import a_direction, an_image, at_cosine

HASH = "13746c4913f764415bf7a4494bf1b04d6db0514faeb0456faa91b52fa54952b6"


def shown(image, viewer=None, **more) -> list[int]:
    return [each.image.pk for each in resonances(image, viewer, **more)]


def test_the_nearest_first_and_at_most_five(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    others = [taken(plaza, around(cosine)) for cosine in (0.82, 0.9, 0.84, 0.86, 0.88, 0.8)]
    by_cosine = [others[at].pk for at in (1, 4, 3, 2, 0)]
    assert shown(first, dial=0) == by_cosine
    assert len(shown(first)) == 5
    assert len(shown(first, limit=2)) == 2


def test_both_ends_show_it(plaza, taken, around) -> None:
    first, second = taken(plaza, around(1.0)), taken(plaza, around(0.9))
    assert shown(first) == [second.pk]
    assert shown(second) == [first.pk]


def test_one_per_thread(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    weaker = taken(plaza, around(0.85))
    better = taken(plaza, around(0.9), thread=weaker.thread)
    assert SimilarityLink.objects.of(first).count() == 2
    assert shown(first) == [better.pk]


def test_confirmed_then_strong_then_faint(plaza, taken, around, lin) -> None:
    first = taken(plaza, around(1.0))
    faint, strong, named = (taken(plaza, around(cosine)) for cosine in (0.6, 0.9, 0.55))
    confirm(link=SimilarityLink.objects.get(lower=first, higher=named), member=lin)
    assert shown(first) == [named.pk, strong.pk, faint.pk]
    assert [each.faint for each in resonances(first, None)] == [False, False, True]


def test_the_dial_turns_from_echo_to_counterpoint(plaza, taken) -> None:
    centre = a_direction()
    first = taken(plaza, centre)
    nearest = at_cosine(centre, 0.95)
    echo, twin = taken(plaza, nearest), taken(plaza, at_cosine(nearest, 0.98))
    other = taken(plaza, at_cosine(centre, 0.82))
    assert shown(first, dial=0) == [echo.pk, twin.pk, other.pk]
    assert shown(first, dial=90)[1] == other.pk


@pytest.mark.parametrize("state", [ImageState.HIDDEN, ImageState.WITHDRAWN])
def test_hidden_images_never_resonate(plaza, taken, around, owner, state) -> None:
    first, second = taken(plaza, around(1.0)), taken(plaza, around(0.9))
    second.state = state
    second.save()
    assert shown(first) == shown(first, owner) == []


def test_private_resonances_are_for_those_who_belong(rivers, taken, around, lin, wen) -> None:
    first, second = taken(rivers, around(1.0)), taken(rivers, around(0.9))
    assert shown(first, lin) == [second.pk]
    assert shown(first, wen) == shown(first, None) == []


def test_a_link_into_a_board_that_closed_is_cut(plaza, owner, taken, around, lin) -> None:
    board = Board.objects.create(slug="b", title="B", made_by=owner)
    first, second = taken(plaza, around(1.0)), taken(board, around(0.9))
    assert shown(first) == [second.pk]
    board.visibility = Visibility.PRIVATE
    board.save()
    Membership.objects.create(board=board, member=lin)
    assert shown(first, lin) == []
    assert not SimilarityLink.objects.exists()


def test_even_a_mixed_link_shows_only_to_those_who_see_both(
    plaza, rivers, taken, around, lin, wen
) -> None:
    """The trigger and relink keep links apart; the query does not rely on them."""
    first, second = taken(plaza, around(1.0)), taken(rivers, around(0.9))
    SimilarityLink.objects.create(
        **ends(first.pk, second.pk),
        model="wf1",
        state=LinkState.CONFIRMED,
        cosine=0.9,
        percentile=1,
        rank_of_higher=1,
        rank_of_lower=1,
        among=2,
    )
    assert shown(first, lin) == [second.pk]
    assert shown(first, wen) == shown(first) == []


def test_how_many_queries(plaza, taken, around, django_assert_num_queries) -> None:
    first = taken(plaza, around(1.0))
    for cosine in (0.8, 0.85, 0.9):
        taken(plaza, around(cosine))
    # Links with both ends, their files twice, the vectors.
    with django_assert_num_queries(4):
        for each in resonances(first, None):
            assert each.image.thread.title == ""
            assert list(each.image.files.all()) == []


def test_the_reason_in_words(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    taken(plaza, around(0.9))
    [found] = resonances(first, None)
    assert found.reason.startswith("each is the other's nearest of 2; alike in ")
    found.link.rank_of_higher, found.link.among = 10, 41233
    found.link.traits = "light texture"
    assert found.reason == (
        "each is among the other's 10 nearest of 41,233; alike in light and texture"
    )
    assert found.why == "light, texture"
    found.link.name = "both wait"
    assert found.why == "both wait"


def test_reasons_follow_the_readers_language(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    taken(plaza, around(0.9))
    [found] = resonances(first, None)
    english = found.reason
    with translation.override("zh-hans"):
        assert isinstance(found.reason, str)
    assert found.reason == english


@pytest.mark.parametrize(("at", "word"), list(enumerate(part[0] for part in PARTS)))
def test_traits_name_the_part_that_agrees(at, word) -> None:
    a, b = (np.random.default_rng(seed).normal(size=475).astype(np.float32) for seed in (1, 2))
    start = sum(part[1] for part in PARTS[:at])
    place = slice(start, start + PARTS[at][1])
    b[place] = a[place]
    assert traits(a, b).split()[0] == word


def test_traits_of_nothing_do_not_fail() -> None:
    nothing = np.zeros(475, np.float32)
    assert traits(nothing, nothing)


# --- said before -----------------------------------------------------------------------------


def test_the_same_picture_was_said_before(plaza, taken, around) -> None:
    image = taken(plaza, around(1.0), pdq=HASH, pdq_quality=90)
    assert [(each.image, each.same) for each in said_before(None, pdq=HASH, pdq_quality=90)] == [
        (image, True)
    ]
    assert said_before(None, pdq=HASH, pdq_quality=40) == []


def test_a_near_picture_was_nearly_said_before(plaza, taken, around) -> None:
    image = taken(plaza, around(1.0))
    [said] = said_before(None, vector=list(around(0.97)))
    assert (said.image, said.same) == (image, False)
    assert said_before(None, vector=list(around(0.8))) == []


def test_what_was_said_in_private_stays_private(rivers, taken, around, wen, lin) -> None:
    taken(rivers, around(1.0), pdq=HASH, pdq_quality=90)
    vector = list(around(0.99))
    assert said_before(wen, pdq=HASH, pdq_quality=90, vector=vector) == []
    assert len(said_before(lin, pdq=HASH, pdq_quality=90, vector=vector)) == 1


# --- pages -----------------------------------------------------------------------------------


def test_the_page_without_scripts(plaza, taken, around, browse) -> None:
    first, second = taken(plaza, around(1.0)), taken(plaza, around(0.9))
    page = browse().get(f"/images/{first.pk}/resonances/").content.decode()
    assert "<html" in page
    assert second.title in page
    assert second.get_absolute_url() in page
    assert "each is the other" in page
    assert " style=" not in page


def test_the_fragment_and_its_dial(plaza, taken, around, browse) -> None:
    first, second = taken(plaza, around(1.0)), taken(plaza, around(0.6))
    path = f"/images/{first.pk}/resonances/"
    page = browse().get(path, {"dial": "70"}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in page
    assert second.title in page
    assert "1 faint resonance" in page
    assert 'value="70"' in page


@pytest.mark.parametrize("dial", ["", "x", "-1", "1e9", "101"])
def test_a_dial_of_nonsense_counts_as_the_usual(plaza, taken, around, browse, dial) -> None:
    first, _ = taken(plaza, around(1.0)), taken(plaza, around(0.9))
    answer = browse().get(f"/images/{first.pk}/resonances/", {"dial": dial})
    assert answer.status_code == 200
    assert 'value="30"' in answer.content.decode()


def test_empty_and_looking(plaza, taken, browse) -> None:
    alone, unseen = taken(plaza, a_direction()), an_image(plaza)
    path = "/images/{}/resonances/"
    assert "improbable" in browse().get(path.format(alone.pk)).content.decode()
    assert "Looking for resonances" in browse().get(path.format(unseen.pk)).content.decode()


def test_duplicates_are_named_to_those_who_see_them(plaza, taken, around, browse) -> None:
    first = taken(plaza, around(1.0), pdq=HASH, pdq_quality=90)
    again = an_image(plaza)
    numbers = tuple(float(each) for each in around(0.99))
    take_in(image=again, vectors=[Vector("wf1", numbers)], pdq=HASH, pdq_quality=90)
    page = browse().get(f"/images/{again.pk}/resonances/").content.decode()
    assert "This has been said" in page
    assert first.title in page
    first.state = ImageState.HIDDEN
    first.save()
    page = browse().get(f"/images/{again.pk}/resonances/").content.decode()
    assert "This has been said" not in page


def test_private_images_have_no_page(rivers, taken, browse, wen, lin) -> None:
    image = taken(rivers, a_direction())
    path = f"/images/{image.pk}/resonances/"
    assert browse(wen).get(path).status_code == browse().get(path).status_code == 404
    assert browse(lin).get(path).status_code == 200
