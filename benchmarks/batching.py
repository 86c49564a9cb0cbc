"""Does batching keep a device busy, and does it cost anything when little is asked?

    python benchmarks/batching.py [--jobs 384]

A sleeping device stands for a GPU: a batch of any size takes 4 steps, of 50 ms and then of 250 ms. The
first is faster than any model here and shows what we cost; the second is like a small one. All else is real: an
embedded PostgreSQL, the queue, a `manage.py worker` with its device host, files, rows. Ratios are
taken within one run, of times that the device itself notes, so that a busy machine spoils them little.
Results go to benchmarks/results/batching.md.
"""

import argparse
import io
import os
import platform
import random
import signal
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import django
from PIL import Image

from forum.running.postgres import temporary

RESULTS = Path(__file__).parent / "results" / "batching.md"
STEPS, LARGEST = 4, 4
#: Seconds of one step.
PACES = (0.05, 0.25)
TABLE = """
[{name}]
engine = "tests.generation.together:Together"
host = "device"
titles = {{ en = "{name}" }}
licence = "Apache-2.0"
commercial = true
max_side = 256
source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
buckets = {buckets}
seconds = {seconds}
"""


@dataclass(frozen=True)
class Pace:
    """How fast the device is."""

    step: float
    #: Jobs of a crowd, and of a trickle.
    jobs: int
    trickle: int

    @property
    def run(self) -> float:
        """Seconds of one batch, whatever its size."""
        return STEPS * self.step

    def name(self, kind: str) -> str:
        """The preset of that kind: "single" or "many"."""
        return f"{kind}-{self.step * 1000:.0f}"


@dataclass(frozen=True)
class Measured:
    """What one run of jobs showed."""

    #: Share of the time between its first start and its last end in which the device worked.
    busy: float
    #: Jobs a second in the same time.
    rate: float
    #: Seconds from asking to done, one for each job.
    waits: list[float]
    #: Batches by size.
    sizes: Counter[int]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--jobs", type=int, default=384)
    asked = words.parse_args()
    with temporary() as server:
        folder = server.folder.parent / "data"
        folder.mkdir(exist_ok=True)
        (folder / "presets.toml").write_text(presets(), "utf-8")
        os.environ.update(
            DATABASE_URL=server.url(),
            FORUM_DATA_DIR=str(folder),
            FORUM_STUDIO_DEVICES="cpu",
            SECRET_KEY="a key for a measurement, long enough",
            DJANGO_SETTINGS_MODULE="forum.settings",
        )
        manage("migrate", "--noinput", "-v0")
        django.setup()
        with worker():
            source = picture()
            rows = [row(source, pace) for pace in paces(asked.jobs)]
    report = told(rows)
    RESULTS.write_text(report, "utf-8")
    print(report)
    return 0


