"""A worker stays small: what pictures leave behind goes back to the system."""

import subprocess
import sys

import pytest

from generation.engines.darkroom import memory

ALL = """
from pathlib import Path
import numpy as np
from PIL import Image
from generation.engines.base import Item
from generation.engines.darkroom.engine import Darkroom
from generation.engines.darkroom.table import program
from generation.prompts.planning import preset
from generation.requests import EditRequest, Operation
image = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8))
image = image.resize((1024, 1024))
engine = Darkroom()
engine.load(preset("darkroom"))
for name in list(program())[::3]:
    wanted = (Operation(name),)
    request = EditRequest(preset="darkroom", prompt="", seed=1, sources=(), read_as=wanted)
    list(engine.edit([Item(name, request, [image, image])], lambda step: None, lambda id: False))
print(int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="Linux tells the peak of a process")
def test_a_worker_that_makes_many_pictures_stays_small():
    done = subprocess.run([sys.executable, "-c", ALL], capture_output=True, text=True, check=True)
    assert 100 < int(done.stdout) < 400


def test_a_system_that_says_nothing_is_left_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "STATM", tmp_path / "none")
    assert memory.in_use() == 0
    memory.give_back()
    monkeypatch.setattr(memory, "trimmer", lambda: None)
    monkeypatch.setattr(memory, "in_use", lambda: 10_000)
    memory.give_back()
