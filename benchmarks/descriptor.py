"""Does wf1 find the parent of an edited picture first, and how long does an image take?

    python benchmarks/descriptor.py [FOLDER] [--every N]

FOLDER holds photographs (default: GEGENBILD_IMAGES, or `shared/images` beside the checkout). Every
picture is a parent; fourteen edits of each are looked for among all of them. recall@k: fewer than k
pictures are strictly nearer than the parent. Results go to benchmarks/results/descriptor.md.
"""

import argparse
import io
import os
import sys
import time
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

import cv2
import numpy as np
import PIL
from numpy.typing import NDArray
from PIL import Image, ImageOps

from benchmarks.edits import EDITS, edited
from generation.engines.descriptors import Wf1, on_white
from generation.engines.pdq import hamming, pdq

HERE = Path(__file__).parent
PICTURES = Path(os.environ.get("GEGENBILD_IMAGES", HERE.parents[1] / "shared" / "images"))
TARGET, LIMIT_MS = 0.89, 10.0
ENGINE = Wf1()


@dataclass
class Found:
    """How many pictures were strictly nearer than the parent, for each query of one edit."""

    wf1: list[int] = field(default_factory=list)
    mirrored: list[int] = field(default_factory=list)
    pdq: list[int] = field(default_factory=list)


@dataclass
class Gallery:
    """The parents, as pictures, vectors and hashes."""

    pictures: list[NDArray[np.float32]]
    vectors: NDArray[np.float32]
    hashes: list[str]
    #: CPU and wall seconds of each descriptor.
    cpu: list[float]
    wall: list[float]


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("folder", nargs="?", type=Path, default=PICTURES)
    words.add_argument("--every", type=int, default=1, help="edit only every Nth parent")
    asked = words.parse_args()
    files = photographs(asked.folder)
    if len(files) < 20:
        print(f"{asked.folder} holds {len(files)} pictures; at least 20 are needed")
        return 2
    gallery = opened(files)
    found = {name: searched(name, gallery, asked.every) for name in EDITS}
    text, mean = report(gallery, found)
    print(text)
    (HERE / "results" / "descriptor.md").write_text(text)
    return 0 if mean >= TARGET and np.median(gallery.cpu) * 1e3 <= LIMIT_MS else 1


def photographs(folder: Path) -> list[Path]:
    """Files of pictures in a folder, by name."""
    return sorted(
        each for each in folder.glob("*") if each.suffix in {".jpg", ".jpeg", ".png", ".webp"}
    )


def opened(files: list[Path]) -> Gallery:
    """Pictures shrunk into 640 x 640 and saved as JPEG 92, as the protocol wants them."""
    gallery = Gallery([], np.empty(0, np.float32), [], [], [])
    vectors = []
    for file in files:
        with Image.open(file) as raw:
            picture = on_white(raw)
        picture.thumbnail((640, 640), Image.Resampling.LANCZOS)
        saved = io.BytesIO()
        picture.save(saved, "JPEG", quality=92)
        picture = Image.open(saved)
        picture.load()
        cpu, wall = time.process_time(), time.perf_counter()
        vectors.append(ENGINE.embed(picture))
        gallery.cpu.append(time.process_time() - cpu)
        gallery.wall.append(time.perf_counter() - wall)
        gallery.hashes.append(pdq(picture)[0])
        gallery.pictures.append(np.asarray(picture, np.float32) / 255)
    gallery.vectors = np.stack(vectors)
    return gallery


def searched(name: str, gallery: Gallery, every: int) -> Found:
    """One edit of the parents, each looked for in the gallery."""
    found = Found()
    for at in range(0, len(gallery.pictures), every):
        rng = np.random.default_rng(zlib.crc32(f"{name} {at}".encode()))
        other = gallery.pictures[int(rng.integers(len(gallery.pictures)))]
        query = Image.fromarray(
            np.uint8(edited(name, gallery.pictures[at], rng, other) * 255 + 0.5)
        )
        cosines = gallery.vectors @ ENGINE.embed(query)
        turned = np.maximum(cosines, gallery.vectors @ ENGINE.embed(ImageOps.mirror(query)))
        sought = pdq(query)[0]
        bits = np.array([hamming(sought, each) for each in gallery.hashes])
        found.wf1.append(int((cosines > cosines[at]).sum()))
        found.mirrored.append(int((turned > turned[at]).sum()))
        found.pdq.append(int((bits < bits[at]).sum()))
    return found


def recall(nearer: list[int], k: int) -> float:
    return float(np.mean(np.array(nearer) < k))


def report(gallery: Gallery, found: dict[str, Found]) -> tuple[str, float]:
    """The page of results, and the mean recall@1 of wf1."""
    rows = []
    kinds = ("wf1", "mirrored", "pdq")
    for name, each in found.items():
        cells = (
            f"{recall(getattr(each, kind), 1):.3f} / {recall(getattr(each, kind), 10):.3f}"
            for kind in kinds
        )
        rows.append(f"| {name} | {' | '.join(cells)} |")
    means = {
        (kind, k): float(np.mean([recall(getattr(each, kind), k) for each in found.values()]))
        for kind in kinds
        for k in (1, 10)
    }
    cells = (f"**{means[kind, 1]:.3f} / {means[kind, 10]:.3f}**" for kind in kinds)
    rows.append(f"| **mean** | {' | '.join(cells)} |")
    cpu, wall = np.array(gallery.cpu) * 1e3, np.array(gallery.wall) * 1e3
    queries = sum(len(each.wf1) for each in found.values())
    text = f"""# Descriptor wf1: is the parent found first?

{datetime.now(UTC):%Y-%m-%d}; {len(gallery.pictures)} pictures, {queries} queries; Python \
{sys.version.split()[0]}, numpy {np.__version__}, Pillow {PIL.__version__}, OpenCV \
{cv2.__version__}; {os.cpu_count()} processors, shared.

One image, decoded before: {np.median(cpu):.1f} ms of CPU (median; 95 %: \
{np.percentile(cpu, 95):.1f}), {np.median(wall):.1f} ms by the clock. Limit {LIMIT_MS:.0f} ms.
Target: mean recall@1 of wf1 at least {TARGET}.

recall@1 / recall@10; *mirrored* is the larger cosine of the query and the mirrored query.

| edit | wf1 | wf1 mirrored | PDQ |
|---|---|---|---|
{chr(10).join(rows)}
"""
    return text, means["wf1", 1]


if __name__ == "__main__":
    sys.exit(main())
