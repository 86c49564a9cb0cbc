"""Preset files: layers, pins, and a clear word for everything that does not hold."""

import os
from pathlib import Path

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError

from generation import presets
from generation.engines.diffusion.settings import settings as settings_of
from generation.engines.sources import sources
from generation.prompts import planning

WHOLE = """
[mine]
engine = "darkroom"
titles = { en = "Mine", zh-hans = "我的" }
licence = "MIT"
commercial = true
max_side = 640
source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's file, empty, named by the environment."""
    path = tmp_path / "own.toml"
    path.write_text("")
    monkeypatch.setenv("FORUM_PRESETS", str(path))
    return path


def troubles() -> list[str]:
    """What is wrong with the files now."""
    with pytest.raises(presets.PresetsBroken) as caught:
        presets.presets()
    return caught.value.troubles


def test_the_operators_file_adds_and_lays_over(own: Path) -> None:
    """One key of a shipped preset changes and the others stay; a whole new one is added."""
    before = planning.preset("darkroom")
    own.write_text(WHOLE + "[darkroom]\nmax_side = 900\n")
    after = planning.presets()
    assert after["mine"].max_side == 640
    assert after["darkroom"].max_side == 900
    assert after["darkroom"].titles == before.titles


def test_a_changed_file_is_read_anew(own: Path) -> None:
    """A pin written by another process is seen without a restart."""
    own.write_text(WHOLE)
    assert planning.preset("mine").max_side == 640
    own.write_text(WHOLE.replace("640", "6400"))
    assert planning.preset("mine").max_side == 6400


def test_the_data_folder_holds_the_file_of_those_who_name_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without FORUM_PRESETS, presets.toml in FORUM_DATA_DIR counts, and may be missing."""
    monkeypatch.delenv("FORUM_PRESETS", raising=False)
    monkeypatch.setenv("FORUM_DATA_DIR", str(tmp_path))
    assert "mine" not in presets.presets()
    (tmp_path / "presets.toml").write_text(WHOLE)
    assert "mine" in presets.presets()


def test_a_preset_may_be_like_another(own: Path) -> None:
    """It has all that the other says, an operator's changes too, but for what it says itself."""
    own.write_text(
        WHOLE + '[mine.parts]\neye = { model = "a/b" }\n'
        '[other]\nlike = "mine"\nmax_side = 64\n[other.parts]\near = { model = "c/d" }\n'
    )
    other = planning.preset("other")
    assert (other.max_side, other.licence) == (64, "MIT")
    assert [source.role for source in sources(other)] == ["eye", "ear"]
    assert "like" not in other.settings
    own.write_text(own.read_text() + '[third]\nlike = "other"\nlicence = "BSD"\n')
    third = planning.preset("third")
    assert (third.max_side, third.licence, third.titles) == (64, "BSD", other.titles)
    assert [source.role for source in sources(planning.preset("mine"))] == ["eye"]


