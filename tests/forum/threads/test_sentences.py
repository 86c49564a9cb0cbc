"""Every reason has a sentence."""

import pytest

from forum.threads.sentences import SENTENCES, UNKNOWN, sentence
from generation.models import Reason


@pytest.mark.parametrize("reason", Reason.values)
def test_every_reason_of_the_studio_is_said_in_words(reason):
    assert sentence(reason) != UNKNOWN


@pytest.mark.parametrize("reason", SENTENCES)
def test_a_sentence_is_one(reason):
    assert str(sentence(reason)).endswith(".")


def test_an_unknown_reason_still_says_something():
    assert str(sentence("gremlins"))
