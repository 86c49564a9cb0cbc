"""Jobs beside edits: making again and comparing, and films of pictures that exist."""

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from generation import queue
from generation.engines.base import Cancelled, EngineError, SourceRefused
from generation.host import filming
from generation.models import Job, State
from generation.requests import EditRequest, FilmRequest, ImageRef, Shot
from generation.results import EditResult, FilmResult, RerunResult
from tests.generation.conftest import HOME
from tests.generation.pictures import rings

WORDS = "heavy snow at night, as an impressionist painting"


def kept(made: EditResult) -> ImageRef:
    file = made.file
    return ImageRef(sha256=file.sha256, name=file.name, size=(file.width, file.height))


def made_by(studio, request) -> object:
    job = queue.submit(request, return_to=HOME, asker=1)
    studio.work()
    assert Job.objects.get(pk=job).state == State.DONE, Job.objects.get(pk=job).__dict__
    return queue.result(job)


def an_edit(stored, **more) -> EditRequest:
    return EditRequest(preset="darkroom", prompt=WORDS, seed=5, sources=(stored,), **more)


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_the_darkroom_makes_the_same_picture_again_bit_for_bit(studio, stored, kind):
    """Both ways of keeping: what comes of lossy sources is kept as JPEG, of lossless ones as WebP."""
    if kind == "WEBP":
        out = io.BytesIO()
        rings().save(out, "WEBP", lossless=True)
        name = default_storage.save("images/b.webp", ContentFile(out.getvalue()))
        stored = ImageRef(sha256="0" * 64, name=name, size=rings().size)
    first = made_by(studio, an_edit(stored))
    assert isinstance(first, EditResult)
    assert first.file.mime == f"image/{kind.lower()}"
    again = made_by(studio, an_edit(stored, compare_to=kept(first)))
    assert isinstance(again, RerunResult)
    assert again.identical
    assert again.intact
    assert (again.largest, again.mean, again.differing) == (0, 0.0, 0.0)
    assert again.pdq_distance in {0, None}
    assert [each["name"] for each in again.recipe["operations"]] == [
        each["name"] for each in first.recipe["operations"]
    ]


def test_another_seed_is_another_picture(studio, stored):
    first = made_by(studio, an_edit(stored))
    again = made_by(studio, EditRequest(
        preset="darkroom", prompt=WORDS, seed=6, sources=(stored,), compare_to=kept(first)
    ))  # fmt: skip
    assert not again.identical
    assert again.largest > 32
    assert again.differing > 0.2


def test_a_rerun_leaves_no_file(studio, stored):
    first = made_by(studio, an_edit(stored))
    job = queue.submit(an_edit(stored, compare_to=kept(first)), return_to=HOME, asker=1)
    studio.work()
    assert job
    folders, _ = default_storage.listdir("results")
    assert str(job) not in folders


def test_a_tampered_file_is_noticed(studio, stored):
    first = made_by(studio, an_edit(stored))
    with default_storage.open(first.file.name) as file, Image.open(file) as opened:
        spoilt = opened.convert("RGB")
    spoilt.paste((255, 0, 0), (10, 10, 40, 40))
    out = io.BytesIO()
    spoilt.save(out, "JPEG", quality=95, subsampling=0)
    with default_storage.open(first.file.name, "wb") as file:
        file.write(out.getvalue())
    again = made_by(studio, an_edit(stored, compare_to=kept(first)))
    assert not again.intact
    assert not again.identical
    assert again.largest > 100
    assert again.differing < 0.2


def test_a_source_that_is_gone_ends_the_rerun(studio, stored):
    first = made_by(studio, an_edit(stored))
    default_storage.delete(stored.name)
    job = queue.submit(an_edit(stored, compare_to=kept(first)), return_to=HOME)
    studio.notch()
    assert Job.objects.get(pk=job).reason == "source_refused"


# --- films ------------------------------------------------------------------------------------


@pytest.fixture
def shots(db) -> tuple[Shot, ...]:
    """Three pictures of different shape."""
    made = []
    for number, size in enumerate([(320, 200), (200, 320), (256, 256)]):
        out = io.BytesIO()
        Image.new("RGB", size, (60 * number, 90, 160)).save(out, "WEBP")
        name = default_storage.save(f"images/shot{number}.webp", ContentFile(out.getvalue()))
        made.append(Shot(ImageRef("0" * 64, name, size), f"Bild {number}: 下雪的夜晚"))
    return tuple(made)


def open_file(film: FilmResult) -> bytes:
    with default_storage.open(film.file.name) as file:
        return file.read()


