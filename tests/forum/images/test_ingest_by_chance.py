"""Good pictures with bytes cut, flipped or put in: taken or refused, never a fault, nothing left."""

import io

import pytest
from django.core.files.storage import default_storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from forum.images.ingest import discard, ingest
from forum.images.refusals import Refused
from tests.forum.images.odd import encoded, photograph, png

pytestmark = pytest.mark.django_db

GOOD = {
    "JPEG": encoded(photograph((120, 80)), "JPEG"),
    "progressive": encoded(photograph((120, 80)), "JPEG", progressive=True),
    "PNG": png(),
    "WEBP": encoded(photograph((120, 80)), "WEBP"),
    "GIF": encoded(photograph((120, 80)).convert("P"), "GIF"),
    "AVIF": encoded(photograph((120, 80)), "AVIF"),
}
places = st.floats(0, 1, exclude_max=True)
cuts = st.builds(lambda at: ("cut", at, b""), places)
flips = st.builds(lambda at, bits: ("flip", at, bytes([bits])), places, st.integers(1, 255))
inserts = st.builds(
    lambda at, data: ("insert", at, data), places, st.binary(min_size=1, max_size=40)
)
damages = st.lists(cuts | flips | inserts, min_size=1, max_size=4)


def damaged(data: bytes, steps: list[tuple[str, float, bytes]]) -> bytes:
    """The data after each step, places being parts of its length."""
    for verb, part, more in steps:
        at = int(len(data) * part)
        if verb == "cut":
            data = data[:at]
        elif verb == "insert":
            data = data[:at] + more + data[at:]
        elif data:
            data = data[:at] + bytes([data[at] ^ more[0]]) + data[at + 1 :]
    return data


@given(kind=st.sampled_from(sorted(GOOD)), steps=damages)
@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_damage_is_answered_cleanly(kind, steps, lin, left_behind):
    try:
        taken = ingest(io.BytesIO(damaged(GOOD[kind], steps)), member=lin)
    except Refused as refusal:
        assert refusal.status == 422
    else:
        for each in taken.files[1:]:
            Image.open(default_storage.open(each.file.name)).load()
        discard(taken)
    assert not [name for name in left_behind() if name.endswith((".webp", "original"))]


def test_the_good_ones_are_good(lin):
    for data in GOOD.values():
        discard(ingest(io.BytesIO(data), member=lin))
