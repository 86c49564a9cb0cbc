"""Forms as browsers send them: without scripts by redirect, with htmx by fragment."""

import io
import uuid

import pytest
from django.urls import reverse

from forum.images.models import Image
from forum.threads.models import Reading, Reply, Thread
from generation.models import Job, Preview
from tests.factories import a_picture, a_thread, ask, go_wrong

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def answer(client, image: Image, headers=None, **words):
    sent = {"prompt": "make it night", "key": "k", **words}
    return client.post(reverse("answer", args=[image.pk]), sent, headers=headers or {})


def upload(name: str = "p.png", data: bytes | None = None) -> io.BytesIO:
    file = io.BytesIO(a_picture(kind="PNG") if data is None else data)
    file.name = name
    return file


# --- by prompt ---------------------------------------------------------------------------------


def test_without_scripts_one_comes_back_to_the_reply(browse, hill, ada):
    response = answer(browse(ada), hill.first_image)
    reply = Reply.objects.get()
    assert response.status_code == 302
    assert response["Location"] == f"/images/{hill.first_image_id}/#reply-{reply.pk}"


def test_htmx_gets_the_card_and_a_fresh_composer(browse, hill, ada):
    response = answer(browse(ada), hill.first_image, HTMX)
    page = response.content.decode()
    assert f'<hx-upsert hx-target="#answers-{hill.first_image_id}" sort="desc">' in page
    assert f'id="reply-{Reply.objects.get().pk}"' in page
    assert 'value="k"' not in page
    assert "make it night</textarea>" not in page


def test_the_same_form_sent_twice_makes_one_reply(browse, hill, ada):
    client = browse(ada)
    assert (
        answer(client, hill.first_image)["Location"] == answer(client, hill.first_image)["Location"]
    )
    assert Reply.objects.count() == 1


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_blank_prompt_is_refused_beside_the_field(browse, hill, ada, headers):
    response = answer(browse(ada), hill.first_image, headers, prompt="  ")
    assert response.status_code == 422
    assert "Say what it should become." in response.content.decode()
    assert not Reply.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_prompt_that_is_not_understood_keeps_its_text(browse, hill, ada, headers):
    response = answer(browse(ada), hill.first_image, headers, prompt="qwertz uiop")
    page = response.content.decode()
    assert response.status_code == 422
    assert "qwertz uiop</textarea>" in page
    assert 'name="suggest"' in page


def test_an_endless_prompt_is_refused(browse, hill, ada):
    response = answer(browse(ada), hill.first_image, prompt="night " * 20_000)
    assert response.status_code == 422
    assert "At most 2000 characters" in response.content.decode()


def test_a_null_character_is_refused(browse, hill, ada):
    assert answer(browse(ada), hill.first_image, prompt="night\x00").status_code == 422


@pytest.mark.parametrize(
    "words", [{"strength": "7"}, {"strength": "nan"}, {"seed": "-1"}, {"preset": "x"}]
)
def test_numbers_out_of_range_are_refused(browse, hill, ada, words):
    assert answer(browse(ada), hill.first_image, **words).status_code == 422


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_reused_key_is_a_conflict_and_gets_a_new_key(browse, hill, ada, headers):
    client = browse(ada)
    answer(client, hill.first_image)
    response = answer(client, hill.first_image, headers, prompt="make it snow")
    page = response.content.decode()
    assert response.status_code == 409
    assert "make it snow</textarea>" in page
    assert 'value="k"' not in page


def test_too_many_say_when_to_come_back(browse, hill, ada, settings):
    settings.FORUM_EDITS_PER_HOUR = 0
    response = answer(browse(ada), hill.first_image)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 3000
    assert "again at" in response.content.decode()


def test_without_consent_other_ways_are_offered(browse, plaza, lin, ada):
    image = a_thread(plaza, lin, allow_derivatives=False).first_image
    response = answer(browse(ada), image)
    assert response.status_code == 403
    assert reverse("answer-upload", args=[image.pk]) in response.content.decode()


