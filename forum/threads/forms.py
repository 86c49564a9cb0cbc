"""Forms of the threads room. Messages stand beside their fields; what was typed stays."""

import re
import uuid
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Board, Licence
from forum.images.ingest import accepted_kinds
from forum.images.models import Image, Origin
from forum.members.models import Member
from forum.threads import chips
from forum.threads.sentences import sentence
from generation import queue

LONGEST_PROMPT = 2000
LONGEST_KEY = 64
STRENGTH = 0.6
#: Said of an engine that nobody at work has, while others are at work.
IMPOSSIBLE = sentence("no_worker")


def new_key() -> str:
    """A key for one sending of a form."""
    return uuid.uuid4().hex


def flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """One value for each field, the last one where several were sent."""
    return {name: data[name] for name in data}


def preset_choices(also: str = "", offer: queue.Offer | None = None) -> list[tuple[str, str]]:
    """Every preset that can be chosen now, `also` among them, by the name people read."""
    language = (get_language() or "en").lower()
    return [
        (name, preset.titles.get(language) or preset.titles.get("en") or name)
        for name, preset in (offer or queue.offer(also)).presets.items()
    ]


class Keyed(forms.Form):
    """A form that may be sent twice and is done once."""

    key = forms.CharField(
        max_length=LONGEST_KEY, widget=forms.HiddenInput, initial=new_key, required=False
    )

    def clean_key(self) -> str:
        """Whoever sends none means it once."""
        return self.cleaned_data["key"] or new_key()

    def renew(self) -> None:
        """Another key for the next sending; what was typed stays."""
        self.data = {**flat(self.data), "key": new_key()}


#: Sides of the rectangle, in percent of the image.
SIDES = ("mask_x", "mask_y", "mask_w", "mask_h")


def percent(label: Any, *, most: float = 100, initial: float | None = None) -> forms.FloatField:
    """A number from 0 to `most`."""
    widget = forms.NumberInput({"step": "any", "inputmode": "decimal"})
    return forms.FloatField(
        label=label, min_value=0, max_value=most, initial=initial, required=False, widget=widget
    )


class Masked(forms.Form):
    """Where the image may change: a file, a rectangle, or the mask that was kept before."""

    mask = forms.FileField(
        label=_("A mask as a file"),
        required=False,
        error_messages={"empty": _("This file is empty.")},
        widget=forms.FileInput(attrs={"accept": "image/png,image/webp"}),
        help_text=_("PNG or WebP in the shape of the image: white may change, black stays."),
    )
    mask_id = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)
    mask_off = forms.BooleanField(label=_("without this mask"), required=False)
    mask_x = percent(_("from the left"))
    mask_y = percent(_("from the top"))
    mask_w = percent(_("width"))
    mask_h = percent(_("height"))
    mask_feather = percent(_("soft edge"), most=10, initial=1)

    def clean(self) -> dict[str, Any]:
        """Gather what was said of the mask in `mask_words`, as `masks.actions.choose` takes it."""
        words: dict[str, Any] = super().clean() or {}
        kept, off = words.pop("mask_id", None), words.pop("mask_off", False)
        self.mask_words = {
            "upload": words.pop("mask", None),
            "kept": None if off else kept,
            "rectangle": self.rectangle([words.pop(side, None) for side in SIDES]),
            "feather": (words.pop("mask_feather", None) or 0) / 100,
        }
        return words

    def rectangle(self, sides: list[float | None]) -> tuple[float, ...] | None:
        """Left, top, width and height as shares of the image; None where nothing was said."""
        if all(side is None for side in sides) or any(side in self.errors for side in SIDES):
            return None
        for name, side in zip(SIDES, sides, strict=True):
            if side is None:
                self.add_error(name, _("A rectangle needs all four numbers."))
                return None
        return tuple((side or 0) / 100 for side in sides)

    def keep_mask(self, mask: int | None) -> None:
        """Show a mask that is kept instead of what was sent: a file cannot be sent back."""
        gone = dict.fromkeys([*SIDES, "mask_off"], "")
        self.data = {**flat(self.data), **gone, "mask_id": str(mask or "")}

    @property
    def mask_sides(self) -> list[forms.BoundField]:
        """The four fields of the rectangle."""
        return [self[name] for name in SIDES]

    @property
    def kept_mask(self) -> int | None:
        """The mask this form was given before, to be shown."""
        said = str(self["mask_id"].value() or "")
        return int(said) if said.isdecimal() and len(said) < 19 else None


