"""What the composer begins with: words to try, another image's recipe, or a reply to be changed."""

from typing import Any

from forum.images.models import Image
from forum.members.models import Member
from forum.threads import chips
from forum.threads.forms import LONGEST_PROMPT, Prompt
from forum.threads.models import Reply, ReplyKind
from forum.web import Request
from generation import queue
from generation.requests import EditRequest, Operation

Begun = tuple[dict[str, Any], tuple[Operation, ...]]
NOTHING: Begun = ({}, ())


def begun(request: Request, to: Image) -> Prompt:
    """The composer for an image, with the chips of what it begins with."""
    initial, operations = beginning(request)
    before = chips.Sent(chips.chips_of(operations), "") if operations else None
    form = Prompt(to=to, initial=initial, before=before)
    if initial.get("prompt") and request.member is not None:
        form.look(initial["prompt"], form.preset_name, initial.get("strength") or 0.6)
    return form


def beginning(request: Request) -> Begun:
    """Fields and operations that the address asks for; nothing where they are not to be seen."""
    if say := request.GET.get("say", "")[:LONGEST_PROMPT].replace("\0", ""):
        return {"prompt": say}, ()
    for name, find in (("recipe", from_recipe), ("draft", from_reply), ("change", from_own)):
        number = request.GET.get(name, "")
        if number.isdecimal() and len(number) <= 18:
            return find(request.member, int(number), request)
    return NOTHING


def from_recipe(member: Member | None, number: int, request: Request) -> Begun:
    """What was asked of another image, to ask the same of this one; with its seed if that is asked."""
    other = Image.objects.visible_to(member).filter(pk=number).first()
    if other is None or not other.recipe.get("prompt"):
        return NOTHING
    names = ["prompt", "strength", "preset", *(["seed"] if "seed" in request.GET else [])]
    return picked(other.recipe, names), done(other.recipe)


def from_reply(member: Member | None, number: int, _request: Request) -> Begun:
    """What a reply asked for, whoever said it, to ask for something like it."""
    seen = Reply.objects.visible_to(member).filter(kind=ReplyKind.PROMPT)
    reply = seen.select_related("image").filter(pk=number).first()
    if reply is None:
        return NOTHING
    names = ("prompt", "strength", "preset", "seed")
    initial = {name: getattr(reply, name) for name in names}
    # A mask is its painter's own, whoever else sees the reply.
    if reply.mask_id and member is not None and reply.author_id == member.pk:
        initial["mask_id"] = reply.mask_id
    return initial, asked(reply)


def from_own(member: Member | None, number: int, request: Request) -> Begun:
    """A reply that this person may stop, to be said anew."""
    if not Reply.objects.stoppable_by(member).filter(pk=number).exists():
        return NOTHING
    return from_reply(member, number, request)


def picked(recipe: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """Fields of a recipe that say something."""
    return {name: recipe[name] for name in names if recipe.get(name) is not None}


def asked(reply: Reply) -> tuple[Operation, ...]:
    """The chips that were sent with a reply: of its image's recipe, else of its job."""
    if reply.image is not None and reply.image.recipe:
        return done(reply.image.recipe)
    try:
        request = queue.request(reply.job) if reply.job else None
    except LookupError:
        return ()
    return (request.read_as or ()) if isinstance(request, EditRequest) else ()


def done(recipe: dict[str, Any]) -> tuple[Operation, ...]:
    """The operations of a recipe."""
    rows = recipe.get("operations", [])
    return tuple(
        Operation(str(each["name"]), dict(each.get("settings") or {}))
        for each in rows
        if isinstance(each, dict) and "name" in each
    )
