"""A picture is seen as it is made: six frames or more of every edit, kept as a strip."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from generation.engines.base import Cancelled
from generation.engines.darkroom.engine import Darkroom
from generation.engines.darkroom.table import program
from generation.host.strips import KEPT, Strip
from generation.prompts.planning import preset
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, enough, item, landscape, pixels

NAMES = sorted(program())


def kept_of(edit):
    """The frames of the strip that the worker would keep."""
    with ThreadPoolExecutor(1) as encoder:
        strip = Strip(lambda *frame, **words: None, edit.id, encoder)
        engine = Darkroom()
        engine.load(preset("darkroom"))
        list(engine.edit([edit], strip.take, lambda id: False))
        return [Image.open(io.BytesIO(each.content)) for each in strip.chosen()]


def nearest(frames, made):
    """Which frame is most like the finished picture."""
    gaps = [
        np.abs(pixels(made.resize(frame.size, Image.Resampling.BOX)) - pixels(frame)).mean()
        for frame in frames
    ]
    return int(np.argmin(gaps))


@pytest.mark.parametrize("name", NAMES)
def test_six_frames_are_kept_of_the_shortest_edit(name):
    frames = kept_of(item(Operation(name), sources=enough(name, landscape(320, 240))))
    assert 6 <= len(frames) <= KEPT


@pytest.mark.parametrize("name", NAMES)
def test_a_strip_moves(name):
    """No frame is a copy of the one before it, and the last is the finished picture."""
    edit = item(Operation(name), sources=enough(name, landscape(320, 240)), strength=0.8)
    frames, made = kept_of(edit), Run(edit).made.picture
    for one, other in zip(frames, frames[1:], strict=False):
        assert one.size != other.size or np.abs(pixels(one) - pixels(other)).mean() > 0.04
    assert nearest(frames, made) == len(frames) - 1


def test_a_strip_of_several_operations_holds_each():
    edit = item(*map(Operation, ("warm", "rain", "pencil", "flip")))
    run = Run(edit)
    assert {each.stage for each in run.progress} == {"warm", "rain", "pencil", "flip"}
    assert len(kept_of(edit)) == KEPT


def test_a_crop_closes_in():
    frames = [each.frame for each in Run(item(Operation("crop"))).progress]
    widths = [frame.width for frame in frames]
    assert widths == sorted(widths, reverse=True) and widths[0] > widths[-1]


def test_cancelling_is_noticed_while_a_region_is_looked_for():
    looks = []

    def cancelled(id):
        looks.append(id)
        return True

    run = Run(item(Operation("sepia", {"region": "subject"})), cancelled)
    assert isinstance(run.failed.error, Cancelled) and not run.progress


@pytest.mark.parametrize("count", range(1, 6))
def test_a_long_strip_ends_with_the_finished_picture(count):
    names = [
        "impressionist",
        "pointillist",
        "abstract_expressionist",
        "post_impressionist",
        "sepia",
    ]
    edit = item(*map(Operation, names[:count]))
    frames, made = kept_of(edit), Run(edit).made.picture
    assert len(frames) == KEPT
    assert nearest(frames, made) == KEPT - 1
