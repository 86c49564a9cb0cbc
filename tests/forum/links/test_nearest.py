"""Vector search: what is near and visible, by which plan, and what must never appear."""

import numpy as np
import pytest
from django.core.management import call_command
from django.db import connection

from forum.boards.models import Board, Visibility
from forum.images.models import ImageState
from forum.links import nearest as room
from forum.links.models import EmbeddingWf1
from forum.links.nearest import Question, make_index, walks
from forum.threads.models import Thread
from tests.forum.links.conftest import a_direction, an_image, at_cosine

SEARCH = EmbeddingWf1.objects.nearest


def found(to, viewer, limit=10, **more):
    return [each.image for each in SEARCH(to=list(to), viewer=viewer, limit=limit, **more)]


def test_best_first_with_their_cosines(plaza, taken, around) -> None:
    near, far, nearest = (taken(plaza, around(cosine)) for cosine in (0.8, 0.5, 0.9))
    rows = SEARCH(to=list(around(1.0)), viewer=None, limit=10)
    assert [row.image for row in rows] == [nearest.pk, near.pk, far.pk]
    assert [row.cosine for row in rows] == pytest.approx([0.9, 0.8, 0.5], abs=2e-3)


def test_no_more_than_asked_for(plaza, taken, around) -> None:
    for cosine in (0.5, 0.6, 0.7):
        taken(plaza, around(cosine))
    assert len(found(around(1.0), None, limit=2)) == 2


def test_one_per_thread_and_the_best_of_it(plaza, taken, around) -> None:
    first = taken(plaza, around(0.7))
    best = taken(plaza, around(0.9), thread=first.thread)
    taken(plaza, around(0.8), thread=first.thread)
    other = taken(plaza, around(0.6))
    assert found(around(1.0), None) == [best.pk, other.pk]


def test_a_large_thread_does_not_hide_the_others(plaza, taken, around) -> None:
    other = taken(plaza, around(0.4))
    first = taken(plaza, around(0.9))
    copies = [an_image(plaza, thread=first.thread) for _ in range(201)]
    EmbeddingWf1.objects.bulk_create(
        EmbeddingWf1(
            image=each, thread_id=each.thread_id, board_id=plaza.pk, vector=list(around(0.8))
        )
        for each in copies
    )
    assert found(around(1.0), None, limit=2) == [first.pk, other.pk]


def test_threads_to_leave_out(plaza, taken, around) -> None:
    own, other = taken(plaza, around(0.9)), taken(plaza, around(0.7))
    assert found(around(1.0), None, apart_from=[own.thread_id]) == [other.pk]


@pytest.mark.parametrize("state", [ImageState.HIDDEN, ImageState.WITHDRAWN])
def test_hidden_and_withdrawn_images_are_gone_at_once(plaza, taken, around, owner, state) -> None:
    image = taken(plaza, around(0.9))
    image.state = state
    image.save()
    # Not even for the owner: a resonance is shown to everybody alike.
    assert found(around(1.0), owner) == []
    image.state = ImageState.READY
    image.save()
    assert found(around(1.0), None) == [image.pk]


def test_private_boards_only_for_those_who_belong(rivers, taken, around, lin, wen) -> None:
    image = taken(rivers, around(0.9))
    assert found(around(1.0), lin) == [image.pk]
    assert found(around(1.0), wen) == []
    assert found(around(1.0), None) == []


def test_members_boards_only_for_members(salon, taken, around, wen) -> None:
    image = taken(salon, around(0.9))
    assert found(around(1.0), wen) == [image.pk]
    assert found(around(1.0), None) == []
    wen.is_active = False
    assert found(around(1.0), wen) == []


def test_a_board_that_closes_takes_its_images_along(plaza, taken, around, lin) -> None:
    image = taken(plaza, around(0.9))
    assert found(around(1.0), lin) == [image.pk]
    Board.objects.filter(pk=plaza.pk).update(visibility=Visibility.PRIVATE)
    assert found(around(1.0), lin) == []


