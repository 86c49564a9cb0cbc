"""Bundle or web: the measure, and what is shown of it."""

import pytest

from forum.measures.centralization import LEAST, draw, shape
from tests.conftest import a_member
from tests.factories import a_thread, an_upload_reply


def a_star(n: int):
    """Everybody answers the first."""
    return shape(range(n), [(each, 0, 1) for each in range(1, n)])


def a_ring(n: int):
    """Everybody answers the next."""
    return shape(range(n), [(each, (each + 1) % n, 1) for each in range(n)])


@pytest.mark.parametrize("n", [3, 9, 40])
def test_a_star_is_a_bundle_and_all_alike_is_a_web(n):
    assert a_star(n).centralization == pytest.approx(1) and a_star(n).percent == 0
    everybody = shape(range(n), [(a, b, 1) for a in range(n) for b in range(a)])
    assert everybody.centralization == 0 and everybody.percent == 100
    assert (a_star(n).verdict, everybody.verdict) == ("bundle", "web")


def test_a_ring_is_even():
    assert a_ring(12).centralization == 0


def test_by_hand():
    # A path a-b-c-d: degrees 1, 2, 2, 1, so (1 + 0 + 0 + 1) / (3 * 2).
    found = shape(range(4), [(0, 1, 5), (1, 2, 1), (3, 2, 2), (2, 3, 1), (1, 1, 9)])
    assert found.centralization == pytest.approx(1 / 3) and found.percent == 67
    assert found.verdict == "web"


def test_those_whom_nobody_answered_count():
    answers = [(0, 1, 1), (1, 0, 1)]
    assert shape(range(2), answers).people == {0, 1}
    assert shape(range(4), answers).centralization == pytest.approx(2 / 6)


def test_share_of_three_counts_answers_and_not_ones_own():
    found = shape([], [(1, 0, 6), (2, 0, 2), (0, 3, 1), (0, 4, 1), (5, 5, 90), (0, 6, 2)])
    assert found.to_three == round(100 * (8 + 2 + 1) / 12)


def test_few_people_are_too_few():
    assert not a_star(LEAST - 1).is_enough and a_star(LEAST).is_enough
    assert not shape(range(20), []).is_enough
    with pytest.raises(ValueError, match="Three people"):
        _ = shape([1, 2], []).centralization


def test_a_drawing_holds_everybody_and_has_an_end():
    drawing = draw(a_star(10))
    assert drawing is not None and (len(drawing.dots), len(drawing.lines)) == (10, 9)
    assert all(0 <= each <= 100 for dot in drawing.dots for each in dot)
    assert draw(a_star(200)) is None


# --- pages --------------------------------------------------------------------------------------


@pytest.fixture
def crowd(plaza, lin):
    """A thread of Lin's whom nine others answered; two of these answered each other."""
    thread = a_thread(plaza, lin)
    others = [a_member() for _ in range(9)]
    replies = [an_upload_reply(thread.first_image, each) for each in others]
    an_upload_reply(replies[0].image, others[1])
    return thread


@pytest.mark.django_db
def test_the_gauge_says_what_was_measured(crowd, browse):
    place = f"/threads/{crowd.pk}/web/"
    piece = browse().get(place, headers={"HX-Request": "true"}).content.decode()
    # Ten people; degrees 9, 2, 2 and seven times 1: (7 + 7 + 7 * 8) / 72.
    percent = round(100 * (1 - 70 / 72))
    assert f'aria-label="{percent} of 100 from bundle to web"' in piece
    assert f'x="{percent}%"' in piece and "A bundle" in piece and "100 %" in piece
    assert f"2 of {crowd.image_count} images answered" in piece
    assert "<html" not in piece and "style=" not in piece


@pytest.mark.django_db
def test_the_page_explains_it_with_drawing_and_images(crowd, browse):
    page = browse().get(f"/threads/{crowd.pk}/web/").content.decode()
    assert "Freeman" in page and page.count("<circle") == 10 and page.count("<line") == 10
    assert "10 people, 10 pairs" in page and f'href="/images/{crowd.first_image_id}/"' in page


@pytest.mark.django_db
def test_too_few_to_say(plaza, lin, ada, browse):
    thread = a_thread(plaza, lin)
    an_upload_reply(thread.first_image, ada)
    piece = browse().get(f"/threads/{thread.pk}/web/", headers={"HX-Request": "true"})
    assert "too few to say" in piece.content.decode() and "<svg" not in piece.content.decode()


@pytest.mark.django_db
def test_a_thread_whose_people_left_says_nothing(crowd, browse):
    crowd.images.update(author=None)
    crowd.replies.update(author=None)
    page = browse().get(f"/threads/{crowd.pk}/web/")
    assert page.status_code == 200 and "too few to say" in page.content.decode()


@pytest.mark.django_db
def test_private_threads_stay_private(rivers, lin, wen, browse):
    thread = a_thread(rivers, lin)
    place = f"/threads/{thread.pk}/web/"
    assert [browse(who).get(place).status_code for who in (None, wen, lin)] == [404, 404, 200]


@pytest.mark.django_db
def test_the_image_page_asks_for_it_later(crowd, browse, django_assert_max_num_queries):
    client = browse()
    client.get(f"/images/{crowd.first_image_id}/")
    with django_assert_max_num_queries(12):
        page = client.get(f"/images/{crowd.first_image_id}/").content.decode()
    assert f'hx-get="/threads/{crowd.pk}/web/"' in page and "Bundle or web?" in page
    with django_assert_max_num_queries(6):
        client.get(f"/threads/{crowd.pk}/web/", headers={"HX-Request": "true"})
