"""Figures for a monitor, in Prometheus' text format. Names are documented in docs/reference/metrics.md."""

import hmac
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from forum.web import Request
from generation import queue

KIND = "text/plain; version=0.0.4; charset=utf-8"
#: One sample: labels and value.
Sample = tuple[dict[str, str], float]
Family = tuple[str, str, str, list[Sample]]


@never_cache
@require_GET
def metrics(request: Request) -> HttpResponse:
    """Everything, for the owner or for a monitor with the word of FORUM_METRICS_TOKEN; else 404."""
    if not may_read(request):
        raise Http404
    return HttpResponse("".join(map(written, families())), content_type=KIND)


def may_read(request: Request) -> bool:
    """Whether this is the owner, or carries the word."""
    if request.member is not None and request.member.is_owner:
        return True
    word, kind = settings.FORUM_METRICS_TOKEN, "Bearer "
    given = request.headers.get("Authorization", "")
    if not word or not given.startswith(kind):
        return False
    return hmac.compare_digest(given.removeprefix(kind).encode(), word.encode())


def families() -> Iterator[Family]:
    """Every metric with its samples; no name and no prompt of a member is among them."""
    yield from of_lanes(queue.lanes())
    failed = [({"preset": t.preset, "reason": t.reason}, float(t.jobs)) for t in queue.troubles()]
    yield "failed_jobs", "gauge", "Jobs that failed in the last day.", failed
    yield (
        "messages_waiting",
        "gauge",
        "Results nobody took in yet.",
        [({}, queue.messages_waiting())],
    )
    yield from of_machines(queue.workers())


def of_lanes(lanes: list[queue.Lane]) -> Iterator[Family]:
    """By preset."""

    def each(name: str) -> list[Sample]:
        return [({"preset": lane.name}, float(getattr(lane, name))) for lane in lanes]

    yield "queue_depth", "gauge", "Jobs that wait.", each("waiting")
    yield "jobs_running", "gauge", "Jobs that run.", each("running")
    yield "queue_oldest_seconds", "gauge", "Age of the oldest waiting job.", each("oldest")
    waits = [
        ({"preset": lane.name, "quantile": share}, value)
        for lane in lanes
        for share, value in (("0.5", lane.wait_p50), ("0.95", lane.wait_p95))
    ]
    yield "wait_seconds", "gauge", "From asking to beginning, in the last 15 minutes.", waits
    yield "job_seconds", "gauge", "Mean seconds of a job, in the last 15 minutes.", each("seconds")
    rates = [({"preset": lane.name}, lane.per_minute / 60) for lane in lanes]
    yield "images_per_second", "gauge", "Made in the last 15 minutes.", rates
    yield "workers", "gauge", "Workers that take such jobs.", each("workers")
    paused = [({"preset": lane.name}, float(lane.state.paused)) for lane in lanes]
    yield "preset_paused", "gauge", "1 while an operator lets it wait.", paused


def of_machines(machines: list[queue.Machine]) -> Iterator[Family]:
    """By worker and device, as each says of itself since its start."""
    found = [(each, words) for each in machines for words in devices(each.about)]

    def each(*keys: str, times: float = 1) -> list[Sample]:
        return [
            (labels(machine, words), float(value) * times)
            for machine, words in found
            for key in keys
            if isinstance(value := words.get(key), (int, float))
        ]

    now = timezone.now()
    seen = [({"worker": m.name}, max(0.0, (now - m.seen_at).total_seconds())) for m in machines]
    yield "worker_silent_seconds", "gauge", "Since its last heartbeat.", seen
    drained = [({"worker": m.name}, float(m.draining)) for m in machines]
    yield "worker_draining", "gauge", "1 while it takes nothing more.", drained
    yield "made_total", "counter", "Pictures made.", each("made")
    yield "ooms_total", "counter", "Attempts that ran out of memory.", each("ooms")
    yield "host_restarts_total", "counter", "Device hosts started anew.", each("restarts")
    yield "memory_bytes", "gauge", "Memory of the device.", each("memory_gb", times=1e9)
    yield "memory_used_bytes", "gauge", "Of it in use.", each("memory_used_gb", times=1e9)
    lag = each("preview_lag_ms", times=1e-3)
    yield "preview_lag_seconds", "gauge", "From a step to its preview.", lag
    outside = each("outside_denoiser")
    yield "outside_denoiser_ratio", "gauge", "Share of batches that is not denoising.", outside
    spent = [
        ({**labels(machine, words), "stage": stage}, float(took))
        for machine, words in found
        for stage, took in words.get("spent", {}).items()
    ]
    yield "device_seconds_total", "counter", "Time of the device by stage, loading left out.", spent
    yield from of_memories(found)
    stages = [
        ({**labels(machine, words), "stage": stage}, took / 1000)
        for machine, words in found
        for stage, took in words.get("ms", {}).items()
    ]
    yield "stage_seconds", "gauge", "Mean seconds of a stage.", stages
    batches = [
        ({**labels(machine, words), "items": str(size)}, float(count))
        for machine, words in found
        for size, count in words.get("batches", {}).items()
    ]
    yield "batches_total", "counter", "Batches by how many jobs were in them.", batches


def of_memories(found: list[tuple[queue.Machine, dict[str, Any]]]) -> Iterator[Family]:
    """What hosts remember of prompts and sources: how often that helped."""
    counted = [
        ({**labels(machine, words), "what": what}, kept)
        for machine, words in found
        for what, kept in words.get("remembered", {}).items()
    ]
    for name, sentence in (
        ("hits", "Encodings that were remembered."),
        ("misses", "Encodings that had to be made."),
    ):
        samples = [(label, float(kept.get(name, 0))) for label, kept in counted]
        yield f"encoding_{name}_total", "counter", sentence, samples


def devices(about: dict[str, Any]) -> list[dict[str, Any]]:
    """The pool on the CPU, and devices with a host of their own."""
    return [{"name": "pool", **about.get("pool", {})}, *about.get("devices", ())]


def labels(machine: queue.Machine, words: dict[str, Any]) -> dict[str, str]:
    """Whose sample it is."""
    return {"worker": machine.name, "device": str(words.get("name", ""))}


def written(family: Family) -> str:
    """One metric in the text format."""
    name, kind, sentence, samples = family
    lines = [f"# HELP gegenbild_{name} {sentence}", f"# TYPE gegenbild_{name} {kind}"]
    for found, value in samples:
        words = ",".join(f'{key}="{escaped(word)}"' for key, word in found.items())
        lines.append(
            f"gegenbild_{name}{{{words}}} {value:.10g}"
            if words
            else f"gegenbild_{name} {value:.10g}"
        )
    return "\n".join(lines) + "\n"


def escaped(word: str) -> str:
    """A label's value as the format wants it."""
    return word.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
