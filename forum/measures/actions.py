"""Verbs of this room: ask for null answers, take them in, let them go."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count
from django.utils.translation import gettext_lazy as _

from forum.announce import announce
from forum.images import audit, events
from forum.images.models import Descent, Image
from forum.links.models import EmbeddingWf1
from forum.measures.centralization import Shape, shape
from forum.measures.models import NullAnswer, NullAnswerQuerySet, NullState
from forum.measures.share import Share, share
from forum.members.models import Member
from forum.threads.actions import NotAllowed
from forum.threads.actions.gates import at_the_desk, pay, turn
from forum.threads.costs import Cost, cost
from forum.threads.models import Reply, Thread
from generation import queue
from generation.requests import EditRequest
from generation.results import EditResult

#: Where the studio posts a null answer to.
RESULT_TO = "forum.receive_null"
#: Null answers per image and program: seeds 0 to 7.
SEEDS = range(8)
STRENGTH = 0.6


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of an answer beside its null answers."""

    source: Image
    preset: str
    nulls: tuple[NullAnswer, ...]
    share: Share | None = None

    @property
    def is_forming(self) -> bool:
        """Whether some still come into being."""
        return any(each.state == NullState.WAITING for each in self.nulls)

    @property
    def done(self) -> list[NullAnswer]:
        """Those that have a picture."""
        return [each for each in self.nulls if each.state == NullState.DONE]

    @property
    def failed(self) -> bool:
        """Whether all have ended and too few came out."""
        return bool(self.nulls) and not self.is_forming and len(self.done) < 3


def known(image: Image, viewer: Member | None) -> Known | None:
    """What is known of a derivative; None for originals, and where the source cannot be seen."""
    preset = str(image.recipe.get("preset", "")) if image.recipe else ""
    source = source_of(image, viewer)
    if source is None or preset not in queue.presets():
        return None
    rows = NullAnswer.objects.of(source, preset, queue.program_version(preset))
    found = Known(source, preset, tuple(rows))
    if found.is_forming or len(found.done) < 3:
        return found
    vectors = dict(
        EmbeddingWf1.objects.filter(image__in=[source.pk, image.pk]).values_list("image", "vector")
    )
    if len(vectors) < 2:
        return found
    compared = share(
        vectors[source.pk],
        vectors[image.pk],
        [each.vector for each in found.done if each.vector is not None],
    )
    return Known(source, preset, found.nulls, compared)


def source_of(image: Image, viewer: Member | None) -> Image | None:
    """The image that a derivative answered, while this person may look at it."""
    first = Descent.objects.filter(child=image, position=0).values("source")
    seen = Image.objects.visible_to(viewer).filter(state="ready", pk__in=first)
    return seen.select_related("board").prefetch_related("files").first()


def price(found: Known, by: Member) -> Cost | None:
    """What asking costs: the time of all eight, and one of the allowance."""
    asked = [wordless(found.source, found.preset, seed) for seed in SEEDS]
    seconds = sum(queue.expected_seconds(each) for each in asked) / len(asked)
    return cost(by, found.preset, seconds, pictures=len(asked), uses=1)


@transaction.atomic
def ask(*, image: Image, by: Member) -> Known:
    """Have the apparatus answer the same source eight times without a word.

    They are kept: who asks about another answer to the same source gets them at once, for nothing.
    Raises NotAllowed, TooMany.
    """
    by = at_the_desk(by)
    found = known(image, by)
    if found is None:
        raise NotAllowed(_("There is nothing to compare: the source cannot be seen."), "no_source")
    if found.nulls and not found.failed:
        return found
    if not found.source.allow_derivatives:
        raise NotAllowed(_("Its author does not want derivatives."), "not_consented")
    if queue.offer().is_impossible(found.preset):
        raise NotAllowed(_("Impossible now: no machine at work has this engine."), "no_worker")
    pay(by, "envision")
    drop(NullAnswer.objects.filter(source=found.source, preset=found.preset))
    version = queue.program_version(found.preset)
    NullAnswer.objects.bulk_create(
        NullAnswer(
            source=found.source,
            preset=found.preset,
            version=version,
            seed=seed,
            asker=by,
            job=queue.submit(
                wordless(found.source, found.preset, seed),
                return_to=RESULT_TO,
                topic=f"image.{image.pk}",
                **turn(by, found.source.board),
            ),
        )
        for seed in SEEDS
    )
    tell(found.source)
    again = known(image, by)
    assert again is not None
    return again


