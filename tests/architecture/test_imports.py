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
pages = int(open("/proc/self/statm").read().split()[1])
print(pages * os.sysconf("SC_PAGE_SIZE") // 2**20)
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60
    )


def test_the_house_opens_with_torch_and_opencv_barred():
    done = run(OPEN_THE_HOUSE.format(barred=BARRED))
    assert done.returncode == 0, f"The web process reaches a heavy library:\n{done.stderr[-2000:]}"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_an_open_house_is_small():
    """The budget of a web process is 150 MB at work; opening it may take no more than 120."""
    done = run(OPEN_THE_HOUSE.format(barred=BARRED))
    assert 30 < int(done.stdout) < 120, f"{done.stdout.strip()} MB resident after opening."


@pytest.mark.parametrize("name", BARRED)
def test_barring_really_bars(name):
    """The test above would pass blindly if None in sys.modules no longer stopped an import."""
    done = run(f"import sys; sys.modules[{name!r}] = None\nimport {name}")
    assert "ModuleNotFoundError" in done.stderr or "ImportError" in done.stderr
