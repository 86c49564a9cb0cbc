"""What it costs to take a picture in: time and peak memory of the decoding child, by kind and size.

`python -m benchmarks.ingest` prints a table and writes results/ingest.md. Needs no database. CPU and
memory are the child's own and hold on a busy machine; wall time includes starting it.
"""

import io
import platform
import statistics
import tempfile
import time
from pathlib import Path

import PIL
from PIL import Image

from forum.images.children import decode_apart
from forum.images.decoding import Limits

RESULT = Path(__file__).parent / "results" / "ingest.md"
LIMITS = Limits(pixels=50_000_000, compact_pixels=24_000_000, scaled_pixels=100_000_000)
RUNS = 3


def textured(width: int, height: int, mode: str = "RGB") -> Image.Image:
    """A picture with fine grain over soft shapes, about as hard to pack as a photograph."""
    soft = Image.radial_gradient("L").resize((width, height))
    grain = Image.effect_noise((512, 512), 40).resize((width, height), Image.Resampling.NEAREST)
    picture = Image.merge("RGB", (soft, Image.blend(soft, grain, 0.4), grain))
    if mode == "RGBA":
        picture.putalpha(soft)
    return picture


def packed(picture: Image.Image, kind: str, **settings: object) -> bytes:
    """The picture as a file."""
    out = io.BytesIO()
    picture.save(out, kind, **settings)
    return out.getvalue()


CASES = [
    ("JPEG", "tiny, 0.1 MP", (400, 250), "RGB", {"quality": 85}),
    ("JPEG", "2 MP", (1600, 1200), "RGB", {"quality": 85}),
    ("JPEG", "12 MP", (4000, 3000), "RGB", {"quality": 85}),
    ("JPEG", "24 MP", (6000, 4000), "RGB", {"quality": 85}),
    ("JPEG", "50 MP, a phone's", (8160, 6144), "RGB", {"quality": 80}),
    ("JPEG", "100 MP, progressive", (11600, 8600), "RGB", {"quality": 60, "progressive": True}),
    ("PNG", "2 MP", (1600, 1200), "RGB", {"compress_level": 1}),
    ("PNG", "12 MP", (4000, 3000), "RGB", {"compress_level": 1}),
    ("PNG", "50 MP, with alpha", (8000, 6250), "RGBA", {"compress_level": 1}),
    ("WEBP", "2 MP", (1600, 1200), "RGB", {"quality": 80, "method": 0}),
    ("WEBP", "24 MP, with alpha", (6000, 4000), "RGBA", {"quality": 70, "method": 0}),
    ("AVIF", "2 MP", (1600, 1200), "RGB", {"quality": 60, "speed": 10}),
    ("AVIF", "24 MP", (6000, 4000), "RGB", {"quality": 50, "speed": 10}),
    ("GIF", "2 MP", (1600, 1200), "RGB", {}),
]


def measure(kind: str, data: bytes) -> tuple[float, float, float]:
    """Median wall milliseconds, median CPU milliseconds, and highest peak in megabytes."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        source.write_bytes(data)
        walls, reports = [], []
        for _ in range(RUNS):
            start = time.perf_counter()
            reports.append(decode_apart(source, Path(folder), kind, LIMITS))
            walls.append((time.perf_counter() - start) * 1000)
    refused = [report["refused"] for report in reports if "refused" in report]
    if refused:
        raise SystemExit(f"{kind} was refused: {refused[0]}")
    cpu = statistics.median(report["cpu"] for report in reports) * 1000
    return statistics.median(walls), cpu, max(report["peak_kb"] for report in reports) / 1024


def main() -> None:
    """Measure every case and write the table."""
    lines = [
        "# Taking a picture in",
        "",
        f"Written by `python -m benchmarks.ingest`; Pillow {PIL.__version__}, "
        f"Python {platform.python_version()}, {platform.machine()}, median of {RUNS} runs.",
        "Display (longest side 2048) and thumb (512) included; the child's limit is 1,536 MB and 10 s of CPU.",
        "",
        "| kind | picture | file MB | wall ms | CPU ms | peak MB |",
        "|---|---|---:|---:|---:|---:|",
    ]
    warm_up = packed(textured(64, 64), "PNG")
    measure("PNG", warm_up)
    for kind, words, size, mode, settings in CASES:
        data = packed(textured(*size, mode), kind, **settings)
        wall, cpu, peak = measure(kind, data)
        row = f"| {kind} | {words} | {len(data) / 1e6:.1f} | {wall:.0f} | {cpu:.0f} | {peak:.0f} |"
        print(row, flush=True)
        lines.append(row)
    RESULT.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
