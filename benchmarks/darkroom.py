"""Milliseconds of every operation of the darkroom at 1024 x 1024 on one core.

Where OpenCV, Pillow or scikit-image has a function for the same purpose, it is timed in the same run on
the same picture. Finding regions and encoding the finished picture are timed beside the operations, and
the memory of a worker is that of a process of its own, without the peers. Prints JSON lines, then a
table; `--markdown FILE` writes the table.

    python benchmarks/darkroom.py [photograph.jpg] [--repeats 5] [--markdown benchmarks/results/darkroom.md]
"""

import argparse
import io
import json
import pkgutil
import platform
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import PIL
from PIL import Image, ImageEnhance, ImageOps

from generation.engines.base import Item
from generation.engines.darkroom.engine import Darkroom, randomness
from generation.engines.darkroom.pixels import Picture, from_bytes, to_bytes
from generation.engines.darkroom.regions import looked_for
from generation.engines.darkroom.table import Entry, program
from generation.host.encoding import LOSSY, encoded
from generation.prompts.planning import preset
from generation.requests import EditRequest, Operation

SIDE = 1024
#: Figures to reach, in milliseconds; the others share a goal for their median.
GOALS = {"impressionist": 1200, "post_impressionist": 1200, "pointillist": 1200}
GOALS |= {"abstract_expressionist": 1200, "manner": 1200, "dream": 600, "restore": 800}
MEDIAN_GOAL, ENCODING_GOAL, MEMORY_GOAL = 150, 60, 400


