import os
from collections.abc import Callable, Iterator

import pytest

from tests.faults.house import House

#: `make faults` repeats each fault as often as the design says; otherwise three times will do.
LONG = os.environ.get("FORUM_FAULTS") == "long"


@pytest.fixture
def times() -> Callable[[int], int]:
    """How often to repeat a fault: `times(20)` is 20 in the long form and 3 in the short one."""
    return lambda often: often if LONG else min(3, often)


@pytest.fixture
def house() -> Iterator[House]:
    """A house, not started. Its environment may be changed before `start()`."""
    made = House()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def standing_house() -> Iterator[House]:
    """A running house for all tests of a file, which leave it well."""
    made = House()
    try:
        made.start()
        yield made
    finally:
        made.remove()
