"""Skeletons of people, drawn as ControlNets of the kind openpose were taught to follow.

Joints and limbs are those of OpenPose (Cao and others 2019, 18 joints); found are the 17 of COCO,
which have no neck: it is put midway between the shoulders. Colours go round the wheel, limbs darker
than joints; both grow with the picture, as the ControlNet-Union for SDXL was trained on.
"""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Joints = NDArray[np.float32]
Colour = tuple[int, int, int]

#: Place in COCO of each joint of OpenPose: nose, neck, right shoulder, elbow, wrist, left the same,
#: right hip, knee, ankle, left the same, right eye, left eye, right ear, left ear. -1 is the neck.
FROM_COCO = (0, -1, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
NECK, SHOULDERS = 1, (2, 5)
#: Pairs of joints, in the order of drawing; a limb has the colour of its number.
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12),
    (12, 13), (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
#: RGB, once round the wheel in eighteen steps; a joint has the colour of its number.
COLOURS: tuple[Colour, ...] = (
    (255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0), (170, 255, 0), (85, 255, 0),
    (0, 255, 0), (0, 255, 85), (0, 255, 170), (0, 255, 255), (0, 170, 255), (0, 85, 255),
    (0, 0, 255), (85, 0, 255), (170, 0, 255), (255, 0, 255), (255, 0, 170), (255, 0, 85),
)  # fmt: skip
#: Limbs shine as bright as this share of their colour.
DARKER = 0.6
#: Joints that were seen less surely than this are not drawn.
SURE = 0.3
#: Half the thickness of a limb and the radius of a joint, in pixels of a small picture.
WIDTH = 4


def openpose(people: Joints) -> Joints:
    """People of COCO, (n, 17, 3) of x, y and score in pixels, as those of OpenPose (n, 18, 3)."""
    joints = people[:, list(FROM_COCO)].copy()
    shoulders = joints[:, list(SHOULDERS)]
    joints[:, NECK, :2] = shoulders[..., :2].mean(axis=1)
    joints[:, NECK, 2] = shoulders[..., 2].min(axis=1)
    return joints


def drawable(people: Joints) -> Joints:
    """Those of whom at least one limb is seen; the others would be loose dots."""
    seen = people[..., 2] >= SURE
    whole = [seen[:, first] & seen[:, second] for first, second in LIMBS]
    return people[np.any(whole, axis=0)]


def drawn(people: Joints, size: tuple[int, int]) -> Image.Image:
    """People of OpenPose, (n, 18, 3), in colour on black, RGB; `size` is width and height."""
    canvas = np.zeros((size[1], size[0], 3), np.uint8)
    wide = width(size)
    for person in people:
        seen = person[:, 2] >= SURE
        for number, (first, second) in enumerate(LIMBS):
            if seen[first] and seen[second]:
                outline = limb(person[first, :2], person[second, :2], wide)
                cv2.fillConvexPoly(canvas, outline, darker(COLOURS[number]))
        for joint, colour in zip(person[seen], np.array(COLOURS)[seen].tolist(), strict=True):
            cv2.circle(canvas, (int(joint[0]), int(joint[1])), wide, colour, thickness=-1)
    return Image.fromarray(canvas)


def width(size: tuple[int, int]) -> int:
    """Half the thickness of limbs in pixels: 4 below 500, then 8, and 4 more each 1000, to 28."""
    longest = max(size)
    return WIDTH * (1 if longest < 500 else min(2 + longest // 1000, 7))


def darker(colour: Colour) -> Colour:
    """The colour of a limb."""
    red, green, blue = (int(each * DARKER) for each in colour)
    return red, green, blue


def limb(one: Joints, other: Joints, wide: int) -> NDArray[np.int32]:
    """Outline of an ellipse from joint to joint, `wide` pixels to each side; (points, 2) of x, y."""
    middle, half = (one + other) / 2, (other - one) / 2
    length = max(float(np.hypot(*half)), 1e-6)
    along, across = half, np.array([-half[1], half[0]]) * (wide / length)
    turn = np.linspace(0, 2 * np.pi, 360, endpoint=False)[:, None]
    return np.rint(middle + np.cos(turn) * along + np.sin(turn) * across).astype(np.int32)
