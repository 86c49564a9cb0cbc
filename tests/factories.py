"""Real rows with real tiny files, for tests that need images but not their ingest."""

import hashlib
import io
import itertools
import uuid

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image as Pictures

from forum.boards.models import Board
from forum.images.models import File, FileRole, Image, Kind
from forum.looks.models import Looks
from forum.masks.actions import add_mask
from forum.masks.models import Mask
from forum.members.models import Member
from forum.threads.actions import answer_by_prompt
from forum.threads.models import Reply, ReplyKind, ReplyState, Thread
from generation import queue
from generation.models import Job
from generation.results import EditResult, StoredFile

SHADES = itertools.count(1)
SIZE = (48, 32)


def a_picture(size: tuple[int, int] = SIZE, kind: str = "WEBP") -> bytes:
    """A small picture as bytes; no two are alike."""
    shade = next(SHADES)
    picture = Pictures.linear_gradient("L").resize(size).convert("RGB")
    picture.putpixel((0, 0), (shade % 256, shade // 256 % 256, 90))
    out = io.BytesIO()
    picture.save(out, kind, lossless=True)
    return out.getvalue()


def stored(data: bytes, size: tuple[int, int] = SIZE) -> StoredFile:
    """Bytes in the default storage, under a random name."""
    name = default_storage.save(f"test/{uuid.uuid4().hex}.webp", ContentFile(data))
    digest = hashlib.sha256(data).hexdigest()
    return StoredFile(name, "image/webp", len(data), digest, *size)


def with_files(image: Image) -> Image:
    """Give an image its three files."""
    for role in (FileRole.ORIGINAL, FileRole.DISPLAY, FileRole.THUMB):
        kept = stored(a_picture())
        File.objects.create(
            image=image,
            role=role,
            name=kept.name,
            mime=kept.mime,
            bytes=kept.bytes,
            sha256=kept.sha256,
            width=kept.width,
            height=kept.height,
        )
    return image


def an_image(thread: Thread, author: Member | None, **words: object) -> Image:
    """An original in a thread, with files."""
    told = {"board": thread.board, "kind": Kind.ORIGINAL, "licence": "CC-BY-4.0", "title": "A hill"}
    told |= {"width": SIZE[0], "height": SIZE[1], "sha256": uuid.uuid4().hex * 2}
    return with_files(Image.objects.create(thread=thread, author=author, **{**told, **words}))


def a_thread(board: Board, author: Member | None, **words: object) -> Thread:
    """A thread with its first image and true counters."""
    thread = Thread.objects.create(board=board, title=str(words.get("title", "A hill")))
    thread.first_image = an_image(thread, author, **words)
    thread.image_count, thread.voice_count = 1, int(author is not None)
    thread.save()
    return thread


def an_upload_reply(to: Image, author: Member) -> Reply:
    """An image that answers another, done."""
    image = an_image(to.thread, author, title="An answer")
    return Reply.objects.create(
        thread=to.thread,
        to=to,
        author=author,
        image=image,
        kind=ReplyKind.UPLOAD,
        state=ReplyState.DONE,
        key=uuid.uuid4().hex,
        content="",
    )


def come_out(job_id: int, prompt: str = "make it night") -> EditResult:
    """Finish a job as a worker does: claim it, store a real picture, publish. What was published."""
    token = uuid.uuid4()
    assert Job.objects.claim(job_id, token)
    made = stored(a_picture())
    result = EditResult(
        file=made, recipe={"engine": "darkroom", "prompt": prompt, "size": [48, 32]}
    )
    assert Job.objects.finish(job_id, token, result.as_json())
    return result


def go_wrong(job_id: int, reason: str = "engine_error", detail: str = "") -> None:
    """Let a job fail as a worker does."""
    token = uuid.uuid4()
    assert Job.objects.claim(job_id, token)
    assert Job.objects.fail(job_id, token, reason, detail)


def ask(member: Member, to: Image, prompt: str = "make it night", key: str = "k", **more) -> Reply:
    """A reply by prompt, asked for by the verb itself."""
    return answer_by_prompt(member=member, to=to, prompt=prompt, key=key, **more)


def a_mask(member: Member, image: Image, **wish: object) -> Mask:
    """A mask of one's own, the left half unless `wish` says otherwise."""
    made = add_mask(member=member, image=image, **{"rectangle": (0, 0, 0.5, 1), **wish})
    assert made is not None
    return made


def a_sheet(image: Image) -> Looks:
    """The looks of an image as if the studio had made them: three squares of four pixels."""
    kept = stored(a_picture((12, 4)), (12, 4))
    facts = {
        "name": kept.name, "mime": kept.mime, "bytes": kept.bytes, "sha256": kept.sha256,
        "width": 12, "height": 4, "names": ["night", "snow", "comic"],
        "asked": queue.looks_version(), "made": queue.looks_version(),
    }  # fmt: skip
    return Looks.objects.create(image=image, **facts)