def test_an_image_that_moves_counts_where_it_is(plaza, rivers, taken, around) -> None:
    image = taken(plaza, around(0.9))
    image.board = rivers
    image.thread = Thread.objects.create(board=rivers)
    image.save()
    assert found(around(1.0), None) == []


def test_a_vector_of_another_length_is_refused(plaza) -> None:
    with pytest.raises(ValueError, match="475"):
        SEARCH(to=[1.0, 2.0], viewer=None, limit=1)


def test_one_statement_finds_and_authorises(
    plaza, taken, around, wen, django_assert_num_queries
) -> None:
    taken(plaza, around(0.9))
    # The first only asks for the plan; a wrong answer there costs time, never privacy.
    with django_assert_num_queries(2) as queries:
        assert found(around(1.0), wen)
    assert "forum_membership" in queries[1]["sql"]
    assert "<=>" in queries[1]["sql"]


def test_the_choice_of_the_plan_is_remembered_for_a_minute(
    plaza, rivers, taken, around, wen, lin, monkeypatch, django_assert_num_queries
) -> None:
    open_to_all, closed = taken(plaza, around(0.9)), taken(rivers, around(0.8))
    assert found(around(1.0), wen) == [open_to_all.pk]
    with django_assert_num_queries(1):
        assert found(around(1.0), wen) == [open_to_all.pk]
    # Another viewer sees other boards, hence asks anew.
    with django_assert_num_queries(2):
        assert found(around(1.0), lin) == [open_to_all.pk, closed.pk]
    later = room.time.monotonic() + room.REMEMBERED + 1
    monkeypatch.setattr(room.time, "monotonic", lambda: later)
    with django_assert_num_queries(2):
        assert found(around(1.0), wen) == [open_to_all.pk]


# --- plans -----------------------------------------------------------------------------------


IMAGES = """
INSERT INTO forum_image (board_id, thread_id, kind, state, title, alt, language, licence,
    allow_derivatives, origin, width, height, sha256, pdq_quality, recipe, generation, created_at)
SELECT %s, %s, 'original', 'ready', '', '', '', 'CC0-1.0', true, 'unknown', 4, 3,
    'crowd' || i, 0, '{}', 0, now() FROM generate_series(1, %s) i
"""
VECTORS = """
INSERT INTO forum_embeddingwf1 (image_id, thread_id, board_id, hidden, vector)
SELECT id, 1000000000 + id / 4, board_id, false,
    (SELECT array_agg(random() - 0.5) FROM generate_series(1, 475) WHERE id > 0)::halfvec
FROM forum_image WHERE sha256 LIKE 'crowd%'
"""


def crowd(board: Board, count: int = 3000) -> None:
    """Many images in threads of four, with random vectors from a fixed seed, made by SQL."""
    thread = Thread.objects.create(board=board)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(IMAGES, [board.pk, thread.pk, count])
        cursor.execute(VECTORS)
        # Deferred checks would stand in the way of building an index in this transaction.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ANALYZE forum_embeddingwf1")


@pytest.fixture(autouse=True)
def no_choice_is_remembered():
    room.forget_choices()
    yield
    room.forget_choices()


def unit(vector) -> np.ndarray:
    numbers = np.asarray(vector, float)
    return numbers / np.linalg.norm(numbers)


def plan(viewer, *, walk: bool) -> str:
    """What PostgreSQL would do."""
    boards = Board.objects.visible_to(viewer)
    question = Question(EmbeddingWf1.TABLE, a_direction(), boards, 10, [1])
    sql, values = question.statement(200, walk=walk)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", values)
        return "\n".join(row[0] for row in cursor.fetchall())


