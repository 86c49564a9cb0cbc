"""What was made on one device since its worker started, for the operator's page. Light; no prompts."""

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

#: Throughput is that of the last so many seconds.
WINDOW = 300.0
#: Weight of the newest picture in the mean time of a stage.
NEWEST = 0.2


@dataclass(slots=True)
class Tally:
    """Counts of one device, or of one pool of hosts."""

    made: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    #: Hosts that crashed, hung or were ended for a fresh start.
    restarts: int = 0
    #: Mean milliseconds of each stage, newer pictures counting more.
    stages: dict[str, float] = field(default_factory=dict)
    #: Mean milliseconds from a step to its preview, where others can see it; None before the first.
    lag: float | None = None
    #: Mean share of a batch's time that is not denoising; None before the first.
    outside: float | None = None
    #: Seconds of the device's own time by stage; "other" is what no stage accounts for.
    spent: Counter[str] = field(default_factory=Counter)
    #: Batches by how many jobs were in them.
    batches: Counter[int] = field(default_factory=Counter)
    _begun: float = field(default_factory=time.monotonic)
    _times: deque[float] = field(default_factory=lambda: deque(maxlen=10_000))

    def note(self, milliseconds: dict[str, int]) -> None:
        """A job came out, with its milliseconds by stage."""
        self.made += 1
        self._times.append(time.monotonic())
        for stage, took in milliseconds.items():
            before = self.stages.get(stage, float(took))
            self.stages[stage] = before + NEWEST * (took - before)

    def note_lag(self, seconds: float) -> None:
        """A preview can be seen, so long after its step."""
        took = 1000 * max(0.0, seconds)
        self.lag = took if self.lag is None else self.lag + NEWEST * (took - self.lag)

    def note_spent(self, spent: dict[str, float]) -> None:
        """A batch is done: seconds of the device by stage, all of its time together."""
        self.spent.update(spent)
        if (whole := sum(spent.values())) > 0 and "denoise" in spent:
            share = 1 - spent["denoise"] / whole
            before = share if self.outside is None else self.outside
            self.outside = before + NEWEST * (share - before)

    def note_failure(self, reason: str) -> None:
        """An attempt failed."""
        self.failures[str(reason)] += 1

    def about(self) -> dict[str, Any]:
        """Plain data."""
        now = time.monotonic()
        window = max(1.0, min(WINDOW, now - self._begun))
        lately = sum(now - when <= window for when in self._times)
        return {
            "made": self.made,
            "per_minute": round(lately * 60 / window, 2),
            "failures": dict(self.failures),
            "ooms": self.failures["out_of_memory"],
            "restarts": self.restarts,
            "ms": {stage: round(took) for stage, took in self.stages.items()},
            **({} if self.lag is None else {"preview_lag_ms": round(self.lag)}),
            **({} if self.outside is None else {"outside_denoiser": round(self.outside, 4)}),
            "spent": {stage: round(took, 3) for stage, took in self.spent.items()},
            "batches": {str(size): count for size, count in sorted(self.batches.items())},
        }
