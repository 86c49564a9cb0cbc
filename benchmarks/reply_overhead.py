"""How much time does the house add to an answer? From a member's prompt to the finished reply.

    python benchmarks/reply_overhead.py [--answers 40] [--picture FILE]

Starts an embedded PostgreSQL and a real `manage.py worker` with the darkroom, opens a thread with one
picture, and answers it again and again while nothing else happens. The clock runs from the call of
`answer_by_prompt` to the moment a listener hears that the job is done, and on to the moment the reply
has its image (links and lineage included). The engine's own time is what the recipe says of the call
of the engine. Results go to benchmarks/results/reply_overhead.md.
"""

import argparse
import io
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django
import numpy as np
import psycopg
from PIL import Image as Pictures

from forum.running.postgres import temporary

RESULTS = Path(__file__).parent / "results" / "reply_overhead.md"
GOAL_MS = 60.0
PROMPTS = ("sepia", "a pencil sketch", "at night", "in snow")


@dataclass(frozen=True)
class Answer:
    """Milliseconds of one answer."""

    to_done: float
    to_reply: float
    engine: float
    sources: float
    files: float

    @property
    def overhead(self) -> float:
        """What is not the engine's own, until the job is done."""
        return self.to_done - self.engine

    @property
    def reply_overhead(self) -> float:
        """What is not the engine's own, until the reply has its image."""
        return self.to_reply - self.engine


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--answers", type=int, default=40)
    words.add_argument("--picture", type=Path)
    asked = words.parse_args()
    with temporary({"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}) as server:
        os.environ.update(
            DATABASE_URL=server.url(),
            FORUM_DATA_DIR=str(server.folder.parent / "data"),
            SECRET_KEY="a key for a measurement, long enough",
            FORUM_EDITS_PER_HOUR="100000",
            FORUM_FREE_MB="0",
            DJANGO_SETTINGS_MODULE="forum.settings",
        )
        manage("migrate", "--noinput", "-v0")
        django.setup()
        with worker() as process:
            taken, memory = measure(asked.answers, asked.picture), resident(process.pid)
    report = told(taken, memory)
    RESULTS.write_text(report, "utf-8")
    print(report)
    return 0 if median([each.overhead for each in taken]) <= GOAL_MS else 1


def manage(*words: str) -> None:
    """Run a management command."""
    subprocess.run([sys.executable, str(ROOT / "manage.py"), *words], check=True)


@contextmanager
def worker() -> Iterator["subprocess.Popen[bytes]"]:
    """A real worker, heard of and warm."""
    from generation import queue

    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "worker"], stderr=subprocess.DEVNULL
    )
    try:
        while not queue.workers():
            if process.poll() is not None:
                raise SystemExit("The worker ended.")
            time.sleep(0.1)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def measure(answers: int, picture: Path | None) -> list[Answer]:
    """Open a thread and answer it, one answer after the other; the first four warm up."""
    from django.conf import settings

    first, member = thread(picture)
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as listener:
        listener.execute("LISTEN changes")
        taken = [
            answer(listener, first, member, PROMPTS[n % len(PROMPTS)], n)
            for n in range(answers + 4)
        ]
    return taken[4:]


def thread(picture: Path | None) -> tuple[Any, Any]:
    """A thread with one picture of 1600 x 1200, and its author."""
    from django.core.files.base import ContentFile

    from forum.boards.models import Board
    from forum.images.ingest import ingest
    from forum.members.models import Member, Role
    from forum.threads.actions import open_thread

    member = Member.objects.create_user("measurer", password="open sesame 7", role=Role.OWNER)
    board = Board.objects.create(slug="measures", title="Measures", made_by=member)
    source = Pictures.open(picture).convert("RGB") if picture else scene()
    encoded = io.BytesIO()
    source.save(encoded, "JPEG", quality=92)
    ingested = ingest(ContentFile(encoded.getvalue(), "a.jpg"), member=member)
    opened = open_thread(
        member=member, board=board, ingested=ingested, licence=board.licence, key="first"
    )
    return opened.first_image, member


def scene() -> Pictures.Image:
    """Something like a photograph: cloudy shapes at several scales, with grain."""
    rng = np.random.default_rng(7)
    total = np.zeros((1200, 1600, 3))
    for size, weight in ((4, 90), (16, 50), (64, 30), (256, 14)):
        small = rng.uniform(0, weight, (size * 3 // 4, size, 3)).astype(np.uint8)
        total += np.asarray(
            Pictures.fromarray(small).resize((1600, 1200), Pictures.Resampling.BICUBIC)
        )
    return Pictures.fromarray(
        (total + rng.normal(40, 3, total.shape)).clip(0, 255).astype(np.uint8)
    )


def answer(
    listener: "psycopg.Connection[Any]", first: Any, member: Any, prompt: str, seed: int
) -> Answer:
    """One answer, timed by what a listener hears; the state is read only after it heard something."""
    from forum.threads.actions import answer_by_prompt
    from forum.threads.models import Reply
    from generation.models import Job

    begun = time.perf_counter()
    reply = answer_by_prompt(
        member=member, to=first, prompt=prompt, seed=seed, key=f"answer-{seed}"
    )
    done = 0.0
    for heard in listener.notifies(timeout=60):
        now = (time.perf_counter() - begun) * 1000
        words = json.loads(heard.payload)
        job = words["k"] == "job" and words["id"] == reply.job
        if job and not done and Job.objects.filter(pk=reply.job, state="done").exists():
            done = now
        answered = words["k"] == "reply" and words["id"] == reply.pk
        if answered and Reply.objects.filter(pk=reply.pk, state="done").exists():
            stages = Job.objects.get(pk=reply.job).result["recipe"]["stages"]
            return Answer(done, now, stages["engine"], stages["sources"], stages["files"])
    raise SystemExit(f"No answer came: {Job.objects.get(pk=reply.job).reason}")


def resident(pid: int) -> int:
    """Megabytes of the worker and its hosts."""
    found = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid), "--ppid", str(pid)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sum(int(each) for each in found.stdout.split()) // 1024


def median(values: list[float]) -> float:
    return statistics.median(values)


def told(taken: list[Answer], memory: int) -> str:
    """The report."""
    rows = {
        "overhead until the job is done": [each.overhead for each in taken],
        "overhead until the reply has its image": [each.reply_overhead for each in taken],
        "of it: sources decoded": [each.sources for each in taken],
        "of it: files encoded and flushed, vector, hash": [each.files for each in taken],
        "of it: all else until done": [e.overhead - e.sources - e.files for e in taken],
        "(the engine's own time)": [each.engine for each in taken],
    }
    lines = "\n".join(
        f"| {name} | {median(values):.0f} | {sorted(values)[int(len(values) * 0.95)]:.0f} |"
        for name, values in rows.items()
    )
    reached = median(rows["overhead until the job is done"])
    return f"""# What the house adds to an answer

{len(taken)} answers to one picture of 1600 x 1200 ({", ".join(PROMPTS)}), one at a time, on
{platform.machine()} with {os.cpu_count()} cores, embedded PostgreSQL with fsync, local storage,
Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}, {datetime.now(UTC):%Y-%m-%d}.
Milliseconds:

| | p50 | p95 |
|---|---|---|
{lines}

Goal: p50 at most {GOAL_MS:.0f} ms until done; measured {reached:.0f} ms. The worker with its hosts holds
{memory} MB (goal: under 400).
Written by `python benchmarks/reply_overhead.py`.
"""


if __name__ == "__main__":
    sys.exit(main())
