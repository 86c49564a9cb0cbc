"""From a derivative back to what was asked, and what stands in the way of asking it again."""

from dataclasses import dataclass, fields, replace
from typing import Any

from django.core.files.storage import default_storage
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from forum.images.models import Descent, File, FileRole, Image
from forum.members.models import Member
from forum.threads.sentences import sentence
from generation import queue
from generation.requests import EditRequest, ImageRef, Operation

#: Strength where a recipe of old says none.
STRENGTH = 0.6


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a picture cannot be made again, or why it may come out otherwise."""

    #: A stable word.
    reason: str
    sentence: Promise | str
    #: Whether it cannot be tried at all.
    blocks: bool = True


@dataclass(frozen=True, slots=True)
class Again:
    """What would be asked, as far as it is still known, and what is against it."""

    request: EditRequest | None
    obstacles: tuple[Obstacle, ...]

    @property
    def is_possible(self) -> bool:
        """Whether nothing stands in the way."""
        return self.request is not None and not any(each.blocks for each in self.obstacles)


NO_RECIPE = Obstacle(
    "no_recipe", _("An uploaded image has no recipe; only derivatives can be made again.")
)
WITHDRAWN = Obstacle("withdrawn", _("What was asked is no longer known."))
SOURCE_GONE = Obstacle("source_withdrawn", sentence("source_withdrawn"))
MASK_GONE = Obstacle("mask_gone", _("The mask it was made with is no longer here."))
FILE_GONE = Obstacle("file_gone", _("The stored picture is missing; there is nothing to compare."))
NO_MACHINE = Obstacle(
    "no_machine", _("No machine is at work right now; it will wait until one is."), blocks=False
)


def again(image: Image, viewer: Member | None) -> Again:
    """What it takes to make `image` once more, for somebody who may look at it."""
    recipe = image.recipe
    if not recipe or image.is_original:
        return Again(None, (NO_RECIPE,))
    if recipe.get("withdrawn"):
        return Again(None, (WITHDRAWN,))
    try:
        request = request_for(image)
    except LookupError:
        return Again(None, (SOURCE_GONE,))
    if request is None:
        return Again(None, (FILE_GONE,))
    machine = engine_obstacles(recipe, request.preset)
    found = [*machine, *picture_obstacles(request, recipe, viewer)]
    return Again(request, tuple(found))


def request_for(image: Image) -> EditRequest | None:
    """The recipe as a request; None without a stored picture. Raises `LookupError` without sources.

    What the studio still knows of the first job counts, since it names every file; what the recipe
    says of operations, seed, size, steps and batch outweighs it, since that is what really happened.
    """
    master = image.file(FileRole.ORIGINAL)
    if master is None:
        return None
    recipe = image.recipe
    kept = ImageRef(sha256=master.sha256, name=master.name, size=(master.width, master.height))
    asked = first_request(image) or rebuilt(image)
    return replace(
        asked,
        read_as=operations(recipe) or asked.read_as,
        seed=int(recipe.get("seed", asked.seed)),
        bucket=recipe.get("bucket", asked.bucket),
        embed=(),
        compare_to=kept,
        **called(recipe),
    )


def called(recipe: dict[str, Any]) -> dict[str, Any]:
    """With what a model was really called, whatever its preset says by now; nothing elsewhere."""
    if "steps" not in recipe:
        return {}
    size = recipe.get("size")
    return {
        "steps": recipe["steps"],
        "guidance": recipe.get("guidance"),
        "negative": str(recipe.get("negative") or ""),
        "size": None if size is None else (size[0], size[1]),
    }


def first_request(image: Image) -> EditRequest | None:
    """What was asked the first time; None where the studio has forgotten it."""
    try:
        found = queue.request(image.job or 0)
    except LookupError:
        return None
    return found if isinstance(found, EditRequest) else None


def rebuilt(image: Image) -> EditRequest:
    """The request from recipe and lineage alone. Raises `LookupError` where a source has no file."""
    recipe = image.recipe
    rows = Descent.objects.filter(child=image).select_related("source")
    return EditRequest(
        preset=str(recipe.get("preset", "")),
        prompt=str(recipe.get("prompt", "")),
        seed=int(recipe.get("seed", 0)),
        sources=tuple(each.source.source_ref() for each in rows.prefetch_related("source__files")),
        strength=float(recipe.get("strength", STRENGTH)),
    )


def operations(recipe: dict[str, Any]) -> tuple[Operation, ...]:
    """What the engine did, as it takes it; empty for engines that read their prompts whole."""
    known = {each.name for each in fields(Operation)}
    return tuple(
        Operation(**{name: value for name, value in each.items() if name in known})
        for each in recipe.get("operations", [])
        if isinstance(each, dict) and "name" in each
    )


def engine_obstacles(recipe: dict[str, Any], name: str) -> list[Obstacle]:
    """What has become of the preset of this name, of machines and versions."""
    preset = queue.presets().get(name)
    if preset is None:
        said = format_lazy(_("The preset “{name}” is no longer here."), name=name)
        return [Obstacle("no_engine", said)]
    if preset.engine != recipe.get("engine", preset.engine):
        said = format_lazy(_("The preset “{name}” names another engine now."), name=name)
        return [Obstacle("no_engine", said)]
    if not queue.can_do(name):
        return [NO_MACHINE]
    return version_obstacles(recipe, name)


def version_obstacles(recipe: dict[str, Any], preset: str) -> list[Obstacle]:
    """Libraries of which no machine that takes this preset has the version of the first time."""
    here = [
        each.about.get("versions", {})
        for each in queue.workers()
        if f"edit:{preset}" in each.queues
    ]
    found = []
    for name, then in recipe.get("versions", {}).items():
        now = {str(each[name]) for each in here if name in each}
        if now and not any(is_same(str(then), each) for each in now):
            said = format_lazy(
                _("{name} was {then}; it is {now} now. The picture may come out otherwise."),
                name=name, then=then, now=", ".join(sorted(now)),
            )  # fmt: skip
            found.append(Obstacle("versions", said, blocks=False))
    return found


def is_same(then: str, now: str) -> bool:
    """Whether two versions are one: a package may add a number of its own to its library's."""
    shorter, longer = sorted((then, now), key=len)
    return longer == shorter or longer.startswith((f"{shorter}.", f"{shorter}+"))


def picture_obstacles(
    request: EditRequest, recipe: dict[str, Any], viewer: Member | None
) -> list[Obstacle]:
    """Sources, mask and the kept picture: those that are gone, or closed to this person."""
    found = []
    wanted = {each.name for each in request.sources}
    there = File.objects.filter(name__in=wanted, image__in=Image.objects.visible_to(viewer))
    if len(wanted) > there.count() or not all(map(default_storage.exists, wanted)):
        found.append(SOURCE_GONE)
    if recipe.get("mask") and (
        request.mask is None or not default_storage.exists(request.mask.name)
    ):
        found.append(MASK_GONE)
    if request.compare_to is None or not default_storage.exists(request.compare_to.name):
        found.append(FILE_GONE)
    return found