def test_a_task_can_be_switched_off(own: Path) -> None:
    """By an empty name where its pipeline's class would stand."""
    own.write_text('[z-image]\npipelines = { create = "" }\n')
    assert set(planning.preset("z-image").settings["pipelines"]) == {"edit", "inpaint"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("[mine", "cannot be read"),
        ('[mine]\nlike = "nobody"', "[mine] like must name another preset"),
        ('[mine]\nlike = "mine"', "[mine] like must name another preset"),
        ('[mine]\nlike = "yours"\n[yours]\nlike = "mine"', "[mine] like must name another preset"),
        ("[mine]\nlike = 3", "[mine] like must name another preset"),
        (
            '[mine]\nlike = "sdxl-structure"\ncontrol = { kind = "depth", mode = 1 }',
            "[mine] control needs parts.depth with a class such as transformers:DepthAnything",
        ),
        ("mine = 3", "outside a table"),
        ("[Mine]", "is no name"),
        ("[x" + "x" * 40 + "]", "is no name"),
        ("[mine]", "engine is missing"),
        (WHOLE.replace("640", '"640"'), "max_side must be a number of pixels"),
        (WHOLE.replace("640", "true"), "max_side must be a number of pixels"),
        (WHOLE.replace('"darkroom"', '"nothing"'), "engine 'nothing' is none of"),
        (WHOLE.replace("commercial = true", 'commercial = "yes"'), "commercial must be true or"),
        (WHOLE.replace("en =", "fr ="), "titles must be words by language"),
        (WHOLE + "buckets = [4, 1]", "buckets must be batch sizes"),
        (WHOLE + "buckets = []", "buckets must be batch sizes"),
        (WHOLE + 'revision = "main"', "revision must be a commit of 40 hex digits"),
        (WHOLE + "sizes = [[1024, 1023]]", "sizes must be pairs"),
        (WHOLE + "parts = { controlnet = {} }", "parts must be tables by role"),
        (WHOLE + "batch = { tokens_in_flight = 0 }", "tokens_in_flight must be a number above 0"),
    ],
)
def test_what_is_wrong_is_named(own: Path, words: str, said: str) -> None:
    """File, preset and key, in one sentence; never a traceback from somewhere below."""
    own.write_text(words)
    assert any(said in each and str(own) in each for each in troubles()), troubles()


def test_a_file_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who names a file wants it read."""
    monkeypatch.setenv("FORUM_PRESETS", str(tmp_path / "gone.toml"))
    assert "is not there" in troubles()[0]


def test_the_system_checks_say_it(own: Path, settings) -> None:
    """`manage.py check` names broken files, unknown defaults, and weights without a commit."""
    own.write_text(WHOLE.replace("640", "6"))
    assert "generation.E001" in [each.id for each in run_checks()]
    own.write_text(WHOLE + 'model = "/srv/weights"')
    settings.FORUM_DEFAULT_PRESET = "nothing"
    found = [each.id for each in run_checks()]
    assert {"generation.E002", "generation.W001"} <= set(found)


def test_a_worker_refuses_in_one_line(own: Path) -> None:
    """Exit code 2, and the same sentence."""
    own.write_text(WHOLE.replace("640", "6"))
    with pytest.raises(CommandError, match="max_side must be") as caught:
        call_command("worker")
    assert caught.value.returncode == 2


def test_weights_lie_by_repository_and_commit(own: Path, tmp_path: Path, monkeypatch) -> None:
    """A pinned repository has one folder; an unpinned one none; a path is itself."""
    monkeypatch.setenv("FORUM_MODELS_DIR", str(tmp_path / "models"))
    pin = "0123456789" * 4
    more = f'model = "some/thing"\nrevision = "{pin}"\n[mine.parts]\n'
    own.write_text(WHOLE + more + 'net = { model = "a/b" }\nface = { model = "/srv/face" }\n')
    model, net, face = sources(planning.preset("mine"))
    assert model.folder == tmp_path / "models" / "some--thing" / pin
    assert net.folder is None
    assert face.folder == Path("/srv/face") and face.local
    assert os.environ["FORUM_MODELS_DIR"]


def test_the_example_of_the_reference_holds(own: Path) -> None:
    """What operators copy from the page is understood."""
    page = Path(__file__).parents[2] / "docs" / "reference" / "presets.md"
    own.write_text(page.read_text("utf-8").split("```toml\n")[1].split("```")[0])
    known = presets.presets()
    assert {"klein-fast", "sdxl-everything"} <= set(known)
    assert len(settings_of(known["sdxl-everything"]).controls) == 3


def test_a_slip_of_the_pen_is_named(tmp_path, monkeypatch):
    """A key that nothing reads would be passed over in silence: a scale, a pin, a limit that never was."""
    own = tmp_path / "own.toml"
    monkeypatch.setenv("FORUM_PRESETS", str(own))
    for table, key in (("darkroom", "revison"), ("klein", "lora"), ("klein", "bucket")):
        own.write_text(f'[{table}]\n{key} = "x"\n')
        with pytest.raises(presets.PresetsBroken, match=f"{key} is nothing that the engine"):
            presets.presets()
