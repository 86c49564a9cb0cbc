"""The nightly repair, the scale it measures, and the audit."""

import numpy as np
import pytest
from django.core.management import call_command

from forum.boards.models import Board, Visibility
from forum.images.models import Descent, ImageState
from forum.links import relinking
from forum.links.audit import check
from forum.links.models import (
    EmbeddingWf1,
    LinkState,
    Neighbours,
    Scale,
    SimilarityLink,
    ends,
)
from forum.links.relinking import relink
from tests.forum.links.conftest import a_direction, an_image, at_cosine


def lists() -> dict[int, list[int]]:
    return {each.image_id: each.ids for each in Neighbours.objects.all()}


def pairs() -> set[tuple[int, int]]:
    return set(SimilarityLink.objects.values_list("lower", "higher"))


@pytest.fixture
def forum(plaza, taken):
    """Thirty images in three crowds."""
    centres = [a_direction() for _ in range(3)]
    return [taken(plaza, at_cosine(centres[at % 3], 0.9)) for at in range(30)]


def test_what_was_taken_in_one_by_one_needs_no_repair(forum) -> None:
    before_lists, before_pairs = lists(), pairs()
    done = relink()
    assert done.images == 30
    assert lists() == before_lists
    assert before_pairs <= pairs()


def test_lost_lists_and_links_come_back(forum) -> None:
    links = pairs()
    Neighbours.objects.all().delete()
    SimilarityLink.objects.all().delete()
    done = relink()
    assert lists().keys() == {image.pk for image in forum}
    assert pairs() == links
    assert done.made == len(links)


def test_twice_changes_nothing(forum) -> None:
    relink()
    before = sorted(SimilarityLink.objects.values_list("pk", "state", "cosine"))
    done = relink()
    assert (done.made, done.retired) == (0, 0)
    assert sorted(SimilarityLink.objects.values_list("pk", "state", "cosine")) == before


def test_what_became_untrue_goes_and_what_people_decided_stays(forum) -> None:
    first = forum[0].pk
    # The last three of its list: too far from it for a link.
    untrue, confirmed, rejected = lists()[first][-3:]
    for other, state in (
        (untrue, LinkState.STRONG),
        (confirmed, LinkState.CONFIRMED),
        (rejected, LinkState.REJECTED),
    ):
        SimilarityLink.objects.create(
            **ends(first, other),
            model="wf1",
            state=state,
            cosine=0.1,
            percentile=0.1,
            rank_of_higher=9,
            rank_of_lower=9,
            among=30,
        )
    relink()
    kept = dict(SimilarityLink.objects.of(forum[0]).values_list("state", "cosine"))
    assert kept[LinkState.CONFIRMED] == kept[LinkState.REJECTED] == 0.1
    assert not SimilarityLink.objects.filter(**ends(first, untrue)).exists()


def test_hidden_images_lose_their_links_and_leave_the_lists(forum) -> None:
    gone = forum[0]
    gone.state = ImageState.HIDDEN
    gone.save()
    relink()
    assert not SimilarityLink.objects.of(gone).exists()
    assert all(gone.pk not in ids for pk, ids in lists().items() if pk != gone.pk)


def test_lineage_that_came_later_parts_what_was_linked(forum) -> None:
    link = SimilarityLink.objects.undecided().first()
    Descent.objects.create(child=link.higher, source=link.lower)
    relink()
    assert not SimilarityLink.objects.filter(pk=link.pk).exists()


def test_audiences_stay_apart(forum, owner, taken) -> None:
    secret = Board.objects.create(slug="s", title="S", visibility=Visibility.PRIVATE)
    vector = EmbeddingWf1.objects.get(pk=forum[0].pk).vector
    inside = taken(secret, at_cosine(np.asarray(vector, float), 0.95))
    relink()
    assert lists()[inside.pk] == []
    assert all(inside.pk not in ids for ids in lists().values())
    assert set(SimilarityLink.objects.values_list("among", flat=True)) == {30}


def test_blank_images_stay_out(plaza, taken) -> None:
    vector = a_direction()
    taken(plaza, vector)
    blank = taken(plaza, vector, pdq="0" * 64, pdq_quality=0)
    relink()
    assert blank.pk not in lists()
    assert not pairs()


def test_the_command_says_what_it_did(forum, capsys) -> None:
    call_command("relink")
    assert capsys.readouterr().out.startswith("30 images compared, ")


def test_the_index_comes_by_row_count(forum, settings, monkeypatch) -> None:
    built = []
    monkeypatch.setattr(relinking, "make_index", lambda table: built.append(table) or True)
    settings.FORUM_VECTOR_INDEX_FROM = 31
    assert not relink().indexed
    settings.FORUM_VECTOR_INDEX_FROM = 30
    assert relink().indexed
    assert built == [EmbeddingWf1.TABLE]


def test_a_small_forum_uses_the_scale_measured_beforehand(forum) -> None:
    relink()
    assert not Scale.objects.exists()
    assert Scale.of("wf1").percentile(0.79) == pytest.approx(0.999)


def test_a_large_forum_measures_its_own_scale_once_a_month(forum, monkeypatch) -> None:
    monkeypatch.setattr(relinking, "ENOUGH", 30)
    relink()
    scale = Scale.of("wf1")
    assert scale.images == 30
    assert scale.cosines == sorted(scale.cosines)
    # A third of the random pairs comes from one crowd, at about 0.81; the others are at 0.
    assert scale.percentile(0.5) == pytest.approx(0.69, abs=0.08)
    relink()
    assert Scale.of("wf1").measured_at == scale.measured_at


def test_percentiles_never_fall() -> None:
    scale = Scale(model="wf1", cosines=Scale.BEFOREHAND["wf1"])
    shares = [scale.percentile(cosine) for cosine in np.linspace(-1, 1, 50)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


# --- audit -----------------------------------------------------------------------------------


def test_a_sound_forum_has_nothing_to_say(forum) -> None:
    assert list(check()) == []


def test_a_missing_embedding_is_named(plaza) -> None:
    image = an_image(plaza)
    assert list(check()) == [f"image {image.pk} is ready and has no embedding"]


def test_an_embedding_out_of_step_is_named(plaza, taken) -> None:
    image = taken(plaza, a_direction())
    EmbeddingWf1.objects.update(hidden=True)
    assert list(check()) == [
        f"the embedding of image {image.pk} differs from the image in thread, board or visibility"
    ]


def test_links_across_audiences_and_inside_threads_are_named(plaza, rivers, taken) -> None:
    a, b = taken(plaza, a_direction()), taken(rivers, a_direction())
    c = taken(plaza, a_direction(), thread=a.thread)
    for other in (b, c):
        SimilarityLink.objects.create(
            **ends(a.pk, other.pk),
            model="wf1",
            state=LinkState.STRONG,
            cosine=1,
            percentile=1,
            rank_of_higher=1,
            rank_of_lower=1,
            among=2,
        )
    said = " | ".join(check())
    assert "of one thread" in said
    assert "of different audiences" in said