def test_a_webp_film_shows_every_picture_and_what_lies_between(studio, shots):
    film = made_by(studio, FilmRequest(shots=shots, side=240, hold=0.5, fade=0.5))
    assert isinstance(film, FilmResult)
    data = open_file(film)
    with Image.open(io.BytesIO(data)) as opened:
        assert opened.format == "WEBP"
        assert opened.size == (film.file.width, film.file.height) == (240, 240)
        # Three pictures, and two dissolves of six frames; equal frames may be joined.
        assert film.frames == 15
        assert 12 <= opened.n_frames <= 15
        total = 0
        for number in range(opened.n_frames):
            opened.seek(number)
            opened.load()
            total += opened.info["duration"]
    assert film.seconds == pytest.approx(2.5, abs=0.01)
    assert total / 1000 == pytest.approx(film.seconds, abs=0.05)
    assert film.file.bytes == len(data)


def test_the_dissolve_leads_from_one_to_the_other(shots):
    words = [{"path": default_storage.path(each.picture.name), "title": ""} for each in shots[:2]]
    score = filming.Score(2, 500, 6)
    made = [
        picture.getpixel((100, 100))[0] for picture, _ in filming.frames(words, (200, 200), score)
    ]
    assert len(made) == 8
    assert made == sorted(made)
    assert made[0] < 5 and made[-1] > 55


def test_an_mp4_film_plays(studio, shots):
    av = pytest.importorskip("av")
    film = made_by(studio, FilmRequest(shots=shots, format="mp4", side=241, hold=0.5, fade=0.5))
    with av.open(io.BytesIO(open_file(film))) as box:
        stream = box.streams.video[0]
        pictures = [frame.to_ndarray(format="rgb24") for frame in box.decode(stream)]
    assert film.file.mime == "video/mp4"
    assert pictures[0].shape[:2] == (film.file.height, film.file.width)
    assert len(pictures) == 3 * 6 + 2 * 6
    assert abs(int(pictures[-1][120, 120, 0]) - 120) < 12


def test_titles_stand_under_the_picture(shots):
    plain, titled = (
        filming.laid(
            {"path": default_storage.path(shots[0].picture.name), "title": title}, (320, 200)
        )
        for title in ("", shots[0].title)
    )
    lower = (0, 150, 320, 200)
    assert plain.crop(lower).tobytes() != titled.crop(lower).tobytes()
    upper = (0, 0, 320, 120)
    assert plain.crop(upper).tobytes() == titled.crop(upper).tobytes()


def test_a_long_title_is_broken_and_cut():
    lines = filming.broken("word " * 30, lambda text: len(text) <= 20)
    assert len(lines) == 2
    assert lines[-1].endswith("…")
    assert all(len(line) <= 21 for line in lines)
    chinese = filming.broken("雪" * 30, lambda text: len(text) <= 20)
    assert [len(line) for line in chinese] == [20, 10]


def test_progress_is_told_and_a_stopped_film_ends(shots):
    told: list[int] = []
    paths = [{"path": default_storage.path(each.picture.name), "title": ""} for each in shots]
    score = filming.Score(3, 500, 4)
    reel = filming.watched(
        filming.frames(paths, (64, 64), score), "x", score,
        lambda progress: told.append(progress.step), lambda: len(told) >= 5,
    )  # fmt: skip
    with pytest.raises(Cancelled):
        list(reel)
    assert told == [1, 2, 3, 4, 5]


def an_order(shots, tmp_path, **more) -> dict:
    words = [{"path": default_storage.path(each.picture.name), "title": ""} for each in shots]
    film = {"shots": words, "format": "webp", "side": 64, "hold": 0.1, "fade": 0.1, **more}
    return {"id": "x", "film": film, "folder": str(tmp_path), "stem": "s"}


def test_limits_of_a_film(shots, tmp_path):
    with pytest.raises(SourceRefused):
        filming.film(an_order(shots[:1], tmp_path), lambda _: None, lambda: False)
    with pytest.raises(SourceRefused):
        filming.film(an_order(shots * 20, tmp_path), lambda _: None, lambda: False)
    with pytest.raises(EngineError):
        filming.film(an_order(shots, tmp_path, format="gif"), lambda _: None, lambda: False)
    made = filming.film(an_order(shots, tmp_path, side=90_000), lambda _: None, lambda: False)
    assert max(made["file"]["width"], made["file"]["height"]) == filming.MOST_SIDE
    assert list(tmp_path.glob("s.*")) == [tmp_path / "s.webp.part"]


def test_a_picture_that_is_gone_ends_the_film(studio, shots):
    default_storage.delete(shots[1].picture.name)
    job = queue.submit(FilmRequest(shots=shots), return_to=HOME)
    studio.notch()
    assert Job.objects.get(pk=job).reason == "source_refused"