def wordless(source: Image, preset: str, seed: int) -> EditRequest:
    """The request that says nothing. What reads prompts word by word surprises instead."""
    reads = queue.presets()[preset].engine == "darkroom"
    return EditRequest(
        preset=preset,
        prompt="",
        seed=seed,
        sources=(source.source_ref(),),
        strength=STRENGTH,
        read_as=queue.surprise(seed) if reads else None,
    )


@transaction.atomic
def take_in(job_id: int) -> NullAnswer | None:
    """Keep a null answer with its vector. None when nobody waits for it, and then its files go."""
    result = queue.result(job_id)
    found = NullAnswer.objects.select_for_update(of=("self",)).filter(job=job_id).first()
    if found is None or not isinstance(result, EditResult):
        queue.discard(job_id)
        return None
    queue.mark_taken_in(job_id)
    if found.state == NullState.DONE:
        return found
    vectors = {each.model: each.numbers for each in result.vectors}
    found.vector, found.state = list(vectors.get("wf1", ())) or None, NullState.DONE
    if found.vector is None:
        found.state = NullState.FAILED
    found.save(update_fields=["vector", "state"])
    tell(found.source)
    return found


def take_in_failure(job_id: int) -> bool:
    """Go on without a null answer that failed. False when nobody waited for this job."""
    rows = NullAnswer.objects.filter(job=job_id, state=NullState.WAITING)
    found = rows.select_related("source").first()
    if found is None or not rows.update(state=NullState.FAILED):
        return False
    tell(found.source)
    return True


def shape_of(thread: Thread) -> Shape:
    """Who answered whom in a thread, among those whose names stayed. Two queries."""
    said = Reply.objects.filter(thread=thread).done().exclude(author=None)
    pairs = said.exclude(to__author=None).order_by().values_list("author", "to__author")
    spoke = Image.objects.filter(thread=thread).exclude(author=None).order_by()
    return shape(
        [*spoke.values_list("author", flat=True).distinct().union(said.values_list("author"))],
        pairs.annotate(many=Count("pk")),
    )


def answered_in(thread: Thread) -> int:
    """How many images of a thread were answered."""
    return Reply.objects.filter(thread=thread).done().values("to").distinct().count()


def tell(source: Image) -> None:
    """Say that null answers to an image changed."""
    announce(f"image.{source.pk}", "null", id=source.pk)


def drop(nulls: NullAnswerQuerySet) -> None:
    """Null answers go with their files; what still comes into being is stopped."""
    gone = list(nulls)
    for each in gone:
        if each.state == NullState.WAITING:
            queue.cancel(each.job)
        else:
            queue.discard(each.job)
    NullAnswer.objects.filter(pk__in=[each.pk for each in gone]).delete()


def forget(image: Image) -> None:
    """Of a withdrawn or hidden image nothing is kept that was made of it without a word."""
    if not image.is_shown:
        drop(NullAnswer.objects.filter(source=image))


def files(names: Iterable[str]) -> set[str]:
    """Those of these stored files that belong to null answers."""
    jobs = queue.jobs_of(names)
    kept = set(NullAnswer.objects.filter(job__in=jobs.values()).values_list("job", flat=True))
    return {name for name, job in jobs.items() if job in kept}


for hooks in (events.on_withdrawn, events.on_hidden):
    if forget not in hooks:
        hooks.append(forget)
if files not in audit.KEPT_ELSEWHERE:
    audit.KEPT_ELSEWHERE.append(files)
