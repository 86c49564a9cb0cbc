"""Readings."""

import pytest

from forum.threads.actions import NotAllowed, read, take_back
from forum.threads.models import Reading

pytestmark = pytest.mark.django_db


def test_it_is_kept_with_its_language(hill, wen):
    assert read(member=wen, image=hill.first_image, text="山在等").language == "zh"


def test_the_same_words_are_said_once(hill, wen):
    for _ in range(2):
        read(member=wen, image=hill.first_image, text="It waits.")
    assert Reading.objects.count() == 1


def test_one_reads_what_one_sees_only(river, wen):
    with pytest.raises(NotAllowed):
        read(member=wen, image=river.first_image, text="It waits.")


def test_the_thread_is_told(hill, wen, heard):
    reading = read(member=wen, image=hill.first_image, text="It waits.")
    assert heard == [(hill.topic, "reading", reading.pk)]


def test_its_author_takes_it_back(hill, wen):
    take_back(reading=read(member=wen, image=hill.first_image, text="It waits."), by=wen)
    assert not Reading.objects.exists()


def test_nobody_else_takes_it_back(hill, wen, ada):
    reading = read(member=wen, image=hill.first_image, text="It waits.")
    with pytest.raises(NotAllowed):
        take_back(reading=reading, by=ada)
