"""Where in the picture an operation works: halves, middle and rim, the sky, the subject."""

from dataclasses import dataclass

import numpy as np

from generation.engines.darkroom.pixels import Picture, Plane, clip, floats
from generation.engines.darkroom.saliency import subject
from generation.engines.darkroom.sky import sky

#: Half the width of the soft seam between two halves, as a share of the picture.
SEAM = 0.02
#: Regions that lie where they lie whatever is seen, and those that are looked for.
DRAWN = ("left", "right", "top", "bottom", "centre", "edges")
LOOKED_FOR = ("sky", "not_sky", "subject", "background")
#: A region of which nowhere more than this is left is no region.
FAINTEST = 0.02


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a picture."""

    #: 1 inside, 0 outside, soft in between; (height, width).
    plane: Plane
    #: False when it was looked for and something else stands in.
    found: bool = True

    @property
    def share(self) -> float:
        """How much of the picture it covers, 0..1."""
        return round(float(self.plane.mean()), 3)

    @property
    def empty(self) -> bool:
        """Whether nothing of the picture lies in it."""
        return float(self.plane.max()) < FAINTEST


def drawn(name: str, height: int, width: int) -> Plane:
    """A half of the frame, its middle or its rim."""
    ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    xs = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    whole = np.ones((height, width), np.float32)
    if name in ("left", "right"):
        first = clip((0.5 - xs) / (2 * SEAM) + 0.5) * whole
    elif name in ("top", "bottom"):
        first = clip((0.5 - ys) / (2 * SEAM) + 0.5) * whole
    else:
        # An oval through the middle of the sides' thirds: about half the picture, with a wide seam.
        far = np.hypot(xs - np.float32(0.5), ys - np.float32(0.5)) / np.float32(0.4)
        first = clip((np.float32(1.2) - far) / np.float32(0.4))
    return floats(first if name in ("left", "top", "centre") else 1 - first)


def looked_for(name: str, picture: Picture) -> Region:
    """The sky or the subject, or all but them.

    Without a sky everything is below it. Without a subject the middle of the picture stands in.
    """
    if name in ("sky", "not_sky"):
        plane = sky(picture)
        found = bool(plane.any())
    else:
        plane, found = subject(picture)
    return Region(plane if name in ("sky", "subject") else floats(1 - plane), found)
