"""An edit within a mask leaves everything outside of it as it was, to the bit, in the stored file."""

import io

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from forum.masks.pixels import Wish, encoded, from_rectangle
from generation import queue
from generation.requests import EditRequest, ImageRef
from tests.generation.conftest import HOME

pytestmark = pytest.mark.django_db
SIZE = (160, 120)
#: Looks of every stage that keep the frame.
PROMPTS = (
    "make it night", "let it snow", "as an impressionist painting", "black and white",
    "as a woodcut", "pixel art", "as an old photograph", "as a dream",
)  # fmt: skip
#: Pixels beyond the soft edge that the engine's own blurring of the edge may reach.
REACH = 6


def stored(picture: Image.Image, kind: str, **options: object) -> ImageRef:
    """A picture in the storage."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    name = default_storage.save(f"images/one.{kind.lower()}", ContentFile(out.getvalue()))
    return ImageRef("0" * 64, name, picture.size)


def a_picture() -> Image.Image:
    """Noise over a gradient: any change of any pixel shows."""
    rng = np.random.default_rng(3)
    ramp = np.linspace(30, 200, SIZE[0])[None, :, None] + np.zeros((SIZE[1], 1, 3))
    return Image.fromarray((ramp + rng.integers(-25, 25, ramp.shape)).clip(0, 255).astype("uint8"))


def edited(studio, prompt: str, source: ImageRef, mask: ImageRef | None) -> np.ndarray:
    """What comes out of the real engine and lies in the storage, int16 of shape (h, w, 3)."""
    request = EditRequest("darkroom", prompt, 5, (source,), strength=0.9, mask=mask, embed=())
    job = queue.submit(request, return_to=HOME)
    studio.make(job)
    result = queue.result(job)
    assert result is not None, prompt
    with default_storage.open(result.file.name) as file:
        return np.asarray(Image.open(file).convert("RGB")).astype("int16")


def as_the_engine_sees(source: ImageRef) -> np.ndarray:
    with default_storage.open(source.name) as file:
        return np.asarray(Image.open(file).convert("RGB")).astype("int16")


def outside(rectangle, feather: float) -> np.ndarray:
    """Where nothing may have changed: beyond the rectangle, its soft edge and the engine's."""
    x, y, w, h = rectangle
    reach = REACH + 2 * feather * max(SIZE)
    across, down = np.meshgrid(np.arange(SIZE[0]) + 0.5, np.arange(SIZE[1]) + 0.5)
    inside_x = (across > x * SIZE[0] - reach) & (across < (x + w) * SIZE[0] + reach)
    inside_y = (down > y * SIZE[1] - reach) & (down < (y + h) * SIZE[1] + reach)
    return ~(inside_x & inside_y)


@settings(
    max_examples=16,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    prompt=st.sampled_from(PROMPTS),
    rectangle=st.tuples(
        st.floats(0, 0.6), st.floats(0, 0.6), st.floats(0.15, 0.4), st.floats(0.15, 0.4)
    ),
    feather=st.sampled_from([0.0, 0.02, 0.05]),
    lossy=st.booleans(),
)
def test_outside_nothing_changes_and_inside_something_does(
    studio, prompt, rectangle, feather, lossy
):
    source = stored(a_picture(), "WEBP", **({"quality": 86} if lossy else {"lossless": True}))
    drawn = from_rectangle(Wish(SIZE, rectangle, feather))
    default_name = default_storage.save("images/mask.png", ContentFile(encoded(drawn)))
    made = edited(studio, prompt, source, ImageRef("1" * 64, default_name, drawn.size))
    difference = np.abs(made - as_the_engine_sees(source)).max(axis=2)
    kept = outside(rectangle, feather)
    assert kept.any()
    assert difference[kept].max() == 0, prompt
    assert difference[~kept].max() > 0, prompt


def test_a_mask_of_another_size_means_the_same_place(studio):
    source = stored(a_picture(), "WEBP", lossless=True)
    large = Image.new("L", (SIZE[0] * 4, SIZE[1] * 4))
    large.paste(255, (0, 0, SIZE[0] * 2, SIZE[1] * 4))
    made = edited(studio, "make it night", source, stored(large, "PNG"))
    difference = np.abs(made - as_the_engine_sees(source)).max(axis=2)
    assert difference[:, SIZE[0] // 2 + REACH :].max() == 0
    assert (difference[:, : SIZE[0] // 2 - REACH] > 0).mean() > 0.9


def test_the_recipe_names_the_mask(studio):
    source = stored(a_picture(), "WEBP", lossless=True)
    mask = stored(Image.linear_gradient("L").resize(SIZE), "PNG")
    request = EditRequest("darkroom", "sepia", 5, (source,), mask=mask, embed=())
    job = queue.submit(request, return_to=HOME)
    studio.make(job)
    assert queue.result(job).recipe["mask"] == mask.sha256
