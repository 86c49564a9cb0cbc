"""What is installed here that decides how a picture comes out. Light: nothing of it is imported."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

#: As recipes name a library, and as its package is called.
PACKAGES = {
    "numpy": "numpy",
    "opencv": "opencv-python-headless",
    "pillow": "pillow",
    "torch": "torch",
    "diffusers": "diffusers",
    "transformers": "transformers",
}


@cache
def installed() -> dict[str, str]:
    """Versions by the names that recipes use; what is not installed is left out."""
    found = {}
    for name, package in PACKAGES.items():
        try:
            found[name] = version(package)
        except PackageNotFoundError:
            continue
    return found


@cache
def film_formats() -> list[str]:
    """Kinds of film that can be made here: MP4 needs the package `av`."""
    return ["webp", "mp4"] if find_spec("av") else ["webp"]
