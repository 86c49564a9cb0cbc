"""Skeletons, joint by joint and pixel by pixel, in the convention that ControlNets know."""

import numpy as np
import pytest

from generation.engines.diffusion.skeletons import (
    COLOURS,
    LIMBS,
    SURE,
    drawable,
    drawn,
    openpose,
    width,
)

#: The joints of COCO, each at a place of its own: (x, y).
COCO = [
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder",
    "left elbow", "right elbow", "left wrist", "right wrist", "left hip", "right hip",
    "left knee", "right knee", "left ankle", "right ankle",
]  # fmt: skip
OPENPOSE = [
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
    "left wrist", "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
    "right eye", "left eye", "right ear", "left ear",
]  # fmt: skip


def somebody():
    """One person of COCO, (1, 17, 3)."""
    places = [(10.0 * n, 3.0 * n, 0.9 - 0.01 * n) for n in range(len(COCO))]
    return np.array([places], np.float32)


def nobody(joints=18):
    """One person of OpenPose of whom nothing is seen."""
    return np.zeros((1, joints, 3), np.float32)


def two_joints(first, second, one, other, score=0.9):
    """A person of OpenPose of whom two joints are seen."""
    person = nobody()
    person[0, first] = (*one, score)
    person[0, second] = (*other, score)
    return person


def test_every_joint_keeps_its_name():
    found = openpose(somebody())[0]
    assert found.shape == (18, 3)
    for place, name in enumerate(OPENPOSE):
        if name != "neck":
            assert found[place].tolist() == somebody()[0, COCO.index(name)].tolist(), name


def test_a_neck_stands_midway_between_the_shoulders_and_is_as_sure_as_the_less_sure():
    x, y, score = openpose(somebody())[0, 1]
    assert (x, y) == (55.0, 16.5)
    assert score == pytest.approx(0.84)


def test_without_a_shoulder_there_is_no_neck():
    person = somebody()
    person[0, COCO.index("left shoulder"), 2] = 0.1
    neck = openpose(person)[0, 1]
    assert neck[2] < SURE


def test_limbs_and_colours_are_those_of_openpose():
    """Pairs as published, counted from one; the wheel in eighteen steps."""
    published = [
        (2, 3), (2, 6), (3, 4), (4, 5), (6, 7), (7, 8), (2, 9), (9, 10), (10, 11), (2, 12),
        (12, 13), (13, 14), (2, 1), (1, 15), (15, 17), (1, 16), (16, 18),
    ]  # fmt: skip
    assert [(one + 1, other + 1) for one, other in LIMBS] == published
    assert len(set(COLOURS)) == 18
    assert COLOURS[0] == (255, 0, 0) and COLOURS[12] == (0, 0, 255) and COLOURS[17] == (255, 0, 85)


@pytest.mark.parametrize(
    ("size", "wide"),
    [((64, 64), 4), ((499, 200), 4), ((500, 200), 8), ((999, 999), 8), ((832, 1248), 12),
     ((1024, 1024), 12), ((2000, 10), 16), ((9000, 9000), 28)],
)  # fmt: skip
def test_lines_grow_with_the_picture(size, wide):
    assert width(size) == wide


def test_a_limb_is_an_ellipse_of_its_darker_colour_between_two_joints():
    """Right shoulder to right elbow, upright: limb number 2, joints number 2 and 3."""
    plane = np.asarray(drawn(two_joints(2, 3, (100, 40), (100, 160)), (200, 200)))
    assert plane.shape == (200, 200, 3) and plane.dtype == np.uint8
    assert tuple(plane[40, 100]) == COLOURS[2] and tuple(plane[160, 100]) == COLOURS[3]
    across = plane[100]
    assert [tuple(each) for each in across[96:105]] == [(153, 102, 0)] * 9
    assert not across[:96].any() and not across[105:].any()
    colours = {tuple(each) for each in plane.reshape(-1, 3).tolist()}
    assert colours == {(0, 0, 0), (153, 102, 0), COLOURS[2], COLOURS[3]}


def test_joints_are_discs_over_the_limbs():
    plane = np.asarray(drawn(two_joints(2, 3, (100, 40), (100, 160)), (200, 200)))
    disc = (plane == COLOURS[2]).all(axis=2)
    ys, xs = np.nonzero(disc)
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (96, 104, 36, 44)


def test_an_unsure_joint_draws_neither_dot_nor_limb():
    person = two_joints(2, 3, (100, 40), (100, 160))
    person[0, 3, 2] = SURE - 0.01
    plane = np.asarray(drawn(person, (200, 200)))
    assert {tuple(each) for each in plane.reshape(-1, 3).tolist()} == {(0, 0, 0), COLOURS[2]}


def test_joints_that_do_not_meet_are_nobody():
    """A nose and an ankle have no limb between them."""
    assert drawable(two_joints(0, 10, (5, 5), (9, 9))).shape == (0, 18, 3)
    assert drawable(two_joints(2, 3, (5, 5), (9, 9))).shape == (1, 18, 3)
    assert drawable(np.zeros((0, 18, 3), np.float32)).shape == (0, 18, 3)


def test_everybody_is_drawn_and_what_is_outside_is_cut_off():
    both = np.concatenate(
        [two_joints(2, 3, (20, 20), (20, 60)), two_joints(5, 6, (60, 60), (300, -40))]
    )
    plane = np.asarray(drawn(both, (80, 80)))
    assert tuple(plane[20, 20]) == COLOURS[2] and tuple(plane[60, 60]) == COLOURS[5]


def test_two_joints_at_one_place_are_no_trouble():
    plane = np.asarray(drawn(two_joints(2, 3, (30, 30), (30, 30)), (64, 64)))
    assert tuple(plane[30, 30]) == COLOURS[3]


def test_an_empty_picture_is_black():
    assert not np.asarray(drawn(np.zeros((0, 18, 3), np.float32), (64, 48))).any()
