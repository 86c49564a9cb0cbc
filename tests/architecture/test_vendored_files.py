"""Files of others are byte for byte what was pinned, come with their licences, and nothing else lies there."""

import re
from pathlib import Path

import pytest

from tools import vendor

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_has_the_hash_that_was_written_down() -> None:
    assert vendor.present() == vendor.listed()


def test_what_is_written_down_is_what_is_pinned() -> None:
    text = vendor.LIST.read_text()
    for package in vendor.PACKAGES:
        assert f"## {package.name} {package.version}\n" in text
        assert package.integrity in text
        assert package.version in package.folder


def test_every_package_keeps_its_licence() -> None:
    for package in vendor.PACKAGES:
        assert (ROOT / package.folder / "LICENSE").stat().st_size > 200, package.name


def test_one_changed_byte_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "static/vendor"
    place.mkdir(parents=True)
    (place / "a.js").write_bytes(b"1")
    monkeypatch.setattr(vendor, "ROOT", tmp_path)
    monkeypatch.setattr(vendor, "PLACES", (place,))
    before = vendor.present()
    (place / "a.js").write_bytes(b"2")
    assert before != vendor.present()


def test_an_archive_that_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text('#!/bin/sh\nprintf changed > "$4/package.tgz"\necho package.tgz\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(vendor.Refused, match="not what was pinned"):
        vendor.fetch(vendor.PACKAGES[0], tmp_path)


def test_pages_ask_for_vendored_files_that_are_there() -> None:
    sources = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "static/css").glob("*.css")]
    named = {
        found
        for source in sources
        for found in re.findall(r"vendor/([\w./-]+\.(?:js|woff2))", source.read_text())
    }
    assert named
    assert {name for name in named if not (ROOT / "static/vendor" / name).is_file()} == set()


def test_no_script_points_to_a_source_map_that_is_not_shipped() -> None:
    for script in (ROOT / "static/vendor").rglob("*.js"):
        assert b"sourceMappingURL" not in script.read_bytes(), script.name