def peers(image: Image.Image, pixels: np.ndarray) -> dict[str, tuple[str, Callable[[], Any]]]:
    """The nearest ready-made function for an operation, by name."""
    blue = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    found: dict[str, tuple[str, Callable[[], Any]]] = {
        "impressionist": ("cv2.stylization", lambda: cv2.stylization(blue)),
        "watercolour": ("cv2.edgePreservingFilter", lambda: cv2.edgePreservingFilter(blue)),
        "pencil": ("cv2.pencilSketch", lambda: cv2.pencilSketch(blue)),
        "comic": ("cv2.pyrMeanShiftFiltering", lambda: cv2.pyrMeanShiftFiltering(blue, 8, 20)),
        "restore": (
            "cv2.fastNlMeansDenoisingColored",
            lambda: cv2.fastNlMeansDenoisingColored(blue),
        ),
        "vivid": ("PIL ImageEnhance.Color", lambda: ImageEnhance.Color(image).enhance(1.5)),
        "contrast": (
            "PIL ImageEnhance.Contrast",
            lambda: ImageEnhance.Contrast(image).enhance(1.3),
        ),
        "invert": ("PIL ImageOps.invert", lambda: ImageOps.invert(image)),
        "solarise": ("PIL ImageOps.solarize", lambda: ImageOps.solarize(image)),
        "black_and_white": ("PIL convert('L')", lambda: image.convert("L")),
        "duotone": (
            "PIL ImageOps.colorize",
            lambda: ImageOps.colorize(image.convert("L"), "navy", "gold"),
        ),
        "pixel_art": ("PIL quantize", lambda: image.quantize(24)),
        "rotate": ("PIL rotate(90)", lambda: image.rotate(-90, expand=True)),
        "flip": ("PIL mirror", lambda: ImageOps.mirror(image)),
        "brighten": (
            "PIL ImageEnhance.Brightness",
            lambda: ImageEnhance.Brightness(image).enhance(1.3),
        ),
        "tint": ("cv2.applyColorMap", lambda: cv2.applyColorMap(pixels[..., 0], 2)),
        "dreamy": ("cv2.GaussianBlur", lambda: cv2.GaussianBlur(pixels, (0, 0), 20)),
        "tilt_shift": ("cv2.GaussianBlur twice", lambda: twice_blurred(pixels)),
        "crop": ("PIL ImageOps.fit", lambda: ImageOps.fit(image, (SIDE // 2, SIDE // 2))),
        "extend": (
            "cv2.copyMakeBorder",
            lambda: cv2.copyMakeBorder(pixels, 164, 164, 164, 164, cv2.BORDER_REFLECT),
        ),
        "planet": (
            "cv2.warpPolar",
            lambda: cv2.warpPolar(
                pixels, (SIDE, SIDE), (SIDE / 2, SIDE / 2), SIDE / 2, cv2.WARP_INVERSE_MAP
            ),
        ),
        "subject": ("cv2.grabCut", lambda: grab_cut(blue)),
        "encoding": ("PIL PNG", lambda: image.save(io.BytesIO(), "PNG")),
    }
    try:
        from skimage.exposure import match_histograms
        from skimage.restoration import denoise_tv_chambolle
        from skimage.segmentation import slic
    except ImportError:
        return found
    turned = np.ascontiguousarray(pixels[::-1])
    found["colours"] = (
        "skimage match_histograms",
        lambda: match_histograms(pixels, turned, channel_axis=-1),
    )
    found["stained_glass"] = ("skimage slic", lambda: slic(pixels, n_segments=400, channel_axis=-1))
    found["ink_wash"] = (
        "skimage denoise_tv_chambolle",
        lambda: denoise_tv_chambolle(pixels, channel_axis=-1, max_num_iter=20),
    )
    return found


def twice_blurred(pixels: np.ndarray) -> None:
    """Two fixed blurs, as a lens of two depths would need at the least."""
    cv2.GaussianBlur(pixels, (0, 0), 4)
    cv2.GaussianBlur(pixels, (0, 0), 12)


def grab_cut(blue: np.ndarray) -> None:
    """GrabCut alone, at full size, from the rectangle that a person would have to draw."""
    marks = np.zeros(blue.shape[:2], np.uint8)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    inside = (SIDE // 8, SIDE // 8, SIDE * 3 // 4, SIDE * 3 // 4)
    cv2.grabCut(blue, marks, inside, *models, 1, cv2.GC_INIT_WITH_RECT)


def call(entry: Entry, picture: Picture) -> Picture:
    """One run as designed: amount 1, default settings."""
    settings = entry.checked({})
    settings.pop("intensity", None)
    settings.pop("region", None)
    if entry.scales:
        settings["amount"] = 1.0
    if entry.layered:
        settings["show"] = lambda shown: None
    if entry.second:
        # The picture upside down stands for another image: as large, in other places.
        settings["others"] = (np.ascontiguousarray(picture[::-1]),)
    function = pkgutil.resolve_name(f"generation.engines.darkroom.{entry.run}")
    made: Picture = function(picture, randomness(1, 0), **settings)
    return made


def milliseconds(work: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Median wall and processor time, in milliseconds, after one run to warm up."""
    work()
    walls, processors = [], []
    for _ in range(repeats):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append((time.perf_counter() - wall) * 1000)
        processors.append((time.process_time() - processor) * 1000)
    return statistics.median(walls), statistics.median(processors)


def measured(image: Image.Image, repeats: int) -> list[dict[str, Any]]:
    """A row for each operation, printed as JSON when it is there."""
    pixels = np.asarray(image)
    picture, others, rows = from_bytes(pixels), peers(image, pixels), []
    works: dict[str, Callable[[], Any]] = {
        name: partial(lambda entry: to_bytes(call(entry, picture)), entry)
        for name, entry in program().items()
    }
    works["sky"] = lambda: looked_for("sky", picture)
    works["subject"] = lambda: looked_for("subject", picture)
    works["encoding"] = lambda: encoded(image, LOSSY)
    for name, work in works.items():
        wall, processor = milliseconds(work, repeats)
        row: dict[str, Any] = {"operation": name, "ms": round(wall), "cpu_ms": round(processor)}
        if name in others:
            title, other = others[name]
            peer, _ = milliseconds(other, min(3, repeats))
            row |= {
                "peer": title,
                "peer_ms": round(peer),
                "ratio": round(wall / max(peer, 0.01), 2),
            }
        rows.append(row)
        print(json.dumps(row), flush=True)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = ["| operation | ms | processor ms | nearest ready-made function | its ms | ratio |"]
    lines.append("|---|---|---|---|---|---|")
    for row in rows:
        peer, its, ratio = (row.get(key, "") for key in ("peer", "peer_ms", "ratio"))
        lines.append(
            f"| {row['operation']} | {row['ms']} | {row['cpu_ms']} | {peer} | {its} | {ratio} |"
        )
    return "\n".join(lines)


def verdict(rows: list[dict[str, Any]]) -> str:
    """Goals beside what was measured, in processor time."""
    times = {row["operation"]: row["cpu_ms"] for row in rows}
    middle = statistics.median(times[name] for name in program())
    lines = [f"- median operation: {middle:.0f} ms (goal {MEDIAN_GOAL})"]
    lines += [f"- {name}: {times[name]} ms (goal {goal})" for name, goal in GOALS.items()]
    lines.append(f"- encoding: {times['encoding']} ms (goal {ENCODING_GOAL})")
    lines.append(f"- memory of a worker's engine: {memory_of_all()} MB (goal {MEMORY_GOAL})")
    return "\n".join(lines)


def memory_of_all() -> int:
    """Peak MB of a fresh process that runs every operation once, through the engine, at full size."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(peak_of_all).result()


def peak_of_all() -> int:
    """Run in the fresh process."""
    noise = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)
    image = Image.fromarray(noise).resize((SIDE, SIDE))
    engine = Darkroom()
    engine.load(preset("darkroom"))
    for name in program():
        wanted = (Operation(name),)
        request = EditRequest(preset="darkroom", prompt="", seed=1, sources=(), read_as=wanted)
        list(
            engine.edit([Item(name, request, [image, image])], lambda step: None, lambda id: False)
        )
    # Not `getrusage`: a child begins there with the peak of whoever started it.
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) // 1024


def photograph(path: Path | None) -> Image.Image:
    """The picture that is worked on."""
    if path is not None:
        return Image.open(path)
    from skimage.data import astronaut

    return Image.fromarray(astronaut())


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "photograph", type=Path, nargs="?", help="scikit-image's astronaut if left out"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    image = photograph(options.photograph).convert("RGB").resize((SIDE, SIDE))
    rows = measured(image, options.repeats)
    versions = f"Python {platform.python_version()}, numpy {np.__version__}, OpenCV {cv2.__version__}, Pillow {PIL.__version__}"
    text = (
        f"# The darkroom at {SIDE} x {SIDE}, one thread\n\n{versions}; {platform.machine()}; "
        f"{options.photograph.name if options.photograph else 'astronaut'}, median of {options.repeats} runs; the machine was shared, so "
        f"processor time is the steadier number.\n\n{verdict(rows)}\n\n{table(rows)}\n"
    )
    print(text)
    if options.markdown:
        options.markdown.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
