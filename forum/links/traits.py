"""What two images have in common, in words: which parts of their wf1 vectors agree most."""

from typing import Final

import numpy as np
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from numpy.typing import NDArray

#: Parts of a wf1 vector in its order: name, how many numbers, and the mean and standard deviation
#: of the agreement of random pairs, measured on 192 photographs. Texture agrees nearly always, so
#: that bare cosines would name nothing else.
PARTS: Final = (
    ("light", 63, 0.04, 0.34),
    ("colour", 86, 0.33, 0.28),
    ("composition", 288, 0.12, 0.21),
    ("texture", 38, 0.67, 0.21),
)
WORDS: Final[dict[str, Promise]] = {
    # Light that falls, not the light theme.
    "light": pgettext_lazy("trait of an image", "light"),
    "colour": _("colour"),
    "composition": _("composition"),
    "texture": _("texture"),
}


def traits(a: NDArray[np.float32], b: NDArray[np.float32]) -> str:
    """The one or two parts of two wf1 vectors that agree most beyond chance, best first."""
    surprise: dict[str, float] = {}
    start = 0
    for name, size, mean, deviation in PARTS:
        here, there = a[start : start + size], b[start : start + size]
        length = float(np.linalg.norm(here) * np.linalg.norm(there))
        agreement = float(here @ there) / length if length > 0 else 0.0
        surprise[name] = (agreement - mean) / deviation
        start += size
    first, second = sorted(surprise, key=surprise.__getitem__, reverse=True)[:2]
    # A second trait is worth naming only when it is nearly as telling as the first.
    return f"{first} {second}" if surprise[second] > 0.6 * surprise[first] > 0 else first


def words(stored: str) -> list[str]:
    """Stored traits in the reader's language."""
    return [str(WORDS[each]) for each in stored.split() if each in WORDS]
