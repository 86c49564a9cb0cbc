"""The lineage of an image, both ways, at any depth, as one viewer may see it."""

import pytest

from forum.images import actions, lineage_drawing
from forum.images.lineage import ancestors, lineage, rows_of
from forum.images.models import Descent, Image, Kind
from forum.threads.models import Thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def bare(plaza, lin):
    """Images without files, for deep and wide lineages: `bare(sources…)`."""
    thread = Thread.objects.create(board=plaza)

    def make(*sources: Image, board=plaza) -> Image:
        kind = Kind.DERIVATIVE if sources else Kind.ORIGINAL
        image = Image.objects.create(
            board=board, thread=thread, author=lin, kind=kind, licence="CC0-1.0", width=3, height=2,
            sha256="0" * 64, recipe={"prompt": "again"} if sources else {},
            generation=min((s.generation + 1 for s in sources), default=0),
        )  # fmt: skip
        for position, source in enumerate(sources):
            Descent.objects.create(child=image, source=source, position=position)
        return image

    return make


def test_both_ways_but_not_sideways(bare, lin):
    root = bare()
    here, sibling = bare(root), bare(root)
    child = bare(here)
    found = lineage(here, lin)
    assert [node.image for node in found.nodes] == [root, here, child]
    assert {(edge.source, edge.child) for edge in found.edges} == {
        (f"i{root.pk}", f"i{here.pk}"), (f"i{here.pk}", f"i{child.pk}")
    }  # fmt: skip
    assert found.here == f"i{here.pk}"
    assert sibling in [node.image for node in lineage(root, lin).nodes]


def test_several_sources_are_edges_in_order(bare, lin):
    first, second = bare(), bare()
    child = bare(first, second)
    found = lineage(child, lin)
    assert [(e.source, e.position) for e in found.edges] == [
        (f"i{first.pk}", 0),
        (f"i{second.pk}", 1),
    ]


def test_a_chain_of_diamonds_costs_what_it_holds(bare, lin):
    """With every step the number of paths doubles: 2^24 of them, 73 images."""
    here = bare()
    for _ in range(24):
        here = bare(bare(here), bare(here))
    found = lineage(here, lin)
    assert len(found.nodes) == 73
    assert len(found.edges) == 96
    assert not found.cut


def test_a_circle_of_damaged_data_ends(bare, lin):
    first = bare()
    second = bare(first)
    Descent.objects.create(child=first, source=second)
    assert len(lineage(first, lin).nodes) == 2
    assert {node.image for node in ancestors(first, lin)} <= {first, second}


def test_more_than_the_limit_is_cut_and_said(bare, lin):
    root = bare()
    for _ in range(12):
        bare(root)
    found = lineage(root, lin, limit=10)
    assert found.cut
    assert len(found.nodes) == 10
    assert not lineage(root, lin).cut


def test_what_one_may_not_see_is_grey_and_says_nothing(bare, rivers, lin, wen, moderator):
    root = bare(board=rivers)
    root.title = "secret"
    root.save()
    child = bare(root)
    grey, seen = lineage(child, wen).nodes
    assert (grey.image, grey.grey, grey.key) == (None, "unseen", "g0")
    assert str(root.pk) not in grey.key
    assert seen.image == child
    assert lineage(child, lin).nodes[0].image == root


def test_withdrawn_and_hidden_keep_their_place(bare, lin, moderator):
    root = bare()
    middle = bare(root)
    child = bare(middle)
    actions.withdraw(image=root, by=lin)
    actions.hide(image=middle, by=moderator, reason="Not here.")
    assert [node.grey for node in lineage(child, lin).nodes] == ["withdrawn", "hidden", ""]
    assert [node.grey for node in lineage(child, moderator).nodes] == ["withdrawn", "", ""]
    assert [node.grey for node in ancestors(child, lin)] == ["withdrawn", "hidden"]