def test_a_chip_adds_its_words_without_scripts(browse, hill, ada):
    response = answer(browse(ada), hill.first_image, prompt="at night", suggest="snow")
    assert "at night, snow</textarea>" in response.content.decode()
    assert not Reply.objects.exists()


def test_visitors_sign_in_first(browse, hill):
    response = answer(browse(), hill.first_image)
    assert response["Location"].startswith(reverse("account_login"))


# --- the plan ----------------------------------------------------------------------------------


def plan(browse, image: Image, prompt: str) -> str:
    response = browse().get(reverse("plan", args=[image.pk]), {"prompt": prompt})
    assert response.status_code == 200
    return response.content.decode()


def test_the_plan_says_what_is_read_and_what_is_not(browse, hill):
    page = plan(browse, hill.first_image, "make it night with a dragon")
    assert "I read:" in page
    assert "dragon" in page


def test_the_plan_offers_what_it_can_do_instead(browse, hill):
    assert 'name="suggest"' in plan(browse, hill.first_image, "qwertz")


def test_nothing_typed_needs_no_plan_and_has_its_price(browse, hill):
    said = plan(browse, hill.first_image, " ")
    assert 'name="chip' not in said and "I read:" not in said
    assert "engine under Apache-2.0" in said


def test_strangers_get_no_plan(browse, river, wen):
    assert browse(wen).get(reverse("plan", args=[river.first_image_id])).status_code == 404


# --- by upload and by link ---------------------------------------------------------------------


def test_an_upload_answers(browse, hill, ada):
    where = reverse("answer-upload", args=[hill.first_image_id])
    assert browse(ada).get(where).status_code == 200
    sent = {"file": upload(), "key": "k", "origin": "hand", "allow_derivatives": "on"}
    response = browse(ada).post(where, sent)
    reply = Reply.objects.get()
    assert response["Location"].endswith(f"#reply-{reply.pk}")
    assert (reply.image.origin, reply.image.licence) == ("hand", hill.board.licence)


@pytest.mark.parametrize("data", [b"", b"no picture", b"\x89PNG\r\n\x1a\n broken"])
def test_what_is_no_picture_is_refused_beside_the_field(browse, hill, ada, data):
    where = reverse("answer-upload", args=[hill.first_image_id])
    response = browse(ada).post(where, {"file": upload(data=data), "key": "k", "title": "Kept"})
    page = response.content.decode()
    assert response.status_code == 422
    assert 'id="file-error"' in page
    assert 'value="Kept"' in page
    assert not Reply.objects.exists()


def test_a_link_answers(browse, hill, plaza, ada):
    other = a_thread(plaza, ada).first_image
    where = reverse("answer-link", args=[hill.first_image_id])
    assert browse(ada).get(where).status_code == 200
    browse(ada).post(where, {"image": f"https://example.org/images/{other.pk}/", "key": "k"})
    assert Reply.objects.get().image == other


@pytest.mark.parametrize("said", ["", "the hill", "99999999", "/images/x/", "1" * 400])
def test_a_link_to_nothing_is_refused(browse, hill, ada, said):
    where = reverse("answer-link", args=[hill.first_image_id])
    assert browse(ada).post(where, {"image": said, "key": "k"}).status_code == 422


def test_a_private_image_cannot_be_guessed(browse, hill, river, wen):
    where = reverse("answer-link", args=[hill.first_image_id])
    unseen = browse(wen).post(where, {"image": str(river.first_image_id), "key": "k"})
    absent = browse(wen).post(where, {"image": "99999999", "key": "k"})
    assert unseen.status_code == absent.status_code == 422
    assert unseen.context["form"].errors == absent.context["form"].errors


# --- posting -----------------------------------------------------------------------------------


