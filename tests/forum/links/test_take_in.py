"""Taking an image in: vector, duplicates, neighbours, and the links that come and go."""

import json

import numpy as np
import psycopg
import pytest
from django.db import connection

from forum.boards.models import Board, Visibility
from forum.images.models import Descent, Image, ImageState
from forum.links.actions import take_in
from forum.links.audit import check
from forum.links.models import Duplicate, EmbeddingWf1, LinkState, Neighbours, SimilarityLink
from forum.threads.models import Reply, ReplyKind, ReplyState
from generation.results import Vector
from tests.forum.links.conftest import a_direction, an_image, at_cosine

HASH = "13746c4913f764415bf7a4494bf1b04d6db0514faeb0456faa91b52fa54952b6"
#: Three bits away from HASH, and its opposite.
NEARLY = "13746c4913f764415bf7a4494bf1b04d6db0514faeb0456faa91b52fa54952b1"
OPPOSITE = f"{int(HASH, 16) ^ (2**256 - 1):064x}"


def links_of(image: Image) -> list[SimilarityLink]:
    return list(SimilarityLink.objects.of(image))


def list_of(image: Image) -> Neighbours:
    return Neighbours.objects.get(image=image, model="wf1")


def test_the_vector_is_kept_beside_what_filters_it(rivers, taken) -> None:
    vector = a_direction()
    image = taken(rivers, vector)
    kept = EmbeddingWf1.objects.get(pk=image.pk)
    assert (kept.thread_id, kept.board_id, kept.hidden) == (image.thread_id, rivers.pk, False)
    np.testing.assert_allclose(kept.vector, vector, atol=1e-3)


def test_the_hash_is_kept_with_the_image(plaza, taken) -> None:
    image = taken(plaza, a_direction(), pdq=HASH, pdq_quality=90)
    image.refresh_from_db()
    assert int(str(image.pdq), 2) == int(HASH, 16)
    assert image.pdq_quality == 90


def test_each_enters_the_others_list(plaza, taken, around) -> None:
    first, second = taken(plaza, around(1.0)), taken(plaza, around(0.9))
    assert list_of(first).ids == [second.pk]
    assert list_of(second).ids == [first.pk]
    assert list_of(first).cosines == pytest.approx([0.9], abs=2e-3)


