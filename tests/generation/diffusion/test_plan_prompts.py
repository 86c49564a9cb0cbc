"""What a member is told before a prompt is sent, counted without torch."""

import subprocess
import sys

import pytest

from generation import presets
from generation.engines.diffusion import tokens
from generation.engines.diffusion.plans import plan
from generation.prompts import planning


@pytest.fixture
def klein(tiny_file, monkeypatch):
    monkeypatch.setenv("FORUM_PRESETS", str(tiny_file))
    return presets.presets()["klein"]


def test_tokens_are_counted_as_the_model_counts_them(klein):
    assert tokens.room(klein) == 64 - tokens.TEMPLATE
    assert tokens.count("abc", klein) == 3
    assert tokens.count("雪", klein) == 3, "three bytes, and this tokenizer knows bytes only"
    assert tokens.beyond("a" * 48, klein) == 0
    assert tokens.beyond("a" * 50, klein) == 2


def test_a_prompt_too_long_is_told(klein):
    assert plan("a" * 60, klein).notes == (
        "The last 12 of 60 word pieces are beyond what this model can read; they will be left out.",
    )
    assert "略去" in plan("a" * 60, klein, "zh-hans").notes[0]
    assert plan("at night", klein).notes == ()


def test_what_cannot_be_counted_here_is_not_guessed(klein, monkeypatch):
    monkeypatch.delenv("FORUM_PRESETS")
    unpinned = presets.presets()["klein"]
    assert tokens.count("a" * 9000, unpinned) is None
    assert plan("a" * 9000, unpinned).notes == ()


def test_a_model_that_knows_english_only_says_so(klein):
    assert "English" in plan("下雪", klein).notes[0]
    assert plan("下雪", presets.presets()["qwen-edit"]).notes == ()


def test_strength_without_effect_is_said(klein):
    assert any("strength" in each for each in plan("rain", klein, strength=0.4).notes)
    assert plan("rain", presets.presets()["sd-turbo"], strength=0.4).notes == ()


def test_nothing_typed_asks_for_words(klein):
    assert plan("  ", klein).notes == ("Say what should become of this image.",)


def test_the_front_door_plans_for_diffusion_models_too(klein):
    said = planning.plan("a" * 60, "klein", "en")
    assert said.seconds == 1 and "beyond" in said.notes[0] and not said.refusal


def test_planning_needs_no_torch():
    code = (
        "import sys\n"
        "for name in ('torch', 'diffusers', 'transformers', 'cv2'): sys.modules[name] = None\n"
        "from generation.engines.diffusion import plans, settings, tokens\n"
        "from generation import presets\n"
        "print(plans.plan('rain', presets.presets()['klein']).seconds)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "3.0\n", done.stderr[-2000:]