def test_a_post_opens_a_thread(browse, plaza, lin):
    client = browse(lin)
    assert client.get("/post/", {"board": "plaza"}).status_code == 200
    sent = {
        "file": upload(),
        "board": "plaza",
        "title": "早上",
        "origin": "ai-declared",
        "key": "k",
    }
    response = client.post("/post/", sent)
    image = Thread.objects.get().first_image
    assert response["Location"] == f"/images/{image.pk}/"
    assert (image.origin, image.language, image.allow_derivatives) == ("ai-declared", "zh", False)


def test_a_post_needs_a_board_one_may_use(browse, plaza, rivers, wen):
    response = browse(wen).post("/post/", {"file": upload(), "board": "rivers", "key": "k"})
    assert response.status_code == 422
    assert not Image.objects.exists()


def test_a_post_without_a_picture_keeps_its_words(browse, plaza, lin):
    response = browse(lin).post("/post/", {"board": "plaza", "title": "Kept", "key": "k"})
    assert response.status_code == 422
    assert 'value="Kept"' in response.content.decode()


def test_the_same_post_sent_twice_opens_one_thread(browse, plaza, lin):
    data = a_picture(kind="PNG")
    sent = [
        browse(lin).post("/post/", {"file": upload(data=data), "board": "plaza", "key": "k"})
        for _ in range(2)
    ]
    assert sent[0]["Location"] == sent[1]["Location"]
    assert Thread.objects.count() == 1


def test_too_many_uploads_say_when_to_come_back(browse, plaza, lin, settings):
    settings.FORUM_UPLOADS_PER_HALF_HOUR = 0
    response = browse(lin).post("/post/", {"file": upload(), "board": "plaza", "key": "k"})
    assert response.status_code == 429
    assert "Retry-After" in response.headers


# --- one reply ---------------------------------------------------------------------------------


def test_look_again(browse, asked):
    page = browse().get(f"/replies/{asked.pk}/").content.decode()
    assert "<html" in page
    assert "Look again" in page


def test_htmx_gets_the_card_alone(browse, asked):
    response = browse().get(f"/replies/{asked.pk}/", headers=HTMX)
    assert response.content.decode().strip().startswith("<li")
    assert "HX-Request" in response["Vary"]


def test_one_stops_ones_own(browse, asked, ada):
    response = browse(ada).post(f"/replies/{asked.pk}/stop/", headers=HTMX)
    assert "stopped" in response.content.decode()
    asked.refresh_from_db()
    assert asked.state == "cancelled"


def test_stopping_leads_back_without_scripts(browse, asked, ada):
    response = browse(ada).post(f"/replies/{asked.pk}/stop/")
    assert response["Location"].endswith(f"#reply-{asked.pk}")


def test_others_cannot_stop_it(browse, asked, wen):
    assert browse(wen).post(f"/replies/{asked.pk}/stop/").status_code == 404


def test_one_tries_ones_own_again(browse, asked, ada):
    browse(ada).post(f"/replies/{asked.pk}/stop/")
    browse(ada).post(f"/replies/{asked.pk}/again/")
    asked.refresh_from_db()
    assert asked.state == "waiting"


def test_trying_again_has_its_limits(browse, asked, ada, settings):
    browse(ada).post(f"/replies/{asked.pk}/stop/")
    settings.FORUM_EDITS_PER_HOUR = 0
    response = browse(ada).post(f"/replies/{asked.pk}/again/", headers=HTMX)
    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


def test_a_prompt_can_be_changed(browse, asked, ada, hill):
    page = browse(ada).get(f"/images/{hill.first_image_id}/", {"change": asked.pk})
    assert "make it night</textarea>" in page.content.decode()


def test_nobody_elses_prompt_is_taken_over(browse, asked, wen, hill):
    page = browse(wen).get(f"/images/{hill.first_image_id}/", {"change": asked.pk})
    assert "make it night</textarea>" not in page.content.decode()


# --- frames ------------------------------------------------------------------------------------


