"""`{% load pictures %}`: an image as an `<img>`, or as the grey place it left."""

from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from forum.images import pictures
from forum.images.models import File, FileRole, Image

register = template.Library()

#: Width of a display whose browser chooses: phones take the thumb, screens the display.
_CHOICE = (FileRole.THUMB, FileRole.DISPLAY)


@register.simple_tag
def image_url(image: Image, role: str = FileRole.DISPLAY) -> str:
    """`{% image_url image "thumb" %}`: the address of one of its files."""
    return pictures.image_url(image, role)


@register.filter
def alt_text(image: Image) -> str:
    """`{{ image|alt_text }}`: what to say instead of the picture."""
    return pictures.alt_text(image)


@register.simple_tag
def picture(
    image: Image | None, role: str = FileRole.THUMB, *, mark: bool = False, **attributes: Any
) -> SafeString:
    """`{% picture image role="thumb" sizes="…" class="…" mark=True %}`: an `<img>` or a grey place.

    Takes its files from those prefetched. `sizes` lets the browser choose between thumb and display.
    `mark` wraps it in `.pic`, with the corner mark where it is generated. `alt` replaces the rule,
    `loading` is lazy for thumbs and eager for displays; any other word becomes an attribute.
    """
    file = image.file(role) if image is not None and image.is_shown else None
    if image is None or file is None:
        return _grey(image, str(attributes.get("class", "")))
    words = {
        "src": pictures.image_url(image, role),
        "width": file.width,
        "height": file.height,
        "alt": pictures.alt_text(image),
        "loading": "eager" if role == FileRole.DISPLAY else "lazy",
        "decoding": "async",
        **(_choice(image) if attributes.get("sizes") else {}),
        **{
            name.replace("_", "-"): value for name, value in attributes.items() if value is not None
        },
    }
    tag = format_html("<img {}>", format_html_join(" ", '{}="{}"', words.items()))
    if not mark:
        return tag
    kind = "pic generated" if pictures.is_generated(image) else "pic"
    return format_html('<span class="{}">{}</span>', kind, tag)


def _choice(image: Image) -> dict[str, str]:
    """`srcset` of the files people may see."""
    found = [file for role in _CHOICE if isinstance(file := image.file(role), File)]
    offers = (f"{pictures.image_url(image, each.role)} {each.width}w" for each in found)
    return {"srcset": ", ".join(offers)}


def _grey(image: Image | None, classes: str) -> SafeString:
    """What stands where a picture was: its place stays, with the reason in words."""
    reason = _("not visible to you")
    if image is not None:
        reason = _("file missing") if image.is_shown else image.get_state_display()
    return format_html('<span class="{}">{}</span>', f"gone {classes}".strip(), reason)
