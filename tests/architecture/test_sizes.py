"""Size is a sign of care: a long function hides, a long file gathers."""

from tools import sizes


def test_functions_are_short():
    figures = sizes.measure()
    assert figures["functions"] > 300
    assert figures["median"] <= 9
    assert figures["ninetieth"] <= 32


def test_no_file_grows_beyond_its_room():
    assert sizes.measure()["longest_file"] <= 450
