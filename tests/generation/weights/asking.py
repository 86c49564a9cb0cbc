"""Asks `manage.py engines` about the preset "tiny", whose weights lie in a hub of our own."""

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.generation.weights.hub import MODEL, NEWER

WORDS = f"""# Mine, and this comment stays.
[tiny]
engine = "darkroom"
titles = {{ en = "Tiny", zh-hans = "小" }}
licence = "Apache-2.0"
commercial = true
max_side = 640
source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
vram_gb = 1
model = "{MODEL}"  # not pinned yet
"""
LARGE = "transformer/diffusion_pytorch_model.safetensors"


def run(*words: str) -> str:
    """What the command says."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("engines", *words, stdout=out, stderr=err)
    except SystemExit as end:
        return f"exit {end.code}\n{err.getvalue()}"
    return out.getvalue()


def refused(*words: str) -> str:
    """The one line with which the command refuses; its exit code is 2."""
    with pytest.raises(CommandError) as caught:
        call_command("engines", *words, stdout=io.StringIO(), stderr=io.StringIO())
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def folder(tmp_path: Path, sha: str = NEWER) -> Path:
    """Where the weights of "tiny" lie."""
    return tmp_path / "models" / "tiny--model" / sha
