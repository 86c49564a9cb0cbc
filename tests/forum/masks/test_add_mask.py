"""What is taken as a mask, what becomes of it, and what is refused with nothing left behind."""

import hashlib
import io

import pytest
from django.core.files.storage import default_storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as Pictures

from forum.images.refusals import Refused
from forum.masks import actions
from forum.masks.models import Mask
from forum.masks.pixels import Wish, from_rectangle, is_shaped
from tests.forum.masks.conftest import SIZE, half, pixels, sent

pytestmark = pytest.mark.django_db


def add(member, image, **words):
    return actions.add_mask(member=member, image=image, **words)


def test_a_painted_mask_is_kept_as_grey_png(lin, hill):
    mask = add(lin, hill, upload=sent(half()))
    assert pixels(mask).tobytes() == half().tobytes()
    assert (mask.width, mask.height, mask.share) == (*SIZE, 0.5)
    with default_storage.open(mask.name) as file:
        data = file.read()
    assert (mask.bytes, mask.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (mask.ref().sha256, mask.ref().size) == (mask.sha256, SIZE)


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("1", "PNG", {}),
        ("P", "PNG", {}),
        ("RGB", "PNG", {}),
        ("RGBA", "PNG", {}),
        ("LA", "PNG", {}),
        ("RGB", "WEBP", {"lossless": True}),
        ("RGBA", "WEBP", {"lossless": True}),
    ],
)
def test_every_mode_means_the_same(lin, hill, mode, kind, options):
    mask = add(lin, hill, upload=sent(half(mode=mode), kind, **options))
    assert pixels(mask).tobytes() == half().tobytes()


def test_sixteen_bits_are_read_as_greys(lin, hill):
    deep = Pictures.new("I;16", SIZE)
    deep.paste(65535, (0, 0, 24, 32))
    assert pixels(add(lin, hill, upload=sent(deep))).tobytes() == half().tobytes()


def test_nothing_may_change_where_it_is_transparent(lin, hill):
    painted = Pictures.new("RGBA", SIZE, (255, 255, 255, 0))
    painted.paste((255, 255, 255, 255), (0, 0, 24, 32))
    assert pixels(add(lin, hill, upload=sent(painted))).tobytes() == half().tobytes()


@pytest.mark.parametrize("size", [(24, 16), (96, 64), (480, 320), (49, 32), (1200, 800)])
def test_another_size_of_the_same_shape_is_welcome(lin, hill, size):
    mask = add(lin, hill, upload=sent(half(size)))
    assert abs(mask.share - 0.5) < 0.02


def test_a_large_one_is_made_smaller(lin, hill):
    mask = add(lin, hill, upload=sent(half((3000, 2000))))
    assert (mask.width, mask.height) == (2048, 1365)


@pytest.mark.parametrize("size", [(32, 48), (48, 48), (48, 40), (480, 300)])
def test_another_shape_is_refused(lin, hill, media, size):
    before = media()
    with pytest.raises(Refused) as refusal:
        add(lin, hill, upload=sent(half(size)))
    assert refusal.value.code == "mask_shape"
    assert "48 × 32" in str(refusal.value.sentence)
    assert media() == before


@pytest.mark.parametrize(
    ("upload", "code"),
    [
        (lambda: sent(half(), "JPEG"), "mask_kind"),
        (lambda: sent(half(), "GIF"), "mask_kind"),
        (lambda: io.BytesIO(b"no picture at all"), "not_an_image"),
        (lambda: io.BytesIO(b""), "empty"),
        (lambda: io.BytesIO(sent(half((480, 320))).getvalue()[:-60]), "broken"),
        (lambda: io.BytesIO(b"\x89PNG\r\n\x1a\n" + b"\0" * 9_000_000), "too_large"),
        (lambda: sent(Pictures.new("L", SIZE)), "mask_empty"),
        (lambda: sent(Pictures.new("L", SIZE, 12)), "mask_empty"),
        (lambda: sent(Pictures.new("RGBA", SIZE, (255, 255, 255, 0))), "mask_empty"),
        (lambda: sent(Pictures.new("1", (9000, 6000))), "too_many_pixels"),
    ],
)
def test_what_is_no_mask_is_refused_and_leaves_nothing(lin, hill, media, upload, code):
    before = media()
    with pytest.raises(Refused) as refusal:
        add(lin, hill, upload=upload())
    assert refusal.value.code == code
    assert media() == before
    assert not Mask.objects.exists()


