"""The vector extension needs a processor with AVX2; who lacks it is told what to do."""

from pathlib import Path

import pytest

from forum.running.binaries import missing_flags, require_processor
from forum.running.trouble import Trouble

OLD = "processor\t: 0\nflags\t\t: fpu sse sse2 ssse3 sse4_1 sse4_2 avx\n\nprocessor\t: 1\n"
NEW = "processor\t: 0\nflags\t\t: fpu sse sse2 avx avx2 fma f16c\n"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "cpuinfo"
    path.write_text(OLD)
    return path


def test_an_old_processor_is_told_by_name(old: Path) -> None:
    assert missing_flags(old, "x86_64") == ("avx2", "fma", "f16c")
    with pytest.raises(Trouble, match="lacks avx2, fma, f16c.*DATABASE_URL"):
        require_processor(old, "x86_64")


def test_a_newer_one_may_pass(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text(NEW)
    require_processor(tmp_path / "cpuinfo", "x86_64")


def test_other_kinds_are_left_to_the_probe(old: Path, tmp_path: Path) -> None:
    assert missing_flags(old, "aarch64") == ()
    assert missing_flags(tmp_path / "nothing", "x86_64") == ()