@pytest.fixture
def running(asked):
    job = Job.objects.get(pk=asked.job)
    assert Job.objects.claim(job.pk, uuid.uuid4())
    frame = a_picture((64, 64), "JPEG2000")
    Preview.objects.update_or_create(
        job=job, defaults={"topic": "t", "step": 3, "total": 8, "frame": frame}
    )
    return asked


def test_a_running_reply_is_being_envisioned(browse, running):
    page = browse().get(f"/replies/{running.pk}/").content.decode()
    assert "is envisioning" in page
    assert "step 3 of 8" in page
    assert f"/replies/{running.pk}/frame?step=3" in page
    running.refresh_from_db()
    assert running.state == "waiting"


def test_the_newest_frame_is_kept_by_browsers(browse, running):
    response = browse().get(f"/replies/{running.pk}/frame", {"step": 3})
    assert response["Content-Type"] == "image/jpeg"
    assert "immutable" in response["Cache-Control"]


def test_a_slow_browser_gets_the_newest_frame(browse, running):
    response = browse().get(f"/replies/{running.pk}/frame", {"step": 1})
    assert response["Content-Type"] == "image/jpeg"


def test_without_a_frame_the_square_stays_clear(browse, asked):
    response = browse().get(f"/replies/{asked.pk}/frame", {"step": 1})
    assert response["Content-Type"] == "image/gif"
    assert response["Cache-Control"] == "no-store"


def test_after_a_fault_it_waits_again(browse, running):
    """The worker is lost, its job is handed back: nobody has to correct the reply."""
    Job.objects.filter(pk=running.job).update(state="waiting", token=None, lease_until=None)
    assert "next" in browse().get(f"/replies/{running.pk}/").content.decode()


def test_places_in_the_queue_are_said(browse, hill, ada, wen):
    ask(wen, hill.first_image, key="first")
    reply = ask(ada, hill.first_image, key="second")
    assert "1 before it" in browse().get(f"/replies/{reply.pk}/").content.decode()


def test_a_failed_job_that_nobody_told_of_is_not_waiting(browse, asked):
    go_wrong(asked.job)
    assert "is envisioning" in browse().get(f"/replies/{asked.pk}/").content.decode()


# --- readings ----------------------------------------------------------------------------------


def test_a_reading_is_said_without_scripts(browse, hill, wen):
    where = reverse("read", args=[hill.first_image_id])
    response = browse(wen).post(where, {"text": "It waits."})
    assert response["Location"].endswith("#readings")
    assert Reading.objects.get().text == "It waits."


def test_htmx_gets_all_readings(browse, hill, wen):
    where = reverse("read", args=[hill.first_image_id])
    page = browse(wen).post(where, {"text": "It waits."}, headers=HTMX).content.decode()
    assert page.strip().startswith("<section")
    assert "It waits." in page


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_an_empty_reading_is_refused_beside_the_field(browse, hill, ada, headers):
    where = reverse("read", args=[hill.first_image_id])
    response = browse(ada).post(where, {"text": ""}, headers=headers)
    assert response.status_code == 422
    assert "Write something first." in response.content.decode()


def test_one_takes_ones_own_back(browse, hill, wen, ada):
    browse(wen).post(reverse("read", args=[hill.first_image_id]), {"text": "It waits."})
    where = reverse("reading-delete", args=[Reading.objects.get().pk])
    assert browse(ada).post(where).status_code == 404
    assert browse(wen).post(where).status_code == 302
    assert not Reading.objects.exists()


@pytest.mark.parametrize("name", ["answer", "read"])
def test_verbs_are_posts(browse, hill, ada, name):
    assert browse(ada).get(reverse(name, args=[hill.first_image_id])).status_code == 405


def test_the_form_says_which_pictures_are_taken(browse, ada, plaza, monkeypatch):
    for here in (True, False):
        monkeypatch.setattr("forum.images.ingest.heif_is_here", lambda here=here: here)
        said = browse(ada).get("/post/").content.decode()
        assert ("AVIF, HEIC or GIF, of which the first frame" in said) is here
