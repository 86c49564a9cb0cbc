"""Films of an image: made once for all, seen by those who see every image in them, shared by a link."""

import io

import pytest
from django.core.files.storage import default_storage
from PIL import Image as Pictures

from forum.films import actions
from forum.films.models import Film, FilmState
from forum.films.shots import cut
from forum.images import actions as images
from forum.images import audit
from forum.images.models import Descent, File, FileRole, Image, Kind
from forum.live.fragments import Beside
from forum.members import tokens
from forum.members.actions import leave
from forum.threads.actions import NotAllowed, TooMany
from generation import queue
from generation.models import Job, Worker
from tests.factories import a_picture, a_thread, an_image, go_wrong, stored


def answered(image: Image, author, **words: object) -> Image:
    """A derivative of an image, with files."""
    made = an_image(
        image.thread, author, board=image.board, kind=Kind.DERIVATIVE, generation=image.generation + 1,
        recipe={"engine": "darkroom", "prompt": "make it night"}, title="", **words,
    )  # fmt: skip
    Descent.objects.create(child=made, source=image, position=0)
    return made


def with_strip(image: Image, count: int = 4) -> Image:
    """Give an image kept frames."""
    for position in range(count):
        kept = stored(a_picture())
        File.objects.create(
            image=image, role=FileRole.STRIP, position=position, name=kept.name, mime=kept.mime,
            bytes=kept.bytes, sha256=kept.sha256, width=kept.width, height=kept.height,
        )  # fmt: skip
    return image


@pytest.fixture
def line(plaza, lin, ada) -> list[Image]:
    """Three images, each made from the one before."""
    first = a_thread(plaza, lin).first_image
    second = answered(first, ada)
    return [first, second, answered(second, lin)]


@pytest.fixture
def able(db) -> None:
    """A machine that makes both kinds of film."""
    from django.utils import timezone

    now = timezone.now()
    Worker.objects.create(
        name="w", queues=["film"], about={"films": ["webp", "mp4"]}, started_at=now, seen_at=now
    )


def finished(image: Image, by, studio, **words: object) -> Film:
    """A film, made to its end."""
    film = actions.make(image=image, by=by, **{"kind": "lineage", "form": "webp", **words})
    studio.work()
    film.refresh_from_db()
    assert film.state == FilmState.DONE, (film.reason, Job.objects.get(pk=film.job).detail)
    return film


def test_what_a_film_costs_is_said_before_it_is_asked_for(line, ada, able, browse, studio):
    address = f"/images/{line[2].pk}/films/"
    page = browse(ada).get(address).content.decode()
    assert "It would be next" in page and "left this hour" in page
    assert "about" not in page.partition("It would be next")[2].partition("</span>")[0]
    finished(line[2], ada, studio)
    later = browse(ada).get(address).content.decode()
    assert "about a second" in later, "as long as the last one took"
    actions.make(image=line[1], by=ada, kind="lineage", form="webp")
    assert "1 before you" in browse(ada).get(address).content.decode()
    assert "left this hour" not in browse().get(address).content.decode()
    Worker.objects.all().delete()
    assert "No machine is at work right now" in browse(ada).get(address).content.decode()


def test_a_lineage_becomes_a_film(line, ada, studio):
    film = finished(line[2], ada, studio)
    assert list(film.shown.order_by("pk")) == line
    with default_storage.open(film.name) as file, Pictures.open(file) as opened:
        assert opened.is_animated
        assert opened.size == (film.width, film.height)
    assert film.mime == "image/webp"
    assert film.seconds > 3 * 1.6
    assert default_storage.size(film.name) == film.bytes


def test_a_strip_becomes_a_film(line, ada, studio):
    with_strip(line[1])
    film = finished(line[1], ada, studio, kind="strip")
    assert list(film.shown.all()) == [line[1]]
    assert film.seconds > 5 * 0.3


def test_an_mp4_is_made_where_it_can_be(line, ada, studio, able):
    pytest.importorskip("av")
    film = finished(line[2], ada, studio, form="mp4")
    with default_storage.open(film.name) as file:
        assert file.read(12)[4:8] == b"ftyp"
    assert film.mime == "video/mp4"


