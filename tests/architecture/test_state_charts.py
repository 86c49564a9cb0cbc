"""The charts in the documentation are drawn from the graphs in the code."""

from tools.states import PAGE, page


def test_the_state_charts_match_the_code():
    assert PAGE.read_text("utf-8") == page(), "Run `python tools/states.py`."
