"""The page of reruns, its fragment, the API, and the news beside an image."""

import json

import pytest
from django.utils import timezone

from forum.live.fragments import Beside
from forum.members import tokens
from forum.reruns import actions
from forum.reruns.models import Rerun
from generation.models import Worker
from tests.forum.reruns.conftest import rerun


def test_a_visitor_reads_the_history_and_is_asked_to_sign_in(browse, derivative, ada, studio):
    rerun(derivative, ada, studio)
    page = browse().get(f"/images/{derivative.pk}/reruns/").content.decode()
    assert "identical" in page
    assert "Sign in to run it again" in page
    answer = browse().post(f"/images/{derivative.pk}/reruns/")
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/account/login/")


def test_the_button_starts_a_rerun_and_the_fragment_shows_it(browse, derivative, ada, studio):
    client = browse(ada)
    address = f"/images/{derivative.pk}/reruns/"
    answer = client.post(address, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    page = answer.content.decode()
    assert page.lstrip().startswith('<section id="reruns"')
    assert "waiting" in page
    studio.work()
    page = client.get(address).content.decode()
    assert "every pixel is equal" in page
    assert derivative.recipe["versions"]["numpy"] in page


def test_what_it_costs_is_said_before_the_button(browse, derivative, ada, studio):
    address = f"/images/{derivative.pk}/reruns/"
    alone = browse(ada).get(address).content.decode()
    assert alone.count("No machine is at work right now; it will wait until one is.") == 1
    Worker.objects.create(
        name="w", queues=["edit:darkroom"], started_at=timezone.now(), seen_at=timezone.now()
    )
    page = browse(ada).get(address).content.decode()
    assert "It would be next" in page and "left this hour" in page
    assert "left this hour" not in browse().get(address).content.decode()
    Worker.objects.update(queues=["edit:klein"])
    other = browse(ada).get(address).content.decode()
    assert "Impossible now" not in other, "no other engine will do, and it waits for this one"
    assert "it will wait until one is" in other


def test_without_scripts_one_comes_back_to_the_page(browse, derivative, ada):
    answer = browse(ada).post(f"/images/{derivative.pk}/reruns/", follow=True)
    assert answer.redirect_chain[-1][0] == f"/images/{derivative.pk}/reruns/"


def test_what_stands_in_the_way_is_said_instead_of_a_button(browse, hill, ada):
    page = browse(ada).get(f"/images/{hill.pk}/reruns/").content.decode()
    assert "An uploaded image has no recipe" in page
    assert "hx-post" not in page.partition('id="reruns"')[2]
    answer = browse(ada).post(f"/images/{hill.pk}/reruns/", headers={"HX-Request": "true"})
    assert answer.status_code == 403


def test_differences_are_told_in_words(browse, derivative, ada):
    Rerun.objects.create(
        image=derivative, asker=ada, job=10**6, state="done", verdict="different", largest=200,
        mean=3.0, differing=0.25, pdq_distance=40, versions_then={"numpy": "2.0"},
        because=[
            {"what": "file", "then": "", "now": ""},
            {"what": "numpy", "then": "2.0", "now": "2.4"},
            {"what": "device", "then": "", "now": "cuda"},
            {"what": "weights", "then": "abc", "now": ""},
        ],
    )  # fmt: skip
    page = browse().get(f"/images/{derivative.pk}/reruns/").content.decode()
    for said in (
        "the stored picture is no longer the one that was made",
        "numpy was 2.0; it is 2.4 now",
        "device is cuda; nothing was said then",
        "weights was abc; now there is none",
        "largest difference 200 of 255, 25 % of the pixels",
        "hashes 40 of 256 bits apart",
    ):
        assert said in page, said


def test_the_image_page_leads_there(browse, derivative):
    page = browse().get(f"/images/{derivative.pk}/").content.decode()
    assert f'hx-get="/images/{derivative.pk}/reruns/"' in page
    assert f'href="/program/{derivative.recipe["operations"][0]["name"]}/"' in page


# --- API --------------------------------------------------------------------------------------


@pytest.fixture
def api(client, ada):
    """Calls of Ada's program."""
    secret = tokens.make(member=ada, name="program")[1]
    headers = {"Authorization": f"Bearer {secret}"}

    def call(verb: str, path: str):
        words = {} if verb == "post" else None
        ask = getattr(client, verb)
        return ask(f"/api/v1{path}", words, content_type="application/json", headers=headers)

    return call


def test_a_program_runs_again_and_reads_the_verdict(api, derivative, studio):
    answer = api("post", f"/images/{derivative.pk}/reruns")
    assert answer.status_code == 202, answer.content
    assert answer.json()["state"] == "waiting"
    assert answer.headers["Location"].endswith(f"/api/v1/images/{derivative.pk}/reruns")
    studio.work()
    [told] = api("get", f"/images/{derivative.pk}/reruns").json()
    assert told["verdict"] == "identical"
    assert told["because"] == []
    assert told["asker"] == "ada"


def test_a_program_is_told_why_not(api, hill):
    answer = api("post", f"/images/{hill.pk}/reruns")
    assert answer.status_code == 409
    assert json.loads(answer.content)["code"] == "no_recipe"


# --- news -------------------------------------------------------------------------------------


def test_the_news_asks_pages_to_look_again(derivative, ada):
    made = actions.run_again(image=derivative, by=ada)
    pieces = Beside(derivative.pk).changed({("rerun", made.pk)}, set())
    assert set(pieces) == {"reruns"}
    assert f'hx-get="/images/{derivative.pk}/reruns/"' in pieces["reruns"]


def test_progress_is_the_same_piece_for_all(derivative, ada):
    made = actions.run_again(image=derivative, by=ada)
    pieces = Beside(derivative.pk).changed({("preview", made.job)}, set())
    assert set(pieces) == {f"rerun-{made.pk}"}
    assert f'hx-target="#rerun-{made.pk}"' in pieces[f"rerun-{made.pk}"]
    assert Beside(derivative.pk).changed({("job", 10**9)}, set()) == {}


def test_a_gap_brings_everything_anew(derivative):
    assert set(Beside(derivative.pk).whole()) >= {"resonances", "reruns", "films"}