def test_where_everything_may_change_there_is_no_mask(lin, hill, media):
    before = media()
    assert add(lin, hill, upload=sent(Pictures.new("L", SIZE, 255))) is None
    assert add(lin, hill, rectangle=(0, 0, 1, 1)) is None
    assert media() == before


def test_a_rectangle_is_drawn(lin, hill):
    mask = add(lin, hill, rectangle=(0.25, 0.5, 0.5, 0.25))
    assert pixels(mask).getbbox() == (12, 16, 36, 24)
    assert mask.share == pytest.approx(0.125)


@pytest.mark.parametrize("rectangle", [(1, 0, 1, 1), (-0.1, 0, 1, 1), (0, 0, 0, 1), (0, 0, 2, 1)])
def test_a_rectangle_outside_is_refused(lin, hill, rectangle):
    with pytest.raises(Refused) as refusal:
        add(lin, hill, rectangle=rectangle)
    assert refusal.value.code == "mask_rectangle"


def test_a_rectangle_adds_to_a_file(lin, hill):
    mask = add(lin, hill, upload=sent(half()), rectangle=(0.75, 0, 0.25, 1))
    assert mask.share == pytest.approx(0.75)


def test_a_soft_edge_is_in_the_pixels(lin, hill):
    mask = add(lin, hill, rectangle=(0, 0, 0.5, 1), feather=0.1)
    row = [pixels(mask).getpixel((x, 16)) for x in range(48)]
    assert row == sorted(row, reverse=True)
    assert (row[0], row[-1]) == (255, 0)
    assert 3 <= sum(10 < value < 245 for value in row) <= 12


def test_the_same_mask_is_kept_once(lin, ada, hill, media):
    first = add(lin, hill, upload=sent(half()))
    files = media()
    assert add(lin, hill, upload=sent(half(mode="RGB"))) == first
    assert media() == files
    # Another member's is another's to delete.
    assert add(ada, hill, upload=sent(half())) != first


def test_who_may_not_answer_keeps_no_mask(wen, river, media):
    before = media()
    with pytest.raises(Refused):
        add(wen, river, rectangle=(0, 0, 0.5, 1))
    assert media() == before


def test_masks_count_among_what_a_member_may_keep(lin, hill, settings):
    mask = add(lin, hill, rectangle=(0, 0, 0.5, 1))
    assert actions.stored_bytes(lin) == mask.bytes
    settings.FORUM_MEMBER_STORAGE_MB = 0
    with pytest.raises(Refused) as refusal:
        add(lin, hill, rectangle=(0, 0, 0.25, 1))
    assert refusal.value.code == "quota_full"


sides = st.integers(16, 3000)


@given(width=sides, height=sides, scale=st.floats(0.05, 1))
def test_a_picture_scaled_down_keeps_its_shape(width, height, scale):
    smaller = max(1, round(width * scale)), max(1, round(height * scale))
    assert is_shaped(smaller, (width, height))


shares = st.floats(0, 0.9), st.floats(0.05, 1)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.tuples(*shares), st.tuples(*shares), sides, sides)
def test_every_rectangle_inside_is_drawn_where_it_lies(across, down, width, height):
    wish = Wish((width, height), (across[0], down[0], across[1], down[1]))
    mask = from_rectangle(wish)
    if mask is None:
        assert across[0] < 0.1 and down[0] < 0.1
        return
    left, top, right, bottom = mask.getbbox()
    assert abs(left - across[0] * mask.width) <= 1
    assert abs(top - down[0] * mask.height) <= 1
    assert abs(right - min(1, sum(across)) * mask.width) <= 1
    assert abs(bottom - min(1, sum(down)) * mask.height) <= 1