class Prompt(Masked, Keyed):
    """The composer."""

    prompt = forms.CharField(
        label=_("What should it become?"),
        max_length=LONGEST_PROMPT,
        # Chips alone say enough; `clean` asks for one or the other.
        required=False,
        error_messages={
            "max_length": _("At most %(limit_value)d characters; these are %(show_value)d."),
        },
        widget=forms.Textarea(
            attrs={"rows": 2, "placeholder": _("Answer this image: what should it become?")}
        ),
    )
    strength = forms.FloatField(
        label=_("strength"),
        min_value=0,
        max_value=1,
        required=False,
        initial=STRENGTH,
        widget=forms.NumberInput(attrs={"type": "range", "step": "0.05"}),
    )
    preset = forms.ChoiceField(
        label=_("engine"), required=False,
        error_messages={"invalid_choice": _("There is no such engine here. Choose another one.")},
    )  # fmt: skip
    seed = forms.IntegerField(
        min_value=0, max_value=2**32 - 1, required=False, widget=forms.HiddenInput
    )

    second = forms.CharField(
        label=_("The other picture: its address or number"),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "…/images/12/"}),
    )

    def __init__(self, *args: Any, to: Image, **more: Any) -> None:
        more.setdefault("auto_id", f"id_%s_{to.pk}")
        self.offer = queue.offer(to.board.preset)
        #: The preset that answers here unless another is chosen.
        self.usual = to.board.preset or self.offer.usual
        more["initial"] = {"preset": self.usual, **(more.get("initial") or {})}
        before = more.pop("before", None)
        super().__init__(*args, **more)
        self.to = to
        engines: forms.ChoiceField = self.fields["preset"]  # type: ignore[assignment]
        engines.choices = preset_choices(offer=self.offer)
        self.understood: chips.Understood | None = None
        self.chips_are_unfit = False
        #: The other picture, where something looks at one.
        self.second_number: int | None = None
        # Read now: what is shown again keeps one value of each field alone.
        try:
            self.before = before or chips.sent(self.data)
        except chips.Unfit:
            self.before, self.chips_are_unfit = None, True

    def clean_prompt(self) -> str:
        """One kind of line end, whatever the browser sends."""
        return re.sub(r"\r\n?", "\n", self.cleaned_data["prompt"])

    def clean_second(self) -> int | None:
        """The number of the other picture."""
        said = self.cleaned_data["second"].strip()
        found = AnswerLink.NUMBER.fullmatch(said)
        if said and found is None:
            raise forms.ValidationError(_("This is no address of an image here."))
        return int(found[1]) if found else None

    def clean_strength(self) -> float:
        """The middle, where nothing was said."""
        said = self.cleaned_data["strength"]
        return STRENGTH if said is None else said

    def clean(self) -> dict[str, Any]:
        """Refuse a prompt of which the engine would understand nothing, and offer what it knows."""
        words: dict[str, Any] = super().clean() or {}
        if self.chips_are_unfit:
            self.add_error(
                None, _("The chips came damaged and were read anew. Look at them again.")
            )
        if "prompt" in words and "preset" in words:
            read = self.look(words["prompt"], words["preset"], words.get("strength", STRENGTH))
            words["prompt"] = words["prompt"].strip() and words["prompt"] or read.said
            words["read_as"] = read.operations if read.editable else None
            words["unread"] = read.plan.unknown if read.editable else None
            self.second_number = words.pop("second", None) if read.second else None
            self.judge(read, words["prompt"])
        words.pop("second", None)
        return words

    @property
    def pictures(self) -> int:
        """How many pictures are asked for."""
        return 1

    @property
    def preset_name(self) -> str:
        """The preset that is chosen so far, where there is such a one."""
        said = str(self["preset"].value() or "")
        return said if said in queue.presets() else ""

    @property
    def is_fresh(self) -> bool:
        """Whether nothing was said yet: it looks alike for all who may answer."""
        begun = self.is_bound or self.before or self.understood or self.chips_are_unfit
        return not begun and self.initial == {"preset": self.usual}

    def look(self, prompt: str, preset: str = "", strength: float = STRENGTH) -> chips.Understood:
        """Read a prompt, with the chips that were sent before."""
        name = preset or self.usual
        self.understood = chips.understand(prompt, name, self.to.board, self.before, strength)
        return self.understood

    def judge(self, read: chips.Understood, prompt: str) -> None:
        """Say what is amiss where there is nothing that could be done."""
        if self.offer.is_impossible(read.plan.preset) and not read.plan.refusal:
            self.add_error("preset", str(IMPOSSIBLE))
        if read.plan.refusal:
            self.add_error("preset", read.plan.refusal)
        elif not prompt.strip():
            self.add_error("prompt", _("Say what it should become."))
        elif read.second == "must" and "second" not in self.errors and not self.second_number:
            self.add_error("second", _("Say which picture it shall take after."))
        elif read.editable and not read.operations:
            gone = _("All chips are taken away. Put one back, or write something else.")
            said = " ".join(read.plan.notes) or _("None of this is understood.")
            self.add_error("prompt", gone if read.chips else said)

    def add_suggestion(self, word: str) -> None:
        """Put a chip's words behind what was typed: chips work without scripts too."""
        said = str(self.data.get("prompt", "")).rstrip()
        joint = "，" if said and ord(said[-1]) > 0x2FFF else ", "
        self.data = {**flat(self.data), "prompt": f"{said}{joint}{word}" if said else word}