def test_the_strip_is_the_line_of_first_sources(bare, lin):
    root, other = bare(), bare()
    middle = bare(root, other)
    here = bare(middle)
    assert [node.image for node in ancestors(here, lin)] == [root, middle]
    assert ancestors(root, lin) == []


def test_a_long_strip_keeps_its_newest(bare, lin):
    line = [bare()]
    for _ in range(10):
        line.append(bare(line[-1]))
    assert [node.image for node in ancestors(line[-1], lin, limit=4)] == line[-5:-1]


def test_queries_do_not_grow(bare, lin, django_assert_max_num_queries):
    here = bare()
    for _ in range(30):
        here = bare(here)
    with django_assert_max_num_queries(5):
        lineage(here, lin)
    with django_assert_max_num_queries(4):
        ancestors(here, lin)


def test_rows_are_longest_distances():
    assert rows_of([1, 2, 3], [(1, 2), (2, 3), (1, 3)]) == {1: 0, 2: 1, 3: 2}
    assert rows_of([1, 2, 3], [(2, 3), (3, 2)]) == {1: 0, 2: 1, 3: 1}


def test_the_drawing_has_a_box_for_each_and_none_overlap(bare, lin):
    root = bare()
    children = [bare(root) for _ in range(5)]
    bare(children[0], children[4])
    found = lineage(root, lin)
    drawing = lineage_drawing.draw(found)
    assert len(drawing.boxes) == 7
    assert len(drawing.lines) == len(found.edges) == 7
    assert [line.further for line in drawing.lines].count(True) == 1
    for box in drawing.boxes:
        assert 0 <= box.x <= drawing.width - box.width
        assert 0 <= box.y <= drawing.height - box.height
    assert len({(box.x, box.y) for box in drawing.boxes}) == 7
    for one in drawing.boxes:
        near = [b for b in drawing.boxes if b is not one and b.y == one.y]
        assert all(abs(one.x - other.x) >= one.width for other in near)


def test_the_list_names_each_image_and_a_further_source_again(bare, lin):
    root, other = bare(), bare()
    middle = bare(root)
    both = bare(middle, other)
    entries = lineage_drawing.indented(lineage(both, lin))
    said = [(entry.node.image, entry.level, entry.again) for entry in entries]
    assert said == [
        (root, 0, False), (middle, 1, False), (both, 2, False), (other, 0, False), (both, 1, True),
    ]  # fmt: skip


def test_a_list_deeper_than_the_stack(bare, lin):
    here = bare()
    for _ in range(12):
        here = bare(here)
    assert (
        max(e.level for e in lineage_drawing.indented(lineage(here, lin)))
        == lineage_drawing.DEEPEST
    )


def test_the_page_shows_drawing_and_list(plaza, lin, original, derivative, browse):
    source = original(plaza, lin, title="Harbour")
    child = derivative(source)
    answer = browse().get(f"/images/{child.pk}/lineage/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert page.count("<image ") == 2
    assert page.count('<li class="level-') == 2
    assert "Harbour" in page
    assert "make it night" in page
    assert "style=" not in page
    assert 'aria-current="true"' in page


def test_the_page_beyond_sixty_is_a_list(bare, lin, browse):
    root = bare()
    for _ in range(61):
        bare(root)
    page = browse().get(f"/images/{root.pk}/lineage/").content.decode()
    assert "<image " not in page
    assert page.count('<li class="level-') == 62


def test_an_image_alone_says_so(plaza, lin, original, browse):
    page = browse().get(f"/images/{original(plaza, lin).pk}/lineage/").content.decode()
    assert "Nothing has come of it yet." in page


def test_strangers_find_no_lineage(rivers, lin, wen, original, browse):
    image = original(rivers, lin)
    assert browse(wen).get(f"/images/{image.pk}/lineage/").status_code == 404
    assert browse(lin).get(f"/images/{image.pk}/lineage/").status_code == 200
