"""A derivative that moves: kept as a film, shown as a still, played where somebody looks at it."""

import io
import uuid

import pytest
from django.core.files.storage import default_storage
from PIL import Image as Pictures

from forum.images.models import FileRole
from forum.threads.actions import take_in
from generation.models import Job
from generation.results import EditResult
from tests.factories import a_thread, ask, stored

pytestmark = pytest.mark.django_db
MOVING = {"frames": 3, "seconds": 0.12}
RECIPE = {"engine": "diffusers", "prompt": "it moves", "engine_licence": "Wan 1", "size": [48, 32]}


@pytest.fixture
def film(plaza, lin, ada):
    """What a preset for moving images made of Lin's hill, taken in."""

    def film(**recipe):
        to = a_thread(plaza, lin).first_image
        reply = ask(ada, to, key=uuid.uuid4().hex)
        token = uuid.uuid4()
        Job.objects.claim(reply.job, token)
        out = io.BytesIO()
        shades = [Pictures.new("RGB", (48, 32), (shade, 90, 40)) for shade in (0, 120, 240)]
        shades[0].save(out, "WEBP", save_all=True, append_images=shades[1:], duration=40)
        result = EditResult(stored(out.getvalue()), {**RECIPE, "moving": MOVING, **recipe})
        Job.objects.finish(reply.job, token, result.as_json())
        return take_in(reply.job)

    return film


def frames(image, role):
    with default_storage.open(image.file(role).name) as file, Pictures.open(file) as opened:
        return getattr(opened, "n_frames", 1), opened.convert("RGB").getpixel((5, 5))


def test_its_poster_is_its_beginning_and_its_file_moves(film) -> None:
    image = film()
    assert image.is_moving
    assert frames(image, FileRole.ORIGINAL)[0] == 3
    for role in (FileRole.DISPLAY, FileRole.THUMB):
        count, colour = frames(image, role)
        assert count == 1 and colour[0] < 30


def test_the_page_plays_it_and_can_hold_it(browse, film) -> None:
    image = film()
    page = browse().get(image.get_absolute_url()).content.decode()
    stage = page.split('<figure class="stage', 1)[1].split("</figure>")[0]
    assert f"/images/{image.pk}/files/original" in stage and "data-moving" in stage
    assert "prefers-reduced-motion" in stage and 'data-pause="Pause"' in stage
    source = image.sources.get().source
    card = browse().get(source.get_absolute_url()).content.decode()
    assert ">moving</span>" in card, "its card says so and shows the still"
    assert f"/images/{image.pk}/files/original" not in card


def test_the_engines_licence_stands_beside_it(browse, film) -> None:
    free, bound = film(commercial=True), film(commercial=False)
    for image, said in ((free, False), (bound, True)):
        page = browse().get(image.get_absolute_url()).content.decode()
        meta = page.split('<div class="row meta">', 1)[1].split("</div>")[0]
        assert "engine under Wan 1" in meta
        assert ("not for money" in meta) is said
        source = image.sources.get().source
        card = browse().get(source.get_absolute_url()).content.decode()
        answers = card.split('id="answers"', 1)[1]
        assert ("not for money" in answers) is said
        told = browse().get(f"/api/v1/images/{image.pk}").json()["recipe"]
        assert (told["engine_licence"], told["commercial"]) == ("Wan 1", not said)