def paces(jobs: int) -> list[Pace]:
    """The slower one with half as many jobs: it takes five times as long."""
    return [Pace(PACES[0], jobs, 24), Pace(PACES[1], jobs // 2, 12)]


def presets() -> str:
    """Two of the same engine for each pace: one job at a time, and up to four."""
    tables = {"single": [1], "many": [1, 2, LARGEST]}
    return "".join(
        TABLE.format(name=pace.name(kind), buckets=buckets, seconds=pace.run)
        for pace in paces(0)
        for kind, buckets in tables.items()
    )


def manage(*words: str) -> None:
    """Run a management command."""
    subprocess.run([sys.executable, str(ROOT / "manage.py"), *words], check=True)


@contextmanager
def worker() -> Iterator[None]:
    """A worker whose device is warm."""
    from generation import queue

    roles = ",".join(
        ["light", *(f"edit:{p.name(k)}" for p in paces(0) for k in ("single", "many"))]
    )
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "worker", "--queues", roles],
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        while not queue.can_do(paces(0)[0].name("many")):
            if process.poll() is not None:
                raise SystemExit("The worker ended.")
            time.sleep(0.1)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(40)


def picture() -> Any:
    """A stored source."""
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from generation.requests import ImageRef

    encoded = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(encoded, "JPEG")
    name = default_storage.save("images/a.jpg", ContentFile(encoded.getvalue()))
    return ImageRef("0" * 64, name, (64, 48))


def row(source: Any, pace: Pace) -> str:
    """Everything at one pace: a row of the report."""
    crowd(source, pace, "single", 4)
    crowd(source, pace, "many", 8)  # both are warm
    one = crowd(source, pace, "single", max(8, pace.jobs // LARGEST))
    many = crowd(source, pace, "many", pace.jobs)
    waits = {
        kind: statistics.mean(trickle(source, pace, kind).waits) for kind in ("single", "many")
    }
    batches = ", ".join(f"{count} of {size}" for size, count in sorted(many.sizes.items()))
    fill = sum(size * count for size, count in many.sizes.items()) / sum(many.sizes.values())
    return (
        f"| {pace.run * 1000:.0f} ms | {one.busy:.3f} | {many.busy * fill / LARGEST:.3f}"
        f" | {waits['single'] / waits['many']:.3f} | {one.rate:.1f} / {many.rate:.1f} | {batches}"
        f" | {waits['single'] * 1000:.0f} / {waits['many'] * 1000:.0f} ms |\n"
    )


def ask(source: Any, pace: Pace, kind: str, seed: int) -> int:
    """One edit, by a member of its own."""
    from generation import queue
    from generation.requests import EditRequest

    prompt = f"{seed} {STEPS} x {pace.step}"
    request = EditRequest(pace.name(kind), prompt, seed, (source,), embed=())
    return queue.submit(request, return_to="forum.receive_failure", asker=seed)


def crowd(source: Any, pace: Pace, kind: str, count: int) -> Measured:
    """All at once: how busy is the device kept?"""
    from django.db import transaction

    with transaction.atomic():
        jobs = [ask(source, pace, kind, seed) for seed in range(count)]
    return measured(jobs)


def trickle(source: Any, pace: Pace, kind: str) -> Measured:
    """One after the other at 0.3 of what a device does that makes one at a time, at random times."""
    rng = random.Random(5)
    jobs = []
    for seed in range(pace.trickle):
        jobs.append(ask(source, pace, kind, seed))
        time.sleep(rng.expovariate(0.3 / pace.run))
    return measured(jobs)


def measured(jobs: list[int]) -> Measured:
    """Wait for these jobs; what their rows say."""
    from generation.models import Job, State

    rows = Job.objects.filter(pk__in=jobs)
    until = time.monotonic() + 300
    while rows.exclude(state=State.DONE).exists():
        if time.monotonic() > until or rows.filter(state=State.FAILED).exists():
            raise SystemExit(f"Jobs did not come out: {rows.values_list('state', 'reason')}")
        time.sleep(0.1)
    recipes = [each.result["recipe"] for each in rows]
    runs = {tuple(each["ran"]): each["batch"] for each in recipes}
    begun, ended = min(begin for begin, _ in runs), max(end for _, end in runs)
    return Measured(
        busy=sum(end - begin for begin, end in runs) / (ended - begun),
        rate=len(jobs) / (ended - begun),
        waits=[(each.ended_at - each.created_at).total_seconds() for each in rows],
        sizes=Counter(runs.values()),
    )


def told(rows: list[str]) -> str:
    """The report."""
    return f"""# Batching with a sleeping device

A batch of any size takes {STEPS} steps of {" or ".join(f"{each * 1000:.0f}" for each in PACES)} ms; {platform.machine()} with {os.cpu_count()} cores,
load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}. Everything but the device's work is real.

- *kept busy*: worker / bare loop, one at a time, saturated (goal 0.97 on a GPU machine)
- *dynamic*: dynamic batches / batches of {LARGEST} without a pause, saturated (goal 0.95 there)
- *low load*: time to answer at 0.3 of the load, one at a time / dynamic (goal 0.99 there)

| a batch takes | kept busy | dynamic | low load | jobs a second, one at a time / dynamic | batches | time to answer at low load |
|---|---|---|---|---|---|---|
{"".join(rows)}
The first batch is always small, because an idle device never waits for company.
Written by `python benchmarks/batching.py`.
"""


if __name__ == "__main__":
    sys.exit(main())
