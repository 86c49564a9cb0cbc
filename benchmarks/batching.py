"""Does batching keep a device busy, and does it cost anything when little is asked?

    python benchmarks/batching.py [--jobs 384]

A sleeping device stands for a GPU: a batch of any size takes 4 steps of 50 ms. All else is real: an
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
STEPS, STEP, LARGEST = 4, 0.05, 4
#: Seconds of one batch, whatever its size.
RUN = STEPS * STEP
TABLE = """
[{name}]
engine = "tests.generation.host.together:Together"
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
            SECRET_KEY="a key for a measurement",
            DJANGO_SETTINGS_MODULE="forum.settings",
        )
        manage("migrate", "--noinput", "-v0")
        django.setup()
        with worker():
            source = picture()
            crowd(source, "many", 8)  # warms up
            one = crowd(source, "single", max(8, asked.jobs // LARGEST))
            many = crowd(source, "many", asked.jobs)
            quiet = {name: trickle(source, name, 24) for name in ("single", "many")}
    report = told(one, many, quiet)
    RESULTS.write_text(report, "utf-8")
    print(report)
    return 0


def presets() -> str:
    """Two of the same engine: one job at a time, and up to four."""
    tables = {"single": [1], "many": [1, 2, LARGEST]}
    return "".join(
        TABLE.format(name=name, buckets=buckets, seconds=RUN) for name, buckets in tables.items()
    )


def manage(*words: str) -> None:
    """Run a management command."""
    subprocess.run([sys.executable, str(ROOT / "manage.py"), *words], check=True)


@contextmanager
def worker() -> Iterator[None]:
    """A worker whose device is warm."""
    from generation import queue

    roles = "light,edit:single,edit:many"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "worker", "--queues", roles],
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
    )
    try:
        while not queue.can_do("many"):
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


def ask(source: Any, preset: str, seed: int) -> int:
    """One edit, by a member of its own."""
    from generation import queue
    from generation.requests import EditRequest

    prompt = f"{seed} {STEPS} x {STEP}"
    request = EditRequest(preset, prompt, seed, (source,), embed=())
    return queue.submit(request, return_to="forum.receive_failure", asker=seed)


def crowd(source: Any, preset: str, count: int) -> Measured:
    """All at once: how busy is the device kept?"""
    from django.db import transaction

    with transaction.atomic():
        jobs = [ask(source, preset, seed) for seed in range(count)]
    return measured(jobs)


def trickle(source: Any, preset: str, count: int) -> Measured:
    """One after the other at 0.3 of what a device does that makes one at a time, at random times."""
    rng = random.Random(5)
    jobs = []
    for seed in range(count):
        jobs.append(ask(source, preset, seed))
        time.sleep(rng.expovariate(0.3 / RUN))
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


def told(one: Measured, many: Measured, quiet: dict[str, Measured]) -> str:
    """The report."""
    batches = ", ".join(f"{count} of {size}" for size, count in sorted(many.sizes.items()))
    fill = sum(size * count for size, count in many.sizes.items()) / sum(many.sizes.values())
    dynamic = many.busy * fill / LARGEST
    single, mixed = (statistics.mean(quiet[name].waits) for name in ("single", "many"))
    return f"""# Batching with a sleeping device

A batch of any size takes {RUN * 1000:.0f} ms ({STEPS} steps); {platform.machine()} with {os.cpu_count()} cores, load
{os.getloadavg()[0]:.1f}, Python {platform.python_version()}, {datetime.now(UTC):%Y-%m-%d}. Everything but the device's work is real.

| | measured | goal |
|---|---|---|
| worker / bare loop, one at a time, saturated | {one.busy:.3f} | 0.97 on a GPU machine |
| dynamic batches / batches of {LARGEST} without a pause, saturated | {dynamic:.3f} | 0.95 on a GPU machine |
| time to answer at 0.3 of the load, one at a time / dynamic | {single / mixed:.3f} | 0.99 |

Saturated: {many.rate:.1f} jobs a second where one at a time gives {one.rate:.1f}; batches: {batches}. The first
is always small, because an idle device never waits for company. At 0.3 of the load a job takes
{mixed * 1000:.0f} ms from asking to done, {single * 1000:.0f} ms where batches are never formed.
Written by `python benchmarks/batching.py`.
"""


if __name__ == "__main__":
    sys.exit(main())
