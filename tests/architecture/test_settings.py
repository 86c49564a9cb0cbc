"""Every switch is documented where it is read, and the reference is written from there."""

import re
from pathlib import Path

from tools import settings_reference

ROOT = Path(__file__).resolve().parents[2]
MIN_SWITCHES = 20  # a collapse means the pattern stopped finding them: fix it, do not lower this


def test_every_switch_has_its_sentence():
    source = (ROOT / "forum" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_0-9]+)"', source))
    documented = {name for switch in settings_reference.switches() for name in switch.names}
    assert len(read) >= MIN_SWITCHES
    assert read <= documented, (
        f"Undocumented: {sorted(read - documented)}. Write a #: line above it."
    )


def test_the_reference_is_up_to_date():
    path = ROOT / "docs" / "reference" / "settings.md"
    assert path.read_text() == settings_reference.page(), (
        "Run `python -m tools.settings_reference`."
    )


def test_the_example_file_names_every_switch():
    example = (ROOT / ".env.example").read_text()
    for switch in settings_reference.switches():
        for name in switch.names:
            assert re.search(rf"^#?\s?{name}=", example, re.M), f".env.example lacks {name}."
