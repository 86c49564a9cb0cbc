"""Why the darkroom makes no picture, where "nothing understood" would be the wrong thing to say."""

from generation.engines.base import NothingUnderstood, SourceRefused


class NothingThere(NothingUnderstood):
    """No operation of this prompt has a place in the picture to work on."""

    reason = "nothing_there"


class MaskEmpty(NothingThere):
    """Nothing is painted in the mask, so nothing may change."""

    reason = "mask_empty"


class SecondMissing(NothingUnderstood):
    """This takes after a second image, and there is none."""

    reason = "second_missing"


class NoRoom(SourceRefused):
    """The image is too small or too narrow to work on."""

    reason = "source_too_small"
