"""Measures the diffusers engine against what the device can do. See README.md beside this file."""

import argparse
import sys
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.gpu.bench import Bench

#: What must be installed, by the names under which it is imported.
NEEDED = ("torch", "diffusers", "transformers", "accelerate", "cv2", "numpy", "PIL")
#: In this order: what matters most comes first, what changes the engine for good comes last.
ORDER = (
    "ceilings",
    "eager",
    "outside",
    "worker",
    "previews",
    "batching",
    "reproducibility",
    "overlap",
    "remembering",
    "compiled",
)


def main() -> int:
    """Measure, print, and write the report where asked; 1 if something could not be measured."""
    words = asked()
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        print(f"This needs {', '.join(missing)}: pip install -c constraints.txt '.[diffusers]'.")
        return 2
    from benchmarks.gpu.models import full_engine, tiny_engine
    from benchmarks.gpu.timing import ON_GPU

    if not words.tiny and not ON_GPU:
        print("torch sees no GPU here: --tiny runs all of it on toy models.")
        return 2
    from benchmarks.gpu.bench import Bench

    begun = time.monotonic()
    bench = Bench(tiny_engine() if words.tiny else full_engine(), tiny=words.tiny)
    bench.say(what="built", seconds=time.monotonic() - begun)
    failed = measured(bench, words.only or ORDER, words.out)
    print(told(bench))
    return int(failed)


def asked() -> argparse.Namespace:
    """What is wanted on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="toy models, on any machine")
    parser.add_argument("--out", type=Path, help="write the report to this file, after each part")
    parser.add_argument("--only", nargs="+", choices=ORDER, metavar="PART", help=" ".join(ORDER))
    return parser.parse_args()


def measured(bench: "Bench", parts: Sequence[str], out: Path | None) -> bool:
    """Every part; one that fails says why, and the others go on. Whether any failed."""
    from benchmarks.gpu import reporting

    failed = False
    for part in parts:
        begun = time.monotonic()
        try:
            getattr(bench, part)()
        except Exception as error:  # a figure less is better than none at all
            failed = True
            bench.say(what="failed", part=part, why=f"{type(error).__name__}: {error}"[:500])
        bench.say(what="took", part=part, seconds=time.monotonic() - begun)
        reporting.write(out, told(bench))
    return failed


def told(bench: "Bench") -> str:
    """The report so far."""
    from benchmarks.gpu import reporting

    return reporting.report(bench.loaded.device_name, bench.tiny, bench.ratios, bench.said)


if __name__ == "__main__":
    sys.exit(main())