def test_a_format_that_no_machine_makes_is_refused(line, ada, able):
    Worker.objects.update(about={"films": ["webp"]})
    with pytest.raises(NotAllowed) as refusal:
        actions.make(image=line[2], kind="lineage", form="mp4", by=ada)
    assert refusal.value.reason == "no_such_format"
    assert not Film.objects.exists()


def test_who_asks_again_gets_the_film_there_is(line, ada, lin, studio):
    film = finished(line[2], ada, studio)
    assert actions.make(image=line[2], kind="lineage", form="webp", by=lin) == film
    assert Job.objects.filter(task="film").count() == 1
    assert finished(line[2], lin, studio, titled=True) != film


def test_an_original_has_nothing_to_film(line, ada):
    for kind in ("lineage", "strip"):
        with pytest.raises(NotAllowed) as refusal:
            actions.make(image=line[0], kind=kind, form="webp", by=ada)
        assert refusal.value.reason == "nothing_to_film"


def test_titles_are_what_was_said(line, ada):
    shots = cut(line[2], "lineage", ada, titled=True).shots
    assert [each.title for each in shots] == ["A hill", "make it night", "make it night"]
    assert {each.title for each in cut(line[2], "lineage", ada).shots} == {""}


def test_grey_places_drop_out(line, ada, lin, moderator):
    images.withdraw(image=line[1], by=ada)
    assert cut(line[2], "lineage", lin).images == (line[0], line[2])
    images.hide(image=line[0], by=moderator, reason="Not here.")
    # Not even for a moderator, who sees it: others could not look at the film then.
    assert cut(Image.objects.get(pk=line[2].pk), "lineage", moderator).images == (line[2],)


def test_as_many_films_at_once_as_may_be_and_no_more(line, ada):
    actions.make(image=line[2], kind="lineage", form="webp", by=ada)
    actions.make(image=line[1], kind="lineage", form="webp", by=ada)
    with pytest.raises(TooMany):
        actions.make(image=line[2], kind="lineage", form="webp", titled=True, by=ada)


def test_a_film_costs_as_much_as_an_answer(line, ada, settings, studio):
    settings.FORUM_EDITS_PER_HOUR = 1
    finished(line[2], ada, studio)
    with pytest.raises(TooMany):
        actions.make(image=line[1], kind="lineage", form="webp", by=ada)


def test_a_stopped_film_can_be_asked_for_again(line, ada, settings, studio):
    settings.FORUM_EDITS_PER_HOUR = 1
    film = actions.make(image=line[2], kind="lineage", form="webp", by=ada)
    assert actions.stop(film=film, by=ada).state == FilmState.CANCELLED
    assert Job.objects.get(pk=film.job).state == "cancelled"
    assert actions.stop(film=film, by=ada).state == FilmState.CANCELLED
    assert finished(line[2], ada, studio).pk == film.pk


def test_others_may_not_stop_it(line, ada, lin, moderator):
    film = actions.make(image=line[2], kind="lineage", form="webp", by=ada)
    with pytest.raises(NotAllowed):
        actions.stop(film=film, by=lin)
    assert actions.stop(film=film, by=moderator).state == FilmState.CANCELLED


def test_a_failure_is_said_and_costs_nothing(line, ada, settings):
    settings.FORUM_EDITS_PER_HOUR = 1
    film = actions.make(image=line[2], kind="lineage", form="webp", by=ada)
    go_wrong(film.job, "storage_full")
    assert actions.take_in_failure(film.job) is not None
    film.refresh_from_db()
    assert (film.state, film.reason) == ("failed", "storage_full")
    assert actions.make(image=line[2], kind="lineage", form="webp", by=ada).state == "waiting"


def test_taking_in_twice_keeps_the_file(line, ada, studio):
    film = finished(line[2], ada, studio)
    assert actions.take_in(film.job) is None
    assert default_storage.exists(film.name)


