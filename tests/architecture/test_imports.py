"""Heavy libraries stay out of the web process: it must start within a second and stay small."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BARRED = ("torch", "diffusers", "transformers", "cv2", "skimage", "scipy")

OPEN_THE_HOUSE = """
import sys
for name in {barred!r}:
    sys.modules[name] = None  # importing it raises ImportError
import os
os.environ["DJANGO_SETTINGS_MODULE"] = "forum.settings"
import forum.asgi
from django.urls import get_resolver
get_resolver().url_patterns
print("numpy" in sys.modules)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_the_house_opens_with_torch_and_opencv_barred():
    done = run(OPEN_THE_HOUSE.format(barred=BARRED))
    assert done.returncode == 0, f"The web process reaches a heavy library:\n{done.stderr[-2000:]}"


def test_the_house_opens_without_numpy():
    """numpy costs 30 MB and 0.1 s in every web process, and none of its pages computes with it."""
    done = run(OPEN_THE_HOUSE.format(barred=BARRED))
    assert done.stdout.strip() == "False", "Something the web process imports brings numpy in."


@pytest.mark.parametrize("name", BARRED)
def test_barring_really_bars(name):
    """The test above would pass blindly if None in sys.modules no longer stopped an import."""
    done = run(f"import sys; sys.modules[{name!r}] = None\nimport {name}")
    assert "ModuleNotFoundError" in done.stderr or "ImportError" in done.stderr
