"""Files as people have them: tiny, endless, see-through, 16-bit, grey, CMYK, gone; strange masks and words."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.engines.base import SourceRefused
from generation.engines.darkroom.table import program
from generation.host import opening
from generation.host.troubles import failure, of_storage
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, enough, item, landscape, pixels

MOST = 1280
#: One operation of each kind; all of them meet odd pictures in test_run_operations.py.
KINDS = ["night", "impressionist", "restore", "crop", "manner", "planet", "sepia"]


def stored(picture: Image.Image, folder: Path, name: str = "it.png", **options) -> Image.Image:
    """A picture written to a file and decoded as the worker does it."""
    picture.save(folder / name, **options)
    return opening.opened(str(folder / name), MOST)


@pytest.mark.parametrize("name", KINDS)
def test_a_single_pixel_is_refused_with_a_sentence(name, tmp_path):
    source = stored(Image.new("RGB", (1, 1), "red"), tmp_path)
    error = Run(item(Operation(name), sources=enough(name, source))).failed.error
    assert isinstance(error, SourceRefused) and error.permanent
    assert str(error).startswith("This image is 1 × 1 pixels")


@pytest.mark.parametrize("name", KINDS)
def test_a_panorama_of_twenty_thousand_pixels_comes_out(name, tmp_path):
    wide = landscape(2000, 100).resize((20_000, 1000))
    source = stored(wide, tmp_path, "it.jpg")
    assert source.size == (MOST, 64)
    made = Run(item(Operation(name), sources=enough(name, source))).made.picture
    assert max(made.size) <= MOST and made.mode == "RGB"


def test_a_ribbon_is_refused_with_a_sentence(tmp_path):
    source = stored(Image.new("RGB", (20_000, 150)), tmp_path)
    error = Run(item(Operation("sepia"), sources=[source])).failed.error
    assert isinstance(error, SourceRefused) and "longer than wide" in str(error)


def test_what_is_see_through_lies_on_white(tmp_path):
    clear = landscape().convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    source = stored(clear, tmp_path)
    assert pixels(source)[0].min() > 250
    assert Run(item(Operation("sepia"), sources=[source])).made.picture.mode == "RGB"


def test_sixteen_bits_keep_their_tones():
    """The house stores eight bits; whoever hands sixteen to the engine gets their middle too."""
    deep = Image.fromarray(np.linspace(0, 65535, 200, dtype=np.uint16)[None].repeat(60, 0))
    made = Run(item(Operation("invert"), sources=[deep])).pixels[30, :, 0]
    assert made[0] > 252 and made[-1] < 3 and 110 < made[100] < 145


@pytest.mark.parametrize("mode", ["L", "1", "P", "LA"])
def test_grey_and_indexed_files_come_out(mode, tmp_path):
    source = stored(landscape().convert(mode), tmp_path)
    made = Run(item(Operation("watercolour"), sources=[source])).pixels
    assert made.shape == (160, 240, 3) and made.std() > 5


def test_a_print_in_four_inks_keeps_its_colours(tmp_path):
    source = stored(landscape().convert("CMYK"), tmp_path, "it.jpg", quality=95)
    assert np.abs(pixels(source) - pixels(landscape())).mean() < 12
    assert Run(item(Operation("golden_hour"), sources=[source])).made.picture.mode == "RGB"


def test_a_source_that_is_gone_costs_a_try(tmp_path):
    """The disk may be away; the next try asks the storage, which knows whether only the file is."""
    try:
        opening.opened(str(tmp_path / "gone.webp"), MOST)
    except FileNotFoundError as gone:
        assert of_storage(gone)
        assert failure("7", gone)["permanent"] is False
    else:
        pytest.fail("It opened what is not there.")


def test_a_broken_file_is_refused(tmp_path):
    (tmp_path / "it.webp").write_bytes(b"RIFF\x10\x00\x00\x00WEBPVP8 broken")
    with pytest.raises(SourceRefused):
        opening.opened(str(tmp_path / "it.webp"), MOST)


def test_without_any_source_there_is_a_sentence():
    nothing = item(Operation("night"))
    nothing.sources = []
    error = Run(nothing).failed.error
    assert isinstance(error, SourceRefused) and "begins from an image" in str(error)


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (30, 20), (2000, 50), (4001, 3003)])
def test_a_mask_of_another_size_is_fitted(size, tmp_path):
    Image.new("L", size, 255).save(tmp_path / "mask.png")
    grey = opening.mask(str(tmp_path / "mask.png"), (240, 160))
    run = Run(item(Operation("invert"), mask=grey))
    assert np.abs(run.pixels - (255 - pixels(landscape()))).max() <= 2


def test_a_small_feathered_mask_stays_feathered():
    soft = Image.linear_gradient("L").rotate(90).resize((24, 16))
    change = np.abs(Run(item(Operation("invert"), mask=soft)).pixels - pixels(landscape()))
    columns = change[:50].mean((0, 2))
    # It rises without steps: no column jumps by more than a few levels from the one before.
    assert columns[-20:].mean() > columns[:20].mean() + 30 or columns[0] > columns[-1] + 30
    assert np.abs(np.diff(columns)).max() < 8


def test_a_mask_in_colour_is_read_as_grey():
    mask = Image.new("RGB", (240, 160), "black")
    mask.paste((255, 255, 255), (0, 0, 120, 160))
    change = np.abs(Run(item(Operation("invert"), mask=mask)).pixels - pixels(landscape()))
    assert change[:, 126:].max() == 0 and change[:, :110].mean() > 20


@pytest.mark.parametrize(
    "pair",
    [
        ("brighten", "darken"), ("warm", "cold"), ("vivid", "muted"), ("high_key", "low_key"),
        ("night", "dawn"), ("black_and_white", "vivid"), ("restore", "old_photograph"),
        ("snow", "autumn"), ("invert", "invert"),
    ],
)  # fmt: skip
def test_contradictions_are_done_one_after_the_other(pair):
    made = Run(item(*(Operation(name) for name in pair))).made
    assert [each["name"] for each in made.recipe["operations"]] == list(pair)
    assert np.asarray(made.picture).std() > 5


def test_everything_at_once_comes_out():
    """All that needs no second image, in one prompt, at full strength."""
    names = [entry.name for entry in program().values() if not entry.needs_second]
    made = Run(item(*map(Operation, names), strength=1.0)).made
    assert len(made.recipe["operations"]) == len(names) and made.picture.mode == "RGB"


@pytest.mark.parametrize("strength", [-1.0, 0.0, 1.0, 7.5])
def test_strength_beyond_its_limits_is_clamped(strength):
    made = Run(item(Operation("sepia"), strength=strength))
    limit = Run(item(Operation("sepia"), strength=min(1.0, max(0.0, strength))))
    assert np.array_equal(made.pixels, limit.pixels)


def test_each_refusal_has_a_word_of_its_own():
    """Pages say a sentence for each; "nothing understood" would send people the wrong way."""
    black = Image.new("L", (240, 160), 0)
    tiny = Image.new("RGB", (1, 1))
    plain = Image.new("RGB", (90, 70), (60, 30, 20))
    refused = {
        "source_too_small": item(Operation("sepia"), sources=[tiny]),
        "mask_empty": item(Operation("sepia"), mask=black),
        "second_missing": item(Operation("manner")),
        "nothing_there": item(Operation("night", {"region": "sky"}), sources=[plain]),
        "nothing_understood": item(Operation("teleport")),
        "source_refused": item(Operation("sepia"), sources=[tiny]),
    }
    refused["source_refused"].sources = []
    for reason, asked in refused.items():
        error = Run(asked).failed.error
        assert (error.reason, error.permanent) == (reason, True)
