"""What a diffusion model made, alone or among other members' jobs, is made again and compared."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from PIL import Image as Pictures

from forum.images.models import FileRole, Image
from forum.members import tokens
from forum.reruns import actions
from forum.reruns.models import Rerun
from forum.reruns.recipes import again, rebuilt
from forum.running.processes import until
from forum.threads.models import Reply
from generation import queue
from generation.models import Job, Preview, State
from generation.requests import EditRequest
from tests.conftest import a_member
from tests.factories import ask
from tests.forum.reruns.conftest import rerun
from tests.workers import Workers, held_device, wait_until_quiet, wait_until_seated

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from tests.generation.diffusion.tiny import write_tiny  # noqa: E402

# Libraries of models warn of their own futures; that is no failure of ours.
pytestmark = pytest.mark.filterwarnings("ignore")
Busy = Callable[[], AbstractContextManager[None]]
DENOISER = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The operator's presets file that lays tiny weights over two shipped presets."""
    torch.set_num_threads(1)
    return write_tiny(tmp_path_factory.mktemp("tiny"), ("klein", "wan-moving"))


@pytest.fixture(autouse=True)
def _presets(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORUM_PRESETS", str(tiny))


def answer(hill: Image, by, studio, preset: str = "klein") -> Image:
    """What the model made of a hill."""
    reply = ask(by, hill, "heavy snow", key=preset, preset=preset, seed=5)
    studio.work()
    return image_of(reply)


def image_of(reply: Reply) -> Image:
    """The image of a reply that has come out."""
    reply.refresh_from_db()
    assert reply.image is not None, (reply.state, reply.reason, reply.reason_detail)
    return Image.objects.with_files().get(pk=reply.image_id)


@pytest.fixture
def other_weights(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`other_weights(0.1)`: the machine has other weights from now on, so much noise apart."""

    def change(noise: float) -> None:
        folder = tmp_path / "klein"
        for file in (tiny.parent / "klein").rglob("*"):
            if file.is_file():
                copy = folder / file.relative_to(tiny.parent / "klein")
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
        weights = load_file(folder / DENOISER)
        torch.manual_seed(3)
        noisy = {name: each + noise * torch.randn_like(each) for name, each in weights.items()}
        save_file(noisy, folder / DENOISER)
        words = tiny.read_text("utf-8").replace(str(tiny.parent / "klein"), str(folder))
        (tmp_path / "other.toml").write_text(words, "utf-8")
        monkeypatch.setenv("FORUM_PRESETS", str(tmp_path / "other.toml"))

    return change


def told(made: Rerun) -> dict[str, tuple[str, str]]:
    """What differs, by name."""
    return {each["what"]: (each["then"], each["now"]) for each in made.because}


def test_what_one_made_is_made_again_bit_for_bit(hill, lin, ada, studio):
    image = answer(hill, lin, studio)
    assert image.recipe["engine"] == "diffusers"
    made = rerun(image, ada, studio)
    assert (made.verdict, made.largest, made.differing, made.because) == ("identical", 0, 0.0, [])
    assert made.versions_now["torch"] and made.versions_now["engine diffusers"] == "1"


def test_a_film_is_made_again_bit_for_bit(hill, lin, ada, studio):
    """A film is kept as an animated WebP: every frame goes through the same encoder, and is compared."""
    image = answer(hill, lin, studio, "wan-moving")
    with default_storage.open(image.file(FileRole.ORIGINAL).name) as file:
        assert Pictures.open(file).n_frames > 1
    assert rerun(image, ada, studio).verdict == "identical"


def test_a_film_whose_last_frame_was_changed_is_different(hill, lin, ada, studio):
    image = answer(hill, lin, studio, "wan-moving")
    name = image.file(FileRole.ORIGINAL).name
    with default_storage.open(name) as file, Pictures.open(file) as film:
        frames = []
        for number in range(film.n_frames):
            film.seek(number)
            frames.append(film.convert("RGB"))
    frames[-1].paste((255, 0, 0), (8, 8, 40, 40))
    with default_storage.open(name, "wb") as file:
        frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    made = rerun(image, ada, studio)
    assert made.verdict == "different" and made.largest > 100
    assert "file" in told(made)


def test_other_weights_are_named_by_their_digest(hill, lin, ada, studio, other_weights, browse):
    image = answer(hill, lin, studio)
    other_weights(0.2)
    made = rerun(image, ada, studio)
    assert made.verdict == "different"
    then, now = told(made)[f"weights {DENOISER}"]
    assert then == image.recipe["parts"]["model"]["files"][DENOISER]
    assert now and now != then
    assert set(told(made)) == {f"weights {DENOISER}"}, "nothing else differs"
    page = browse().get(f"/images/{image.pk}/reruns/").content.decode()
    assert ">different<" in page
    assert f"weights ({DENOISER}) was {then}; it is {now} now" in page


def test_another_revision_is_named_by_its_commit(hill, lin, ada, studio, other_weights):
    """The kept picture came of a hub's weights, as far as its recipe says."""
    image = answer(hill, lin, studio)
    parts = {"model": {"model": "owner/klein", "revision": "0123456789abcdef" * 2 + "01234567"}}
    Image.objects.filter(pk=image.pk).update(recipe={**image.recipe, "parts": parts})
    other_weights(0.2)
    made = rerun(Image.objects.get(pk=image.pk), ada, studio)
    assert made.verdict == "different"
    assert told(made)["weights"] == ("owner/klein @ 0123456789ab", "klein")


def test_almost_the_same_weights_are_the_same_to_the_eye(
    hill, lin, ada, studio, other_weights, browse, client
):
    image = answer(hill, lin, studio)
    other_weights(0.0005)
    made = rerun(image, ada, studio)
    assert made.verdict == "same"
    assert 0 < made.largest <= 32
    assert made.pdq_distance is not None and made.pdq_distance <= 10
    assert f"weights {DENOISER}" in told(made)
    page = browse().get(f"/images/{image.pk}/reruns/").content.decode()
    assert "same to the eye" in page
    assert f"largest difference {made.largest} of 255" in page
    assert f"hashes {made.pdq_distance} of 256 bits apart" in page
    [shown] = client.get(
        f"/api/v1/images/{image.pk}/reruns",
        headers={"Authorization": f"Bearer {tokens.make(member=ada, name='program')[1]}"},
    ).json()
    assert shown["verdict"] == "same" and shown["largest"] == made.largest
    assert shown["pdq_distance"] == made.pdq_distance
    assert shown["because"][0]["what"] == f"weights {DENOISER}"


def test_another_version_is_named_where_the_picture_differs(hill, lin, ada, studio, other_weights):
    image = answer(hill, lin, studio)
    recipe = {**image.recipe, "versions": {**image.recipe["versions"], "torch": "2.0.0"}}
    Image.objects.filter(pk=image.pk).update(recipe={**recipe, "version": "0"})
    other_weights(0.2)
    made = rerun(Image.objects.get(pk=image.pk), ada, studio)
    assert told(made)["torch"][0] == "2.0.0"
    assert told(made)["engine diffusers"] == ("0", "1")
    assert made.versions_then["torch"] == "2.0.0" != made.versions_now["torch"]


def test_what_the_preset_says_by_now_does_not_matter(hill, lin, ada, studio, tiny, monkeypatch):
    """Steps are those of the recipe, though an operator should set others later."""
    image = answer(hill, lin, studio)
    words = tiny.read_text("utf-8")
    own = tiny.with_name("later.toml")
    own.write_text(words.replace("call = { ", "call = { num_inference_steps = 7, ", 1), "utf-8")
    monkeypatch.setenv("FORUM_PRESETS", str(own))
    assert queue.presets()["klein"].settings["call"]["num_inference_steps"] == 7
    assert rerun(image, ada, studio).verdict == "identical"


def test_a_forgotten_job_is_rebuilt_with_all_that_counts(hill, lin, ada, studio):
    image = answer(hill, lin, studio)
    wanted = again(image, ada).request
    queue.forget([image.job])
    assert rebuilt(image).steps is None
    assert again(image, ada).request == wanted
    assert rerun(image, ada, studio).verdict == "identical"


# --- among others -----------------------------------------------------------------------------


@pytest.fixture
def busy_device(workers: Workers, tiny: Path, hill: Image) -> Busy:
    """`with busy_device():` a real worker's device works on something long, and stands still in it."""
    worker = workers.start(
        "one", "--queues", "light,edit:klein", FORUM_PRESETS=str(tiny),
        FORUM_STUDIO_DEVICES="cpu", OMP_NUM_THREADS="1",
    )  # fmt: skip
    assert until(lambda: queue.can_do("klein"), 240), workers.said()

    @contextmanager
    def busy() -> Iterator[None]:
        request = EditRequest("klein", "a long one", 9, (hill.source_ref(),), steps=60)
        job = queue.submit(request, return_to="forum.receive_failure")
        assert until(lambda: Preview.objects.filter(job=job, step__gte=1).exists(), 60)
        with held_device(worker):
            yield

    return busy


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(600)
def test_a_picture_of_a_batch_is_made_again_alone_and_in_another_batch(hill, busy_device):
    """Four members' jobs run together; one is made again alone, then all together in another order."""
    members = [a_member() for _ in range(4)]
    with busy_device():
        replies = [
            ask(each, hill, f"wish {n}", key=f"wish {n}", preset="klein", seed=n)
            for n, each in enumerate(members)
        ]
        wait_until_seated(*(reply.job for reply in replies))
    wait_until_quiet(120)
    images = [image_of(reply) for reply in replies]
    assert [each.recipe["bucket"] for each in images] == [4] * 4
    assert {each.recipe["row"] for each in images} == {0, 1, 2, 3}
    last = next(each for each in images if each.recipe["row"] == 3)
    alone = actions.run_again(image=last, by=members[0])
    wait_until_quiet(120)
    with busy_device():
        pairs = zip(reversed(images), members, strict=True)
        together = [actions.run_again(image=image, by=member) for image, member in pairs]
        wait_until_seated(*(made.job for made in together))
    wait_until_quiet(120)
    for made in (alone, *together):
        made.refresh_from_db()
        assert (made.state, made.verdict, made.largest) == ("done", "identical", 0), made.because
    assert {recipe_of(made)["bucket"] for made in (alone, *together)} == {4}
    assert recipe_of(alone)["row"] == 0, "another place, equal bits"
    assert {recipe_of(made)["row"] for made in together} == {0, 1, 2, 3}, "one batch of four"
    assert set(Job.objects.values_list("state", "attempt")) == {(State.DONE, 1)}


def recipe_of(made: Rerun) -> dict[str, object]:
    """What the engine said of a rerun."""
    result = Job.objects.get(pk=made.job).result
    assert result is not None
    return dict(result["recipe"])