@pytest.fixture
def indexed(plaza, monkeypatch):
    """A crowd with the index, built as in production except that it is inside the transaction."""
    crowd(plaza)
    monkeypatch.setattr(room, "BUILD", room.BUILD.replace("CONCURRENTLY ", ""))
    assert make_index(EmbeddingWf1.TABLE)
    monkeypatch.setattr(room, "FEW_VISIBLE", 1000)


def test_small_forums_are_searched_exactly(plaza, wen) -> None:
    crowd(plaza, 200)
    assert not walks(EmbeddingWf1.TABLE, Board.objects.visible_to(wen))
    assert "hnsw" not in plan(wen, walk=False)


def test_large_forums_walk_the_index_with_the_filter_inside(indexed, wen) -> None:
    assert walks(EmbeddingWf1.TABLE, Board.objects.visible_to(wen))
    explained = plan(wen, walk=True)
    assert "Index Scan using forum_embeddingwf1_hnsw" in explained
    scan = explained.split("forum_embeddingwf1_hnsw")[1]
    assert "Order By: (vector <=>" in scan
    assert "Filter:" in scan
    assert "board_id" in scan
    assert "hidden" in scan


def test_the_exact_statement_leaves_the_index_alone(indexed, wen) -> None:
    assert "hnsw" not in plan(wen, walk=False)


def test_few_visible_rows_are_searched_exactly_in_a_large_forum(
    indexed, rivers, taken, lin
) -> None:
    taken(rivers, a_direction())
    alone = Board.objects.filter(pk=rivers.pk)
    assert not walks(EmbeddingWf1.TABLE, alone)
    assert not walks(EmbeddingWf1.TABLE, Board.objects.none())


def test_the_walk_finds_what_the_exact_search_finds(indexed, wen) -> None:
    boards = Board.objects.visible_to(wen)
    hits = []
    for row in EmbeddingWf1.objects.order_by("image_id")[:40]:
        to = at_cosine(unit(row.vector), 0.9).tolist()
        walked = room.nearest(EmbeddingWf1.TABLE, to=to, boards=boards, limit=10)
        exact = room.asked(Question(EmbeddingWf1.TABLE, to, boards, 10), walk=False)
        hits.append(len({e.image for e in walked} & {e.image for e in exact}) / len(exact))
    assert np.mean(hits) > 0.9


def test_the_walk_goes_on_until_it_has_enough_that_may_be_shown(
    indexed, plaza, rivers, wen
) -> None:
    ids = EmbeddingWf1.objects.order_by("image_id").values_list("image_id", flat=True)
    keep = set(ids[::2])
    EmbeddingWf1.objects.exclude(image_id__in=keep).update(hidden=True)
    walked = room.nearest(
        EmbeddingWf1.TABLE, to=a_direction(), boards=Board.objects.visible_to(wen), limit=10
    )
    assert len(walked) == 10
    assert {each.image for each in walked} <= keep


def test_the_index_is_built_once(indexed) -> None:
    assert make_index(EmbeddingWf1.TABLE) is False


def test_an_old_pgvector_gets_no_index(plaza, monkeypatch) -> None:
    monkeypatch.setattr(room, "LEAST_PGVECTOR", (99, 0, 0))
    with pytest.raises(RuntimeError, match="99"):
        make_index(EmbeddingWf1.TABLE)


@pytest.mark.django_db(transaction=True)
def test_the_command_builds_the_index_beside_a_running_forum(taken, owner, capsys) -> None:
    board = Board.objects.create(slug="open", title="Open", made_by=owner)
    taken(board, a_direction())
    try:
        call_command("relink", "--index")
        call_command("relink", "--index")
        assert capsys.readouterr().out.splitlines() == [
            "vector index built",
            "the vector index is there already",
        ]
        with connection.cursor() as cursor:
            cursor.execute("SHOW maintenance_work_mem")
            assert cursor.fetchone()[0] != "512MB"
            cursor.execute("SHOW hnsw.iterative_scan")
            assert cursor.fetchone()[0] == "off"
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX IF EXISTS {EmbeddingWf1.TABLE.index}")