def test_what_is_mutual_becomes_a_link_with_both_ranks(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    taken(plaza, around(0.95))
    second = taken(plaza, around(0.9))
    [link] = SimilarityLink.objects.filter(lower=first, higher=second)
    assert (link.rank_of_higher, link.among) == (2, 3)
    assert link.rank_of_lower in {1, 2}
    assert link.cosine == pytest.approx(0.9, abs=2e-3)
    assert link.state == LinkState.STRONG
    assert link.traits


def test_weak_kin_is_faint_and_strangers_are_not_linked(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    faint = taken(plaza, around(0.6))
    taken(plaza, around(0.1))
    assert [(link.higher_id, link.state) for link in links_of(first)] == [
        (faint.pk, LinkState.FAINT)
    ]


def test_the_own_thread_is_left_out(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    sibling = taken(plaza, around(0.95), thread=first.thread)
    assert list_of(sibling).ids == []
    assert links_of(sibling) == []


def test_threads_that_share_lineage_are_left_out(plaza, taken, around) -> None:
    parent = taken(plaza, around(1.0))
    child = an_image(plaza)
    Descent.objects.create(child=child, source=parent)
    numbers = tuple(float(each) for each in around(0.95))
    assert take_in(image=child, vectors=[Vector("wf1", numbers)]) == []
    assert list_of(child).ids == []


def test_a_reply_that_points_into_another_thread_relates_the_two(plaza, lin, taken, around) -> None:
    shown, asked = taken(plaza, around(1.0)), taken(plaza, around(-0.9))
    Reply.objects.create(
        thread=asked.thread,
        to=asked,
        author=lin,
        kind=ReplyKind.LINK,
        image=shown,
        state=ReplyState.DONE,
        key="k",
        content="c",
    )
    later = taken(plaza, around(0.95), thread=asked.thread)
    assert list_of(later).ids == []


@pytest.mark.parametrize("visibility", [Visibility.PRIVATE, Visibility.MEMBERS])
def test_audiences_never_mix(plaza, owner, taken, around, visibility) -> None:
    closed = Board.objects.create(slug="c", title="C", made_by=owner, visibility=visibility)
    public, private = taken(plaza, around(1.0)), taken(closed, around(0.95))
    assert list_of(public).ids == list_of(private).ids == []
    assert SimilarityLink.objects.count() == 0


def test_two_private_boards_never_mix(rivers, owner, taken, around) -> None:
    other = Board.objects.create(slug="o", title="O", visibility=Visibility.PRIVATE)
    first, _ = taken(rivers, around(1.0)), taken(other, around(0.95))
    assert list_of(first).ids == []
    taken(rivers, around(0.9))
    [link] = links_of(first)
    # "Of 2": the other board's image is not even counted.
    assert link.among == 2


def test_the_same_picture_is_a_duplicate_and_no_resonance(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0), pdq=HASH, pdq_quality=90)
    again = taken(plaza, around(0.99), pdq=NEARLY, pdq_quality=80)
    [pair] = Duplicate.objects.all()
    assert (pair.lower_id, pair.higher_id, pair.distance) == (first.pk, again.pk, 3)
    assert links_of(first) == []


@pytest.mark.parametrize(("pdq", "quality"), [(OPPOSITE, 90), (NEARLY, 49)])
def test_other_and_untrusted_hashes_are_no_duplicates(plaza, taken, around, pdq, quality) -> None:
    first = taken(plaza, around(1.0), pdq=HASH, pdq_quality=90)
    taken(plaza, around(0.99), pdq=pdq, pdq_quality=quality)
    assert not Duplicate.objects.exists()
    assert len(links_of(first)) == 1


def test_blank_pictures_have_a_vector_and_no_links(plaza, taken, around) -> None:
    taken(plaza, around(1.0))
    blank = taken(plaza, around(0.99), pdq="0" * 64, pdq_quality=0)
    later = taken(plaza, around(0.98))
    assert EmbeddingWf1.objects.filter(pk=blank.pk).exists()
    assert links_of(blank) == []
    assert blank.pk not in list_of(later).ids


def test_hidden_images_take_no_part(plaza, taken, around) -> None:
    taken(plaza, around(1.0))
    hidden = taken(plaza, around(0.95), state=ImageState.HIDDEN)
    assert links_of(hidden) == []
    assert EmbeddingWf1.objects.get(pk=hidden.pk).hidden


def test_twice_is_once(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0), pdq=HASH, pdq_quality=90)
    numbers = tuple(float(each) for each in around(0.9))
    second = an_image(plaza)
    for _ in range(2):
        take_in(image=second, vectors=[Vector("wf1", numbers)], pdq=OPPOSITE, pdq_quality=80)
    assert list_of(first).ids == [second.pk]
    assert len(links_of(second)) == 1


def test_a_list_keeps_the_best_of_a_thread_and_at_most_sixty(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    weaker = taken(plaza, around(0.5))
    better = taken(plaza, around(0.8), thread=weaker.thread)
    taken(plaza, around(0.6), thread=weaker.thread)
    assert list_of(first).ids == [better.pk]
    for cosine in np.linspace(0.2, 0.45, Neighbours.MOST + 3):
        taken(plaza, around(cosine))
    listed = list_of(first)
    assert len(listed.ids) == len(listed.threads) == len(listed.cosines) == Neighbours.MOST
    assert listed.cosines == sorted(listed.cosines, reverse=True)
    assert listed.ids[0] == better.pk


def test_links_retire_beyond_the_twentieth_place_unless_confirmed(plaza, taken) -> None:
    centre = a_direction()
    first, loose, kept = (taken(plaza, at_cosine(centre, c)) for c in (1.0, 0.6, 0.61))
    SimilarityLink.objects.filter(higher=kept).update(state=LinkState.CONFIRMED)
    assert {link.higher_id for link in links_of(first)} == {loose.pk, kept.pk}
    for _ in range(18):
        taken(plaza, at_cosine(centre, 0.7))
    assert loose.pk in {link.higher_id for link in links_of(first)}, "still the twentieth"
    taken(plaza, at_cosine(centre, 0.7))
    assert loose.pk not in {link.higher_id for link in links_of(first)}
    assert kept.pk in {link.higher_id for link in links_of(first)}


def test_nothing_is_linked_in_more_than_ten_places_at_creation(plaza, taken) -> None:
    centre = a_direction()
    for cosine in np.linspace(0.95, 0.6, 14):
        taken(plaza, at_cosine(centre, cosine))
    hub = taken(plaza, centre)
    assert len(links_of(hub)) <= 10


def test_a_rejected_pair_is_never_linked_again(plaza, taken, around) -> None:
    first = taken(plaza, around(1.0))
    numbers = tuple(float(each) for each in around(0.9))
    second = an_image(plaza)
    take_in(image=second, vectors=[Vector("wf1", numbers)])
    SimilarityLink.objects.update(state=LinkState.REJECTED)
    take_in(image=second, vectors=[Vector("wf1", numbers)])
    assert [link.state for link in links_of(first)] == [LinkState.REJECTED]


@pytest.mark.parametrize(
    ("numbers", "pdq"),
    [
        ((1.0, 2.0), ""),
        ((float("nan"),) * 475, ""),
        ((0.1,) * 475, "abc"),
        ((0.1,) * 475, "g" * 64),
    ],
    ids=["short", "not numbers", "short hash", "no hash"],
)
def test_what_is_no_vector_or_hash_is_refused_whole(plaza, numbers, pdq) -> None:
    image = an_image(plaza)
    with pytest.raises(ValueError, match=r"475|64|invalid"):
        take_in(image=image, vectors=[Vector("wf1", numbers)], pdq=pdq, pdq_quality=90)
    assert not EmbeddingWf1.objects.exists()


def test_vectors_of_other_models_are_left_alone(plaza) -> None:
    image = an_image(plaza)
    assert take_in(image=image, vectors=[Vector("siglip", (1.0,))]) == []
    assert list(check()) == [f"image {image.pk} is ready and has no embedding"]


@pytest.mark.django_db(transaction=True)
def test_new_links_are_announced_at_commit(taken, around, owner) -> None:
    board = Board.objects.create(slug="open", title="Open", made_by=owner)
    first = taken(board, around(1.0))
    with psycopg.connect(
        **connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}, autocommit=True
    ) as ear:
        ear.execute("LISTEN changes")
        second = taken(board, around(0.9))
        heard = [json.loads(each.payload) for each in ear.notifies(timeout=5, stop_after=2)]
    assert {each["topic"] for each in heard} == {f"image.{first.pk}", f"image.{second.pk}"}
    assert {each["k"] for each in heard} == {"resonances"}
