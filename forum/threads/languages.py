"""Which language somebody wrote in, as far as the script tells."""

import re

#: (BCP 47 tag, characters that only its script uses), the more telling ones first.
SCRIPTS = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af\u1100-\u11ff]")),
    ("zh", re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U000323af]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
)


def guess(text: str, otherwise: str = "en") -> str:
    """A BCP 47 tag for `lang`; `otherwise` for Latin letters, "" for empty text.

    One script may write many languages: this is for voices and fonts, not for statistics.
    """
    if not text.strip():
        return ""
    found = (tag for tag, script in SCRIPTS if script.search(text))
    return next(found, otherwise)
