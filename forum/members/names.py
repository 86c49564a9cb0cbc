"""Names that can be told apart: no letters of two scripts that look alike, and no double of a name.

The rule is that of Unicode Technical Standard 39, "highly restrictive" (section 5.2): one script, or
Latin beside the scripts of Chinese, Japanese or Korean. Which script a letter is of stands in its Unicode
name. Doubles are told by what Cyrillic and Greek letters look like in Latin (section 4, confusables).
"""

import unicodedata
from collections.abc import Iterable
from typing import Final

from django.core.exceptions import ValidationError
from django.db.models import F, Func, QuerySet, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from forum.members.models import Member

#: First words of Unicode names that stand for a script of another name.
ALIAS: Final = {"KATAKANA-HIRAGANA": "HIRAGANA", "IDEOGRAPHIC": "CJK", "HALFWIDTH": "KATAKANA"}
#: Scripts that may stand side by side.
TOGETHER: Final = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)
#: Small letters of Cyrillic and Greek, and the Latin ones that they are taken for.
LOOKS: Final = "авекмнорстухіјѕԁԛԝһӏαβεηικνορτυχγ", "abekmhopctyxijsdqwhlabenikvoptuxy"
#: Letters of no script: a sign that is drawn on its own.
_SIGNS: Final = frozenset({"MODIFIER", "FEMININE", "MASCULINE", "MICRO"})
_MIXED = _(
    "This name mixes letters of different scripts, such as Latin and Cyrillic, that look alike. "
    "Write it in one script; Chinese, Japanese or Korean may stand beside Latin."
)
_UNSEEN = _("This name holds characters that nobody sees. Write it without them.")
_DOUBLE = _("Somebody here has a name that looks the same. Choose another one.")


def script_of(letter: str) -> str:
    """The script of a letter, such as "LATIN"; "" for what is used with all of them."""
    if not unicodedata.category(letter).startswith("L"):
        return ""
    word = unicodedata.name(letter, "UNKNOWN").partition(" ")[0]
    return "" if word in _SIGNS else ALIAS.get(word, word)


def is_mixed(text: str) -> bool:
    """Whether letters of scripts stand together that do not belong together."""
    scripts = {script for script in map(script_of, text) if script}
    return len(scripts) > 1 and not any(scripts <= allowed for allowed in TOGETHER)


def is_unseen(text: str) -> bool:
    """Whether there are controls, marks of direction or spaces without width."""
    return any(unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cn"} for letter in text)


def checked(text: str, parts: Iterable[str] | None = None) -> str:
    """A name in its composed form. Raises ValidationError where it cannot be told apart.

    `parts` are judged one by one; without them the name is judged as a whole.
    """
    if is_unseen(text):
        raise ValidationError(_UNSEEN, code="unseen")
    if any(is_mixed(part) for part in ([text] if parts is None else parts)):
        raise ValidationError(_MIXED, code="mixed_scripts")
    return text


def user_name(text: str) -> str:
    """A user name that nobody here has, nor one that looks the same. Raises ValidationError."""
    text = checked(unicodedata.normalize("NFKC", text))
    if doubles(text).exists():
        raise ValidationError(_DOUBLE, code="looks_taken")
    return text


def shown_name(text: str) -> str:
    """A name that is shown: each of its words in one script. Raises ValidationError."""
    text = unicodedata.normalize("NFC", text)
    return checked(text, text.split())


def likeness(text: str) -> str:
    """What a name looks like in small Latin letters."""
    return text.lower().translate(str.maketrans(*LOOKS))


def doubles(text: str) -> "QuerySet[Member]":
    """Members whose user name looks like this one and is written otherwise."""
    alike = Func(Lower("username"), Value(LOOKS[0]), Value(LOOKS[1]), function="translate")
    rows = Member.objects.annotate(likeness=alike, small=Lower(F("username")))
    return rows.filter(likeness=likeness(text)).exclude(small=text.lower())
