"""People, images and replies that were never saved, for the page of pieces."""

from django.utils import timezone

from forum.boards.models import Board
from forum.images.models import File, FileRole, Image, ImageState, Kind, Origin
from forum.members.models import Member
from forum.reruns.cards import Card as RerunCard
from forum.reruns.models import Rerun
from forum.threads.cards import Card, card
from forum.threads.models import Reply, ReplyKind, ReplyState, Thread
from generation.queue import Standing

WIDTH, HEIGHT = 960, 640
NIGHT, SNOW, LINE = 1, 2, 3


def member(pk: int, name: str) -> Member:
    """Somebody."""
    return Member(pk=pk, username=name.lower(), name=name)


LIN, ADA = member(1, "Lin"), member(2, "Ada")
BOARD = Board(pk=1, slug="samples", title="Samples")
THREAD = Thread(pk=1, board=BOARD, title="What does leaving look like?", image_count=24)


def image(pk: int, **more: object) -> Image:
    """An image with a thumbnail and a display, by Lin unless `more` says otherwise."""
    made = Image(
        **{
            "pk": pk, "board": BOARD, "thread": THREAD, "author": LIN, "kind": Kind.ORIGINAL,
            "title": "Hills before evening", "language": "en", "width": WIDTH, "height": HEIGHT,
            **more,
        }
    )  # fmt: skip
    files = [
        File(pk=pk * 10 + place, image=made, role=role, width=WIDTH, height=HEIGHT)
        for place, role in enumerate((FileRole.DISPLAY, FileRole.THUMB))
    ]
    made._prefetched_objects_cache = {"files": files}  # type: ignore[attr-defined]
    return made


def derivative(pk: int, prompt: str, **more: object) -> Image:
    """An image that the darkroom made of another one."""
    recipe = {"prompt": prompt, "engine": "darkroom", "seed": 4082}
    return image(pk, kind=Kind.DERIVATIVE, author=ADA, recipe=recipe, title="", **more)


ORIGINAL = image(4)


def images() -> dict[str, Image]:
    """Images by the name of their state."""
    return {
        "original": ORIGINAL,
        "generated": derivative(NIGHT, "make it night"),
        "made with AI, says its author": image(8, origin=Origin.AI_DECLARED),
        "hidden": image(12, state=ImageState.HIDDEN),
        "withdrawn": image(16, state=ImageState.WITHDRAWN),
    }


def reruns() -> dict[str, RerunCard]:
    """Reruns by the name of their state."""
    image, told = derivative(NIGHT, "make it night"), {"asker": ADA, "created_at": timezone.now()}
    numbers = {"largest": 9, "mean": 0.4, "differing": 0.31, "pdq_distance": 2}
    because = [{"what": "numpy", "then": "2.3.0", "now": "2.4.6"}]
    made = {
        "made again": Rerun(pk=1, image=image, state="waiting", **told),
        "identical": Rerun(
            pk=2, image=image, state="done", verdict="identical", largest=0, differing=0.0,
            versions_then={"numpy": "2.4.6"}, versions_now={"numpy": "2.4.6"}, **told,
        ),
        "same to the eye": Rerun(
            pk=3, image=image, state="done", verdict="same", because=because, **numbers, **told
        ),
        "not made again": Rerun(pk=4, image=image, state="failed", reason="worker_lost", **told),
    }  # fmt: skip
    return {name: RerunCard(row) for name, row in made.items()}


def reply(pk: int, prompt: str, *, state: str = ReplyState.WAITING, **more: object) -> Reply:
    """Ada's answer to the original."""
    language = "zh-Hans" if prompt > "\u3000" else "en"
    return Reply(
        **{
            "pk": pk, "thread": THREAD, "to": ORIGINAL, "author": ADA, "kind": ReplyKind.PROMPT,
            "prompt": prompt, "language": language, "job": pk, "state": state, **more,
        }
    )  # fmt: skip


def cards() -> dict[str, Card]:
    """Replies by the name of their state."""
    running = ReplyState.RUNNING
    failed = {"state": ReplyState.FAILED, "reason": "nothing_understood"}
    return {
        "waiting": card(reply(1, "像一场梦"), Standing("waiting", before=2, seconds=24)),
        "envisioning, no frame yet": card(
            reply(2, "fog, and nobody", state=running), Standing("running", total=28, seconds=8)
        ),
        "envisioning": card(
            reply(8, "like a memory in brushstrokes", state=running),
            Standing("running", step=18, total=28, has_frame=True, frame_step=18),
        ),
        "did not come out": card(reply(3, "a dragon above it", **failed), None),
        "did not come out, worth another try": card(
            reply(4, "snow", state=ReplyState.FAILED, reason="worker_lost"), None
        ),
        "stopped": card(reply(5, "only the force", state=ReplyState.CANCELLED), None),
        "done": card(done(6, "snow over the silent hills", SNOW), None),
        "done, by upload": card(done(7, "", LINE, kind=ReplyKind.UPLOAD, job=None), None),
    }


def done(pk: int, prompt: str, picture: int, **more: object) -> Reply:
    """An answer that came out."""
    return reply(pk, prompt, state=ReplyState.DONE, image=derivative(picture, prompt), **more)
