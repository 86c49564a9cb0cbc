"""An image on the plaza, and Lin at her desk before it."""

import itertools

import pytest

from forum.drafts.actions import take_turn
from tests.factories import a_thread

KEYS = itertools.count(1)


@pytest.fixture
def hill(plaza, ada):
    """Ada's image, which Lin may answer."""
    return a_thread(plaza, ada).first_image


@pytest.fixture
def say(lin, hill):
    """The next turn of Lin's draft."""

    def say(prompt="make it night", **more):
        words = {"member": lin, "to": hill, "key": f"turn-{next(KEYS)}", **more}
        return take_turn(prompt=prompt, **words)

    return say
