"""A prompt is a member's words: it reaches the recipe, and nothing else."""

import logging
import subprocess
import sys

import pytest

from tests.generation.diffusion.asking import ask, made, picture_of

SECRET = "xyzzyplover"
LONG = f"{SECRET} and a very long wish " * 60

ALONE = """
import logging, os, sys
logging.basicConfig(level=logging.DEBUG, stream=sys.stdout)
from generation import engines, presets
from tests.generation.diffusion.asking import ask, made, picture_of
name = sys.argv[1]
engine = engines.editor("diffusers")
engine.load(presets.presets()[name])
made(engine, [ask(name, sys.argv[2], picture_of("rings"))])
print("made")
"""


@pytest.mark.parametrize(
    "name", ["klein", "sdxl-structure", "instruct-pix2pix", "longcat", "z-image"]
)
def test_a_prompt_too_long_is_cut_in_silence(load, caplog, capfd, name):
    caplog.set_level(logging.DEBUG)
    engine = load(name)
    answer = made(engine, [ask(name, LONG, picture_of("rings"))])[0]
    assert answer.recipe["prompt"] == LONG
    assert LONG.startswith(answer.recipe["prompt_read"])
    assert 0 < len(answer.recipe["prompt_read"]) < len(LONG)
    assert answer.recipe["tokens_dropped"] > 0
    out, err = capfd.readouterr()
    assert SECRET not in caplog.text + out + err


def test_a_process_with_all_logs_open_says_nothing_of_it(tiny_file, tmp_path):
    """The same where every log goes to the terminal from the very beginning."""
    done = subprocess.run(
        [sys.executable, "-c", ALONE, "sdxl-structure", LONG],
        env={"FORUM_PRESETS": str(tiny_file), "PATH": "/usr/bin", "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.stdout.endswith("made\n"), done.stderr[-2000:]
    assert SECRET not in done.stdout + done.stderr


def test_a_whole_prompt_is_read_whole(load):
    answer = made(load("klein"), [ask("klein", "雪, at night", picture_of("rings"))])[0]
    assert answer.recipe["prompt_read"] == "雪, at night"
    assert answer.recipe["tokens_dropped"] == 0


def test_quotation_marks_are_spelt_and_still_fit(load):
    """LongCat counts every letter between marks; a long quotation used to break it."""
    words = 'write "' + "Gegenbild " * 70 + '" on the wall'
    answer = made(load("longcat"), [ask("longcat", words, picture_of("rings"))])[0]
    assert answer.recipe["tokens_dropped"] > 0
