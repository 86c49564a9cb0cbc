"""State graphs make sense, and code moves along them only."""

import pytest

from forum.images.models import Image, ImageState
from forum.states import graph
from forum.threads.models import Reply, ReplyState


def test_every_state_of_a_reply_is_in_its_graph():
    assert Reply.MOVES.states == set(ReplyState.values)


def test_every_state_of_an_image_is_in_its_graph():
    assert Image.MOVES.states == set(ImageState.values)


def test_a_state_nothing_leads_to_is_refused():
    with pytest.raises(ValueError, match="Nothing leads to: lost"):
        graph("a", [("a", "b"), ("lost", "b")], ends=["b"])


def test_a_state_nothing_leads_out_of_is_refused():
    with pytest.raises(ValueError, match="Nothing leads out of: b"):
        graph("a", [("a", "b")], ends=[])


def test_the_chart_names_start_moves_and_ends():
    chart = graph("a", [("a", "b")], ends=["b"]).mermaid()
    assert chart.splitlines() == [
        "stateDiagram-v2",
        "    [*] --> a",
        "    a --> b",
        "    b --> [*]",
    ]
