"""Good pictures are taken, however odd, and what is kept of them is clean."""

import hashlib
import io

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from forum.images.ingest import discard, ingest
from forum.images.models import Origin
from tests.forum.images import odd
from tests.forum.images.hostile import MARKER, marked
from tests.forum.images.odd import BLUE, GREEN, RED, WHITE, encoded, photograph, quarters

pytestmark = pytest.mark.django_db

FORBIDDEN = (
    b"Exif",
    b"EXIF",
    b"ICCP",
    b"XMP ",
    b"xmpmeta",
    b"GPS",
    b"Somebody",
    b"CameraMaker",
    MARKER,
)


def opened(ingested, role: str) -> Image.Image:
    """One of its files as a picture."""
    name = next(each.file.name for each in ingested.files if each.role == role)
    return Image.open(default_storage.open(name))


def stored_bytes(ingested, role: str) -> bytes:
    name = next(each.file.name for each in ingested.files if each.role == role)
    with default_storage.open(name) as file:
        return file.read()


def corners(picture: Image.Image) -> list[tuple[int, ...]]:
    """Colours near the four corners, in reading order."""
    width, height = picture.size
    places = [(x, y) for y in (height // 5, height * 4 // 5) for x in (width // 5, width * 4 // 5)]
    return [picture.convert("RGB").getpixel(place) for place in places]


def assert_near(found, wanted, by=28):
    for one, other in zip(found, wanted, strict=True):
        assert all(abs(a - b) <= by for a, b in zip(one, other, strict=True)), (found, wanted)


@pytest.mark.parametrize("name", odd.MAKERS)
def test_an_odd_and_valid_picture_is_taken(name, take):
    data = odd.MAKERS[name]()
    taken = take(data)
    assert stored_bytes(taken, "original") == data
    for role in ("display", "thumb"):
        picture = opened(taken, role)
        picture.load()
        assert (picture.format, picture.mode) == ("WEBP", "RGB")
        clean = stored_bytes(taken, role)
        assert not [word for word in FORBIDDEN if word in clean]


def test_the_floor_of_odd_pictures():
    """A collapse means that makers are no longer found: do not lower this."""
    assert len(odd.MAKERS) >= 45


def test_every_photograph_beside_the_checkout_is_taken(photographs, lin):
    for path in photographs[::6]:
        with path.open("rb") as file:
            taken = ingest(file, member=lin)
        with Image.open(path) as source:
            assert sorted(source.size) == sorted((taken.width, taken.height))
        discard(taken)


def test_hash_size_and_files_are_what_they_say(take):
    data = encoded(photograph((2600, 1300)), "JPEG")
    taken = take(data)
    assert (taken.width, taken.height) == (2600, 1300)
    assert taken.sha256 == hashlib.sha256(data).hexdigest()
    assert [each.role for each in taken.files] == ["original", "display", "thumb"]
    assert opened(taken, "display").size == (2048, 1024)
    assert opened(taken, "thumb").size == (512, 256)
    for each in taken.files:
        content = stored_bytes(taken, each.role)
        assert (len(content), hashlib.sha256(content).hexdigest()) == (
            each.file.bytes,
            each.file.sha256,
        )


def test_a_small_picture_is_not_enlarged(take):
    taken = take(encoded(quarters((64, 40)), "PNG"))
    assert opened(taken, "display").size == opened(taken, "thumb").size == (64, 40)


TURNED = {
    1: (RED, GREEN, BLUE, WHITE),
    2: (GREEN, RED, WHITE, BLUE),
    3: (WHITE, BLUE, GREEN, RED),
    4: (BLUE, WHITE, RED, GREEN),
    5: (RED, BLUE, GREEN, WHITE),
    6: (BLUE, RED, WHITE, GREEN),
    7: (WHITE, GREEN, BLUE, RED),
    8: (GREEN, WHITE, RED, BLUE),
}


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", TURNED)
def test_pictures_are_shown_upright(kind, orientation, take):
    exif = Image.Exif()
    exif[0x0112] = orientation
    taken = take(encoded(quarters(), kind, exif=exif, quality=95))
    size = (96, 64) if orientation < 5 else (64, 96)
    assert (taken.width, taken.height) == opened(taken, "display").size == size
    assert_near(corners(opened(taken, "display")), TURNED[orientation])


def test_a_colour_profile_is_applied(take):
    """The profile exchanges red and green; a reader that ignores it would show them as written."""
    taken = take(odd.jpeg_with_a_profile_to_apply())
    red, green, blue, white = corners(opened(taken, "display"))
    assert red[1] > red[0] + 60
    assert green[0] > green[1] + 60
    assert_near([white], [WHITE])


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_what_is_transparent_stands_on_white(kind, take):
    picture = Image.new("RGBA", (64, 64), (255, 0, 0, 0))
    picture.paste((0, 0, 200, 255), (0, 0, 32, 64))
    settings = {} if kind == "PNG" else {"quality": 95}
    colours = corners(opened(take(encoded(picture, kind, **settings)), "display"))
    assert_near(colours, [(0, 0, 200), (255, 255, 255)] * 2)


@pytest.mark.parametrize(("depth", "colours"), odd.PNG_FORMS)
def test_every_form_of_png_keeps_dark_and_bright(depth, colours, take):
    shown = opened(take(odd.png(depth, colours)), "display").convert("L")
    assert shown.getpixel((4, 16)) < 40
    assert shown.getpixel((28, 16)) > 215


def test_sixteen_bits_keep_their_middle(take):
    """A careless conversion clips everything above 255 to white."""
    grey = Image.new("I;16", (64, 64), 32_768)
    assert (
        abs(opened(take(encoded(grey, "PNG")), "display").convert("L").getpixel((9, 9)) - 128) <= 2
    )


def test_cmyk_keeps_its_colours(take):
    taken = take(encoded(quarters().convert("CMYK"), "JPEG", quality=95))
    assert_near(corners(opened(taken, "display")), (RED, GREEN, BLUE, WHITE), by=60)


def test_an_animation_shows_its_first_frame(take):
    assert_near(corners(opened(take(odd.png_animated()), "display")), (RED, GREEN, BLUE, WHITE))


@pytest.mark.parametrize("name", marked())
def test_no_foreign_byte_is_served(name, lin):
    """Polyglots: whether such a file is taken or not, the marker reaches nobody."""
    from forum.images.refusals import Refused

    try:
        taken = ingest(io.BytesIO(marked()[name]), member=lin)
    except Refused as refusal:
        assert refusal.status == 422
        return
    assert MARKER not in stored_bytes(taken, "display") + stored_bytes(taken, "thumb")


HINTS = {
    "a1111": odd.png_made_by_a_generator(),
    "comfyui": odd.png(before=odd.chunk(b"tEXt", b'prompt\0{"3":{"class_type":"KSampler"}}')),
    "invokeai": odd.png(before=odd.chunk(b"tEXt", b"invokeai_metadata\0{}")),
    "iptc-source-type": encoded(
        quarters(),
        "JPEG",
        xmp=b'<x Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/'
        b'trainedAlgorithmicMedia"/>',
    ),
    "aigc": encoded(quarters(), "WEBP", xmp=b'<x TC260:AIGC=\'{"Label":"1"}\'/>'),
}


@pytest.mark.parametrize("mark", HINTS)
def test_what_the_file_says_of_ai_is_noticed(mark, take):
    taken = take(HINTS[mark])
    assert mark in taken.marks
    assert taken.origin == Origin.AI_DETECTED


def test_a_generator_is_noticed_in_exif(take):
    exif = Image.Exif()
    words = "a fox\nSteps: 20, Sampler: Euler".encode("utf-16-be")
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + words
    assert take(encoded(quarters(), "JPEG", exif=exif)).marks == ("a1111",)


def test_a_signed_photograph_is_not_called_ai(take):
    """Cameras sign too: Content Credentials alone say nothing about AI."""
    taken = take(encoded(quarters(), "JPEG") + b"jumb c2pa")
    assert taken.manifest
    assert (taken.marks, taken.origin) == ((), Origin.UNKNOWN)


def test_a_photograph_says_nothing(take):
    assert take(odd.jpeg_with_a_place()).origin == Origin.UNKNOWN


def test_heic_is_taken_where_its_library_is(take):
    heif = pytest.importorskip("pillow_heif")
    out = io.BytesIO()
    heif.from_pillow(quarters((128, 96))).save(out, quality=90)
    taken = take(out.getvalue())
    assert (taken.kind, taken.width, taken.height) == ("HEIF", 128, 96)
    assert_near(corners(opened(taken, "display")), (RED, GREEN, BLUE, WHITE))


def test_a_phone_picture_of_50_megapixels_is_taken(take):
    taken = take(encoded(photograph((8160, 6144)), "JPEG", quality=70))
    assert (taken.width, taken.height) == (8160, 6144)
    assert opened(taken, "display").size == (2048, 1542)


def test_the_largest_legal_pictures_stay_within_memory(tmp_path):
    """At most 1 GB in the child (goal B3), for the worst picture of each kind."""
    from forum.images.children import decode_apart
    from forum.images.ingest import limits

    flat = {
        "PNG": encoded(Image.new("RGBA", (8000, 6250), (1, 2, 3, 4)), "PNG", compress_level=1),
        "WEBP": encoded(
            Image.new("RGBA", (6000, 4000), (1, 2, 3, 4)), "WEBP", lossless=True, method=0
        ),
        "JPEG": encoded(Image.new("RGB", (11_600, 8600), (1, 2, 3)), "JPEG", progressive=True),
    }
    for kind, data in flat.items():
        source = tmp_path / kind
        source.write_bytes(data)
        report = decode_apart(source, tmp_path, kind, limits())
        assert "refused" not in report, (kind, report)
        assert report["peak_kb"] < 1_000_000, (kind, report["peak_kb"])


def test_discarding_leaves_nothing(take, left_behind, media):
    discard(take(odd.jpeg_grey()))
    assert not [name for name in left_behind() if name.endswith((".jpg", ".webp"))]


def test_names_of_files_are_random(take):
    data = odd.jpeg_grey()
    first, second = take(data), take(data)
    names = {each.file.name for each in (*first.files, *second.files)}
    assert len(names) == 6
    assert not any(first.sha256[:8] in name for name in names)
