"""Why a stranger's file is not taken: a stable code, one sentence for people, and an HTTP status."""

from typing import Any

from django.utils.translation import gettext_lazy as _

#: code -> (HTTP status, sentence). Sentences name no path, library or trace.
TABLE: dict[str, tuple[int, Any]] = {
    "too_large": (413, _("This file is larger than %(limit)s MB.")),
    "quota_full": (422, _("Your images fill the %(limit)s MB that a member has here.")),
    "storage_full": (507, _("No room at the moment. Your text is kept.")),
    "storage_away": (503, _("The file could not be stored. Please try again in a moment.")),
    "empty": (422, _("This file is empty.")),
    "not_an_image": (422, _("This file is not a picture.")),
    "kind_not_accepted": (422, _("Pictures are taken as %(limit)s.")),
    "too_small": (422, _("This picture is too small: each side needs %(limit)s pixels.")),
    "too_wide": (422, _("At most %(limit)s pixels a side.")),
    "too_many_pixels": (422, _("At most %(limit)s million pixels.")),
    "broken": (422, _("This picture is damaged and cannot be read to its end.")),
    "too_costly": (422, _("This picture takes too much to unpack.")),
    "busy": (503, _("Many pictures are being looked at. Please try again in a moment.")),
    "mask_kind": (422, _("A mask is a PNG or a WebP, white where the image may change.")),
    "mask_shape": (
        422,
        _("This mask has another shape than the image. It should be like %(limit)s."),
    ),
    "mask_empty": (422, _("The mask is empty: paint what may change.")),
    "mask_rectangle": (422, _("This rectangle does not lie within the image.")),
    "mask_gone": (422, _("This mask is no longer here. Paint it anew.")),
    "mask_full": (422, _("Everything may change, so no mask is needed.")),
    "key_reused": (409, _("This form was already sent with another picture.")),
    "not_yours": (403, _("Only its author or a moderator may do this.")),
    "withdrawn": (409, _("This image was withdrawn.")),
    "no_reason": (422, _("Say why: its author will read it.")),
    "hidden_by_house": (
        403,
        _("A moderator of the whole forum hid it; only they show it again. Ask them."),
    ),
}

#: Seconds after which a refusal that will pass may be tried again.
RETRY_AFTER = {"busy": 5, "storage_away": 30}


class Refused(Exception):
    """A picture, or what was to be done with it, was not accepted.

    `code` is stable and meant for programs, `sentence` for people, `status` is an HTTP status,
    `retry_after` seconds or None.
    """

    def __init__(self, code: str, sentence: Any, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence
        self.status = status
        self.retry_after = RETRY_AFTER.get(code)


def refused(code: str, limit: object = "") -> Refused:
    """The refusal of this code; `limit` is what its sentence names. Raises KeyError for unknown codes."""
    status, sentence = TABLE[code]
    return Refused(code, sentence % {"limit": limit} if limit != "" else sentence, status)
