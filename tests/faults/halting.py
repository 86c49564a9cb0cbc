"""`manage.py worker` that gets a signal at a named point of its first job, with all its hosts.

    python tests/faults/halting.py "after file" KILL worker --name one

The worker is the real one; only the moment is chosen, which a test from outside could not hit.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")

import django

django.setup()

from django.core.management import execute_from_command_line  # noqa: E402

from generation.jobs import previews, publishing  # noqa: E402
from generation.worker import ordering  # noqa: E402

#: Module, function, and whether the signal comes before or after it.
POINTS: dict[str, tuple[Any, str, bool]] = {
    "ordered": (ordering, "order_for", False),
    "mid-step": (previews, "show", False),
    "before file": (ordering, "result_of", True),
    "after file": (ordering, "result_of", False),
    "after commit": (publishing, "publish", False),
}


def halting(function: Callable[..., Any], sign: signal.Signals, before: bool) -> Callable[..., Any]:
    """The function, and the signal to the whole group before or after its first call."""
    left = [sign]

    def called(*words: Any, **more: Any) -> Any:
        if before and left:
            os.killpg(0, left.pop())
        answer = function(*words, **more)
        if left:
            os.killpg(0, left.pop())
        return answer

    return called


def main() -> None:
    """Take point and signal off the command line, and be a worker."""
    module, name, before = POINTS[sys.argv.pop(1)]
    sign = signal.Signals[f"SIG{sys.argv.pop(1)}"]
    setattr(module, name, halting(getattr(module, name), sign, before))
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