ORIGINS = [
    (Origin.HAND, _("by hand or lens")),
    (Origin.AI_DECLARED, _("with AI")),
    (Origin.UNKNOWN, _("not known")),
]


class Picture(Keyed):
    """What is said of a picture that is uploaded."""

    file = forms.FileField(
        label=_("Picture"),
        error_messages={
            "required": _("Choose a picture first."),
            "empty": _("This file is empty."),
        },
        widget=forms.ClearableFileInput(attrs={"accept": "image/*"}),
        help_text=format_lazy(
            _("{kinds}, of which the first frame; at most {mb} MB and {mp} million pixels."),
            kinds=lazy(accepted_kinds, str)(),
            mb=settings.FORUM_UPLOAD_MB,
            mp=settings.FORUM_UPLOAD_MEGAPIXELS,
        ),
    )
    title = forms.CharField(label=_("Title"), max_length=120, required=False)
    alt = forms.CharField(
        label=_("What the picture shows"),
        max_length=1000,
        required=False,
        help_text=_("For those who cannot see it. One sentence is enough."),
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    origin = forms.ChoiceField(
        label=_("How it was made"),
        choices=ORIGINS,
        initial=Origin.UNKNOWN,
        required=False,
        widget=forms.RadioSelect,
    )
    licence = forms.ChoiceField(label=_("Licence"), choices=Licence.choices, required=False)
    allow_derivatives = forms.BooleanField(
        label=_("May be answered by derivatives"),
        required=False,
        initial=True,
        help_text=_("Otherwise it can be answered by uploads and links only."),
    )

    def clean_origin(self) -> str:
        """Not known, where nothing was said."""
        return self.cleaned_data["origin"] or Origin.UNKNOWN


class BoardField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """Boards by title, with who sees them: a picture is posted before those."""

    def label_from_instance(self, board: Board) -> str:
        """Such as "The wall · everybody"."""
        return f"{board} · {board.get_visibility_display()}"


class Post(Picture):
    """A first image, and the board where its thread stands."""

    board = BoardField(
        label=_("Board"),
        queryset=Board.objects.none(),
        empty_label=None,
        to_field_name="slug",
        error_messages={
            "required": _("Choose a board."),
            "invalid_choice": _("You cannot post on this board."),
        },
    )
    field_order = ("file", "board", "title", "alt", "origin", "licence", "allow_derivatives")

    def __init__(self, *args: Any, member: Member, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["board"].queryset = Board.objects.open_to(member)  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """The board's own licence, where none was said."""
        words: dict[str, Any] = super().clean() or {}
        if board := words.get("board"):
            words["licence"] = words.get("licence") or board.licence
        return words


class AnswerUpload(Picture):
    """A picture of one's own as an answer."""

    def __init__(self, *args: Any, to: Image, **more: Any) -> None:
        more["initial"] = {"licence": to.board.licence, **(more.get("initial") or {})}
        super().__init__(*args, **more)
        self.to = to

    def clean_licence(self) -> str:
        """The board's own licence, where none was said."""
        return self.cleaned_data["licence"] or self.to.board.licence


class AnswerLink(Keyed):
    """An existing image as an answer: its address or its number."""

    image = forms.CharField(
        label=_("Address or number of the image"),
        max_length=500,
        error_messages={"required": _("Say which image.")},
        help_text=_("Copy the address of its page, such as …/images/12/."),
    )

    NUMBER = re.compile(r"(?:.*/images/)?#?(\d{1,18})(?:/.*)?", re.ASCII | re.DOTALL)

    def clean_image(self) -> int:
        """The number of the image that was meant."""
        found = self.NUMBER.fullmatch(self.cleaned_data["image"].strip())
        if found is None:
            raise forms.ValidationError(_("This is no address of an image here."))
        return int(found[1])


class Reading(forms.Form):
    """What somebody sees in an image."""

    text = forms.CharField(
        label=_("What do you see in it?"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": _("Write something first.")},
    )

    def clean_text(self) -> str:
        """One kind of line end."""
        return re.sub(r"\r\n?", "\n", self.cleaned_data["text"])
