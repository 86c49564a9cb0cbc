"""Sky and subject against what was marked by hand in photographs (places.toml)."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from generation.engines.darkroom.composition import crop
from generation.engines.darkroom.saliency import subject
from generation.engines.darkroom.sky import sky
from tests.generation.darkroom.conftest import PHOTOGRAPHS, photograph

PLACES = tomllib.loads(Path(__file__).with_name("places.toml").read_text("utf-8"))

pytestmark = pytest.mark.skipif(
    not (PHOTOGRAPHS / "astronaut.png").exists(),
    reason="no photographs: set GEGENBILD_IMAGES to a folder that has them",
)


def floats(name: str) -> np.ndarray:
    return np.asarray(photograph(name), np.float32) / 255


def at(plane: np.ndarray, x: float, y: float) -> float:
    height, width = plane.shape
    return float(plane[min(height - 1, int(y * height)), min(width - 1, int(x * width))])


def along(name: str, line: list[float]) -> tuple[list[bool], list[bool]]:
    """Whether places above the skyline are sky, and whether those below are not."""
    plane = sky(floats(name))
    above, below = [], []
    for column, edge in enumerate(line):
        x = min(0.985, max(0.015, column / 10))
        if edge > 0.12:
            above += [at(plane, x, edge * share) > 0.5 for share in (0.15, 0.5, 0.75)]
        if 0 <= edge < 0.84:
            depth = 0.87 - edge
            below += [at(plane, x, edge + 0.08 + depth * share) < 0.5 for share in (0.05, 0.5, 1)]
    return above, below


def test_skies_end_where_people_see_them_end():
    above, below = [], []
    for name, line in PLACES["skyline"].items():
        one, other = along(name, line)
        above += one
        below += other
    # Ship and snow run into one another in one of the seventeen; it is refused whole.
    assert np.mean(above) > 0.93 and np.mean(below) > 0.93


def test_rooms_and_studios_have_no_sky():
    names = PLACES["no_sky"]["photographs"]
    wrong = [name for name in names if sky(floats(name)).any()]
    assert len(wrong) <= 2, wrong


def test_most_of_each_subject_is_found_and_little_else():
    inside, outside = [], []
    for name, places in PLACES["subject"].items():
        plane, found = subject(floats(name))
        inside.append(np.mean([at(plane, *place) > 0.5 for place in places["inside"]]))
        outside += [at(plane, *place) < 0.5 for place in places["outside"]]
        assert found, name
    assert np.mean(inside) > 0.82 and np.mean(outside) > 0.96
    # Whoever asks for "the background" must not find a person repainted.
    assert np.min(inside) >= 0.35


@pytest.mark.parametrize("shape", ["same", "square", "tall"])
@pytest.mark.parametrize(
    ("name", "head"),
    [
        ("astronaut.png", 0.02), ("espinasse.png", 0.02), ("titus-oates.jpg", 0.21),
        ("rocket.jpg", 0.32), ("osx-worldhist-b02-02-lapulapu.jpg", 0.08),
    ],
)  # fmt: skip
def test_a_crop_leaves_heads_on(name, head, shape):
    """`head` is how far down the top of the subject lies, as a share of the height."""
    picture = floats(name)
    height = len(picture)
    rows = np.broadcast_to(np.arange(height, dtype=np.float32)[:, None], picture.shape[:2])
    framed = crop(
        np.dstack([picture, rows]), np.random.default_rng(0), amount=1, shape=shape, place="subject"
    )
    assert framed.shape[0] * framed.shape[1] < 0.95 * rows.size
    assert framed[0, 0, 3] <= (head + 0.02) * height