def test_a_result_nobody_waits_for_is_thrown_away(
    line, ada, studio, django_capture_on_commit_callbacks
):
    film = actions.make(image=line[2], kind="lineage", form="webp", by=ada)
    studio.make(film.job)
    name = queue.result(film.job).file.name
    Film.objects.filter(pk=film.pk).update(state="cancelled")
    with django_capture_on_commit_callbacks(execute=True):
        assert actions.take_in(film.job) is None
    assert not default_storage.exists(name)


def test_the_sweep_leaves_films_alone(line, ada, studio, monkeypatch):
    film = finished(line[2], ada, studio)
    monkeypatch.setattr(audit, "_is_older", lambda *_: True)
    audit.sweep_orphans()
    assert default_storage.exists(film.name)
    Film.objects.all().delete()
    audit.sweep_orphans()
    assert not default_storage.exists(film.name)


# --- images that go ---------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "words"), [("withdraw", {}), ("hide", {"reason": "Not here."})])
def test_with_an_image_every_film_goes_that_shows_it(
    line, ada, lin, moderator, studio, verb, words, django_capture_on_commit_callbacks
):
    film = finished(line[2], ada, studio)
    waits = actions.make(image=line[1], kind="lineage", form="webp", by=ada)
    with django_capture_on_commit_callbacks(execute=True):
        getattr(images, verb)(image=Image.objects.get(pk=line[0].pk), by=moderator, **words)
    assert not Film.objects.exists()
    assert not default_storage.exists(film.name)
    assert Job.objects.get(pk=waits.job).state == "cancelled"
    assert cut(Image.objects.get(pk=line[2].pk), "lineage", lin).images == (line[1], line[2])


def test_who_leaves_shares_nothing_any_more(line, ada, studio):
    film = actions.share(film=finished(line[2], ada, studio), by=ada)
    leave(member=ada, keep_images=True)
    film.refresh_from_db()
    assert film.token is None


# --- who may look -----------------------------------------------------------------------------


def test_a_film_is_seen_by_those_who_see_every_image_in_it(line, lin, wen, ada, rivers, studio):
    film = finished(line[2], ada, studio)
    assert Film.objects.visible_to(None).get() == film
    Image.objects.filter(pk=line[1].pk).update(board=rivers)
    for stranger in (None, wen):
        assert not Film.objects.visible_to(stranger).exists()
    assert Film.objects.visible_to(lin).get() == film


