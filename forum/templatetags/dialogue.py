"""`{% load dialogue %}`: how long ago, in which language, and by whom."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
from datetime import datetime
from typing import Any

from django import template
from django.forms import Form
from django.template import Context
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from forum.images.models import Image
from forum.members.models import Member
from forum.threads.cards import Card
from forum.threads.forms import Masked
from forum.threads.models import ReplyState

register = template.Library()

#: Shorter times are "just now".
A_MINUTE = 60


#: Rendered markup by template, language and all that it shows. Most of a page is made of such pieces;
#: the key holds what is shown, so nothing ever has to be thrown out but the oldest.
_remembered: "OrderedDict[tuple[Hashable, ...], SafeString]" = OrderedDict()
MOST_REMEMBERED = 4096


def remembered(
    name: str, shows: tuple[Hashable, ...], words: dict[str, Any], own: Sequence[str] = ()
) -> SafeString:
    """A template rendered once for all who look. `shows` is everything that its output depends on.

    `own` are pieces of its markup that are new each time, such as a form's token: what is kept has
    places for them. NUL marks those, which nobody can write here.
    """
    key = (name, get_language(), *shows)
    markup = _remembered.pop(key, None)
    if markup is None:
        markup = render_to_string(name, words)
        for place, piece in enumerate(own):
            markup = mark_safe(markup.replace(piece, f"\0{place}\0"))
    _remembered[key] = markup
    if len(_remembered) > MOST_REMEMBERED:
        _remembered.popitem(last=False)
    for place, piece in enumerate(own):
        markup = mark_safe(markup.replace(f"\0{place}\0", piece))
    return markup


@register.simple_tag(takes_context=True)
def bar(context: Context) -> SafeString:
    """`{% bar %}`: the bar above every page, alike for one person on all pages of a kind."""
    request, viewer = context.get("request"), context.get("viewer")
    token = str(context.get("csrf_token") or "")
    words: dict[str, Any] = context.flatten()  # type: ignore[assignment]
    if request is None or not token:
        return render_to_string("_bar.html", words)
    here = request.resolver_match.url_name if request.resolver_match else None
    who = viewer and (viewer.pk, str(viewer), viewer.username, viewer.is_moderator)
    back = f'name="next" value="{escape(request.get_full_path())}"'
    shows = (context.get("site_name"), here, who)
    return remembered("_bar.html", shows, words, (token, back))


@register.simple_tag(takes_context=True)
def foot(context: Context) -> SafeString:
    """`{% foot %}`: what stands below every page."""
    viewer = context.get("viewer")
    return remembered("_foot.html", (viewer and viewer.theme,), {"viewer": viewer})


@register.simple_tag(takes_context=True)
def composer(context: Context) -> SafeString:
    """`{% composer %}`: where an image is answered; alike for all members until something is said."""
    words: dict[str, Any] = context.flatten()  # type: ignore[assignment]
    form, image = words["form"], words["image"]
    token = str(words.get("csrf_token") or "")
    if not (token and words["may_answer"] and form.is_fresh) or words.get("sent"):
        return render_to_string("threads/_composer.html", words)
    engines = [(name, str(title)) for name, title in form.fields["preset"].choices]
    shows = (image.pk, image.allow_derivatives, form.usual, *engines, *words["chips"])
    return remembered("threads/_composer.html", shows, words, (token, form["key"].value()))


@register.simple_tag(takes_context=True)
def reply(context: Context, card: Card) -> SafeString:
    """`{% reply card %}`: one reply as everybody in its thread may see it.

    With `problem` in the context it says beside the reply what did not go.
    """
    words = {"card": card, "reply": card.reply, "image": card.image}
    words |= {name: context.get(name) for name in ("problem", "csrf_token")}
    if card.state != ReplyState.DONE:
        return render_to_string("threads/_unborn.html", words)
    return render_to_string("threads/_done.html", words) if words["problem"] else finished(card)


def finished(card: Card) -> SafeString:
    """A reply that has become an image."""
    words = {"card": card, "reply": card.reply, "image": card.image}
    return remembered("threads/_done.html", card.shown, words)


@register.simple_tag
def easel(form: Masked, image: Image, over: str = "") -> SafeString:
    """`{% easel form image %}`: where the image may change; the same for all until a mask is sent.

    `over` is the address of another picture to paint on, such as a take of one's own.
    """
    words = {"form": form, "image": image, "over": over}
    if over or form.is_bound or form.kept_mask:
        return render_to_string("threads/_mask.html", words)
    return remembered("threads/_mask.html", (image.pk,), words)


@register.simple_tag
def looks(image: Image, chips: Sequence[Any]) -> SafeString:
    """`{% looks image chips %}`: one-tap looks, whose thumbnails come when they are in sight."""
    words = {"image": image, "chips": chips, "lazy": True}
    return remembered("threads/_looks.html", (image.pk, *chips), words)


@register.simple_tag
def blank(form: Form) -> SafeString:
    """`{% blank form %}`: the fields of a form; the same for all until something is sent."""
    words = {"form": form}
    if form.is_bound or form.initial:
        return render_to_string("_form.html", words)
    return remembered("_form.html", (type(form).__qualname__, form.prefix), words)


@register.filter
def lang(language: str) -> SafeString:
    """`<p{{ reply.language|lang }}>`: the attribute, where the language is known."""
    return format_html(' lang="{}"', language) if language else mark_safe("")


@register.filter
def ago(moment: datetime) -> SafeString:
    """`{{ reply.created_at|ago }}`: "12 minutes ago", with the exact time for machines."""
    short = age(moment)
    said = _("%(time)s ago") % {"time": short} if short else _("just now")
    return _time(moment, said)


@register.filter
def waited(moment: datetime) -> SafeString:
    """`{{ image.created_at|waited }}`: "40 minutes", with the exact time for machines."""
    return _time(moment, age(moment) or _("a moment"))


def age(moment: datetime) -> str:
    """One unit of time since a moment; empty below a minute."""
    if (timezone.now() - moment).total_seconds() < A_MINUTE:
        return ""
    return timesince(moment, depth=1).replace("\xa0", " ")


def _time(moment: datetime, said: str) -> SafeString:
    return format_html('<time datetime="{}">{}</time>', moment.isoformat(timespec="seconds"), said)


@register.filter
def who(member: Member | None) -> SafeString:
    """`{{ reply.author|who }}`: a member's name with the way to their page."""
    if member is None:
        return format_html("<span>{}</span>", _("somebody who left"))
    if member.left_at is not None:
        return format_html("<span>{}</span>", str(member))
    return format_html(
        '<a href="{}">{}</a>', reverse("member", args=[member.username]), str(member)
    )
