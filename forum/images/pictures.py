"""How an image is named in a page: the address of its files and what to say instead of it."""

from django.urls import reverse
from django.utils.translation import gettext as _

from forum.images.models import FileRole, Image, Origin


def image_url(image: Image, role: str = FileRole.DISPLAY) -> str:
    """Address of one of its files; every fetch asks for permission anew."""
    return reverse("image-file", args=[image.pk, role])


def is_generated(image: Image) -> bool:
    """Whether it carries the mark "generated": a derivative, or an upload made with AI."""
    return not image.is_original or image.origin in {Origin.AI_DECLARED, Origin.AI_DETECTED}


def alt_text(image: Image) -> str:
    """Its description, else its prompt or title; then whether it is generated or original."""
    prompt = str(image.recipe.get("prompt", "")) if image.recipe else ""
    said = image.alt or (_("reply: %(prompt)s") % {"prompt": prompt} if prompt else image.title)
    kind = _("generated") if is_generated(image) else _("original")
    return _("%(said)s (%(kind)s)") % {"said": said, "kind": kind} if said else kind