def test_bytes_are_sent_to_them_alone_and_kept_nowhere(line, ada, wen, browse, rivers, studio):
    film = finished(line[2], ada, studio)
    answer = browse().get(f"/films/{film.pk}/file")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "image/webp"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert len(answer.content) == film.bytes
    part = browse().get(f"/films/{film.pk}/file", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")
    Image.objects.filter(pk=line[0].pk).update(board=rivers)
    assert browse(wen).get(f"/films/{film.pk}/file").status_code == 404
    assert browse(ada).get(f"/films/{film.pk}/file").status_code == 200


def test_a_share_link_opens_the_film_to_everybody(line, ada, browse, studio):
    film = actions.share(film=finished(line[2], ada, studio), by=ada)
    assert len(film.token) >= 32
    page = browse().get(f"/films/{film.token}/")
    assert page.status_code == 200
    assert page.headers["X-Robots-Tag"] == "noindex"
    assert f"/films/{film.token}/file" in page.content.decode()
    assert browse().get(f"/films/{film.token}/file").status_code == 200
    assert actions.share(film=film, by=ada).token == film.token
    actions.unshare(film=film, by=ada)
    for path in (f"/films/{film.token}/", f"/films/{film.token}/file"):
        assert browse().get(path).status_code == 404


@pytest.mark.parametrize("visibility", ["members", "private"])
def test_films_of_closed_boards_have_no_link(line, ada, plaza, visibility, studio, browse):
    film = actions.share(film=finished(line[2], ada, studio), by=ada)
    token = film.token
    plaza.visibility = visibility
    plaza.save()
    # The link that was made while the board was open opens nothing any more.
    assert browse().get(f"/films/{token}/").status_code == 404
    if visibility == "members":
        Film.objects.update(token=None)
        with pytest.raises(NotAllowed) as refusal:
            actions.share(film=film, by=ada)
        assert refusal.value.reason == "not_for_all"


def test_only_its_maker_and_moderators_share_it(line, ada, lin, moderator, studio):
    film = finished(line[2], ada, studio)
    with pytest.raises(NotAllowed):
        actions.share(film=film, by=lin)
    assert actions.share(film=film, by=moderator).token


def test_an_unfinished_film_is_not_shared(line, ada):
    with pytest.raises(NotAllowed):
        actions.share(film=actions.make(image=line[2], kind="lineage", form="webp", by=ada), by=ada)


# --- pages and API ----------------------------------------------------------------------------


def test_the_form_makes_a_film_and_shows_it(line, ada, browse, studio):
    client, address = browse(ada), f"/images/{line[2].pk}/films/"
    page = client.get(address).content.decode()
    assert 'value="lineage"' in page
    assert 'value="strip"' not in page
    answer = client.post(address, {"kind": "lineage"})
    film = Film.objects.get()
    assert answer.headers["Location"] == f"/films/{film.pk}/"
    assert "waiting" in client.get(f"/films/{film.pk}/").content.decode()
    studio.work()
    page = client.get(f"/films/{film.pk}/").content.decode()
    assert f'src="/films/{film.pk}/file"' in page
    assert "Make a share link" in page
    client.post(f"/films/{film.pk}/share/")
    film.refresh_from_db()
    assert f"/films/{film.token}/" in client.get(f"/films/{film.pk}/").content.decode()
    assert film.token not in browse().get(f"/films/{film.pk}/").content.decode()


def test_what_is_amiss_stands_at_the_form(line, ada, browse):
    client = browse(ada)
    wrong = client.post(f"/images/{line[2].pk}/films/", {"kind": "opera"})
    assert wrong.status_code == 422
    assert "errorlist" in wrong.content.decode()
    nothing = client.post(f"/images/{line[0].pk}/films/", {"kind": "lineage"})
    assert nothing.status_code == 403
    assert "no ancestors" in nothing.content.decode()


def test_a_removed_film_is_gone(line, ada, browse, studio, django_capture_on_commit_callbacks):
    film = finished(line[2], ada, studio)
    with django_capture_on_commit_callbacks(execute=True):
        browse(ada).post(f"/films/{film.pk}/remove/")
    assert not Film.objects.exists()
    assert not default_storage.exists(film.name)


def test_progress_is_told_beside_the_image(line, ada):
    film = actions.make(image=line[2], kind="lineage", form="webp", by=ada)
    pieces = Beside(line[2].pk).changed({("preview", film.job), ("film", film.pk)}, set())
    assert set(pieces) == {"films", f"film-{film.pk}"}


def test_a_program_asks_for_a_film(line, ada, client, studio):
    secret = tokens.make(member=ada, name="program")[1]
    headers = {"Authorization": f"Bearer {secret}"}
    json = {"content_type": "application/json", "headers": headers}
    answer = client.post(f"/api/v1/images/{line[2].pk}/films", {"kind": "lineage"}, **json)
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert (told["state"], told["file"], told["progress"]) == ("waiting", None, 0.0)
    studio.work()
    told = client.get(told["url"], headers=headers).json()
    assert (told["state"], told["progress"]) == ("done", 1.0)
    assert client.get(told["file"], headers=headers).status_code in {200, 404}
    refused = client.post(f"/api/v1/images/{line[0].pk}/films", {"kind": "strip"}, **json)
    assert refused.status_code == 409
    assert (
        client.post(f"/api/v1/images/{line[2].pk}/films", {"kind": "x"}, **json).status_code == 422
    )


def test_a_film_is_an_honest_picture(line, ada, studio):
    """Its first frame is the oldest ancestor, as far as its encoding lets."""
    film = finished(line[2], ada, studio)
    with default_storage.open(line[0].file(FileRole.DISPLAY).name) as file:
        first = Pictures.open(io.BytesIO(file.read())).convert("RGB")
    with default_storage.open(film.name) as file, Pictures.open(file) as opened:
        shown = opened.convert("RGB").resize(first.size)
    apart = [
        abs(a - b) for a, b in zip(first.getpixel((20, 20)), shown.getpixel((20, 20)), strict=True)
    ]
    assert max(apart) < 12
