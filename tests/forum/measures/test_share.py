"""How far the apparatus would have gone alone, from vectors."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forum.measures.share import MOST_SCORE, distance, share


def at(angle: float, dimensions: int = 4, aside: int = 1) -> list[float]:
    """A unit vector at so many degrees from the first axis, in the plane of the axis `aside`."""
    vector = [0.0] * dimensions
    vector[0], vector[aside] = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    return vector


SOURCE = at(0)


def test_half_the_way():
    nulls = [at(30), at(30.5), at(29.5)]
    found = share(SOURCE, at(90), nulls)
    assert found.way == pytest.approx(1.0)
    assert found.alone == pytest.approx(1 - math.cos(math.radians(30)), abs=0.002)
    assert found.percent == 13
    assert found.verdict == "improbable"


def test_an_answer_among_the_null_answers_is_usual():
    nulls = [at(30 + n) for n in range(8)]
    found = share(SOURCE, at(33.5), nulls)
    assert found.verdict == "usual"
    assert found.percent == 100 or found.percent > 90


def test_who_hardly_moves_has_no_share():
    assert share(SOURCE, at(1), [at(20), at(25), at(30)]).percent is None


def test_equal_null_answers_give_no_endless_score():
    found = share(SOURCE, at(120, aside=2), [at(30)] * 5)
    assert found.score == MOST_SCORE


def test_too_few_to_have_a_spread():
    with pytest.raises(ValueError, match="three"):
        share(SOURCE, at(10), [at(20), at(30)])


def test_vectors_of_two_models_never_meet():
    with pytest.raises(ValueError, match="shorter|longer"):
        distance([1.0, 0.0], [1.0, 0.0, 0.0])


@given(st.lists(st.lists(st.floats(-1, 1), min_size=5, max_size=5), min_size=5, max_size=9))
def test_any_vectors_give_finite_numbers(vectors):
    source, answer, *nulls = vectors
    found = share(source, answer, nulls)
    assert 0 <= found.way <= 2 + 1e-9
    assert math.isfinite(found.score)
    assert found.percent is None or 0 <= found.percent <= 100
