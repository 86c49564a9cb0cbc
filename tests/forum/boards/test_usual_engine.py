"""The engine that answers where a board names none: the operator's, else a GPU's, else the house's."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from generation import queue
from generation.models import Worker
from tests.factories import a_thread, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def gpu():
    """A worker with a GPU that has klein."""
    return Worker.objects.create(
        name="gpu", queues=["edit:klein", "edit:qwen-edit"], seen_at=Now(), started_at=Now(),
        about={"devices": [{"name": "0", "device": "NVIDIA H100"}]},
    )  # fmt: skip


def test_without_a_gpu_it_is_the_darkroom(plaza) -> None:
    assert plaza.preset == "" and plaza.usual == "darkroom"


def test_while_a_gpu_is_at_work_it_is_klein(browse, plaza, lin, ada, gpu) -> None:
    to = a_thread(plaza, lin).first_image
    assert plaza.usual == "klein"
    page = browse(ada).get(to.get_absolute_url()).content.decode()
    assert '<option value="klein" selected>' in page
    assert ask(ada, to).preset == "klein"
    Worker.objects.update(seen_at=Now() - timedelta(minutes=2))
    assert plaza.usual == "darkroom", "it went away"


@pytest.mark.parametrize(
    "about", [{}, {"devices": []}, {"devices": [{"name": "cpu"}]}, {"devices": [{"name": "1", "device": "cpu"}]}]
)  # fmt: skip
def test_a_model_on_a_processor_is_no_default(plaza, gpu, about) -> None:
    Worker.objects.update(about=about)
    assert plaza.usual == "darkroom"


def test_what_is_switched_off_is_no_default(plaza, gpu) -> None:
    queue.disable("klein")
    assert plaza.usual == "darkroom"


def test_the_operators_choice_comes_first_and_a_boards_own_before_it(plaza, gpu) -> None:
    queue.make_default("qwen-edit")
    assert plaza.usual == "qwen-edit"
    plaza.preset = "darkroom"
    assert plaza.usual == "darkroom"


def test_another_preset_for_gpus_can_be_named_or_none(plaza, gpu, settings) -> None:
    settings.FORUM_DEFAULT_GPU_PRESET = "qwen-edit"
    assert plaza.usual == "qwen-edit"
    settings.FORUM_DEFAULT_GPU_PRESET = ""
    assert plaza.usual == "darkroom"


def test_a_board_is_made_with_the_usual_one(browse, owner, gpu) -> None:
    client = browse(owner)
    page = client.get(reverse("board-new")).content.decode()
    assert "the usual one (now FLUX.2 klein)" in page
    words = {"slug": "hills", "title": "Hills", "visibility": "public", "licence": "CC0-1.0"}
    assert client.post(reverse("board-new"), words).status_code == 302
    assert "the usual one" in client.get("/boards/hills/").content.decode()
