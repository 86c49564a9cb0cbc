"""The operators' page: what it shows, to whom, and what its buttons do."""

import pytest
from django.db.models.functions import Now

from forum.threads.models import Reply, ReplyState
from generation import queue
from generation.models import Job, State, Switch, Worker
from tests.factories import a_thread, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def hill(plaza, lin):
    """A thread to ask in."""
    return a_thread(plaza, lin)


def a_worker(name="one", **about):
    return Worker.objects.create(
        name=name, queues=["edit:darkroom"], about=about, started_at=Now(), seen_at=Now()
    )


def test_queues_workers_and_failures_are_shown(browse, moderator, hill, ada):
    """By preset, by device, by reason; a moderator sees no buttons."""
    gpu = {
        "name": "0", "device": "NVIDIA H100", "memory_gb": 80, "memory_used_gb": 20.4, "made": 7,
        "per_minute": 3.5, "batches": {"1": 1, "4": 3}, "ms": {"engine": 812}, "restarts": 1,
        "failures": {"out_of_memory": 2}, "loaded": ["klein"],
    }  # fmt: skip
    a_worker(devices=[gpu])
    ask(ada, hill.first_image)
    failed = ask(ada, hill.first_image, key="bad")
    Job.objects.filter(pk=failed.job).update(state="failed", reason="timeout", ended_at=Now())
    page = browse(moderator).get("/studio/").content.decode()
    for said in ("darkroom", "NVIDIA H100", "20 / 80 GB", "3.25", "engine 812", "out_of_memory 2",
                 "timeout", "at work"):  # fmt: skip
        assert said in page, said
    assert "<form" not in page.split("<main")[1].split("</main")[0]
    assert "at night" not in page


def test_weights_without_a_commit_are_named_as_such(browse, owner, tmp_path, monkeypatch):
    """Until they are pulled; then the commit is shown. A folder is a folder."""
    own = tmp_path / "own.toml"
    monkeypatch.setenv("FORUM_PRESETS", str(own))

    def row(words):
        own.write_text(f"[klein]\n{words}\n")
        page = browse(owner).get("/studio/").content.decode()
        return page.split("<b>klein</b>")[1].split("</td>")[0]

    assert "weights not pinned: pull them" in row('revision = ""')
    pinned = row(f'revision = "{"ab" * 20}"')
    assert "@ abababababab" in pinned and "not pinned" not in pinned
    assert "a folder" in row(f'model = "{tmp_path}"')


def test_the_part_that_changes_comes_alone(browse, owner):
    """For htmx, every five seconds."""
    fragment = browse(owner).get("/studio/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in fragment and 'id="studio-presets"' in fragment
    assert "No worker has been heard of" in fragment


def test_it_asks_few_questions(browse, owner, hill, ada, django_assert_max_num_queries):
    """However many jobs and workers there are."""
    for number in range(5):
        a_worker(f"w{number}")
        ask(ada, hill.first_image, key=f"k{number}")
    client = browse(owner)
    client.get("/studio/")
    with django_assert_max_num_queries(9):
        client.get("/studio/")


def test_the_owner_switches_presets(browse, owner):
    """Off, on, default, paused, running; and all at once."""
    client = browse(owner)

    def do(what, where="/studio/presets/darkroom/"):
        assert client.post(where, {"do": what}).status_code == 302
        return Switch.objects.get(preset="darkroom")

    assert not do("disable").enabled
    assert do("enable").enabled
    assert do("default").is_default and queue.usual() == "darkroom"
    assert do("pause").paused
    assert not do("resume").paused
    assert do("pause", "/studio/presets/").paused
    assert Switch.objects.filter(paused=True).count() == len(queue.presets())
    assert not do("resume", "/studio/presets/").paused


def test_what_is_switched_off_can_neither_be_chosen_nor_sent(browse, owner, hill, ada):
    """It is gone from the list, unless a board has it; sending says why not."""
    queue.disable("darkroom")
    assert "darkroom" not in queue.offered()
    assert "darkroom" in queue.offered("darkroom")
    words = {"prompt": "at night", "preset": "darkroom"}
    place = f"/images/{hill.first_image_id}/answer/"
    assert browse(ada).post(place, words).status_code == 422, "it is not in the list"
    hill.board.preset = "darkroom"
    hill.board.save()
    sent = browse(ada).post(place, words)
    assert sent.status_code == 403
    assert "no such engine here" in sent.content.decode()
    assert not Job.objects.filter(task="edit").exists()


def test_a_paused_engine_says_so_on_the_card_and_in_the_plan(browse, hill, ada):
    """It takes wishes, and they wait."""
    a_worker()
    queue.pause("darkroom")
    reply = ask(ada, hill.first_image)
    assert "lets this engine rest" in browse().get(f"/replies/{reply.pk}/").content.decode()
    plan = browse(ada).get(f"/images/{hill.first_image_id}/plan/?prompt=at+night")
    assert "lets this engine rest" in plan.content.decode()


def test_the_plan_says_what_sending_costs(browse, hill, ada, lin, settings):
    """Who is before, how long, and what is left of the hour."""
    address = f"/images/{hill.first_image_id}/plan/?prompt=at+night"
    settings.FORUM_EDITS_PER_HOUR = 9
    assert "No machine is at work" in browse(ada).get(address).content.decode()
    other = a_worker()
    Worker.objects.filter(pk=other.pk).update(queues=["edit:klein"])
    assert "Impossible now" in browse(ada).get(address).content.decode()
    Worker.objects.filter(pk=other.pk).update(queues=["edit:darkroom"])
    said = browse(ada).get(address).content.decode()
    assert "It would be next" in said and "9 left this hour" in said
    for number in range(2):
        ask(lin, hill.first_image, key=f"k{number}")
    said = browse(ada).get(address).content.decode()
    # Lin's second waits behind Ada's first.
    assert "1 before you" in said and "about" in said
    ask(ada, hill.first_image, key="mine")
    assert "8 left this hour" in browse(ada).get(address).content.decode()


def test_a_worker_is_drained_and_takes_again(browse, owner):
    """A flag in its row; drained ones are not counted on."""
    a_worker()
    client = browse(owner)
    assert queue.can_do("darkroom")
    assert client.post("/studio/workers/", {"name": "one", "do": "drain"}).status_code == 302
    assert not queue.can_do("darkroom")
    assert "takes nothing more" in client.get("/studio/").content.decode()
    client.post("/studio/workers/", {"name": "one", "do": "refill"})
    assert queue.can_do("darkroom")
    assert client.post("/studio/workers/", {"name": "nobody", "do": "drain"}).status_code == 404
    assert client.post("/studio/workers/", {"name": "one", "do": "dance"}).status_code == 404


def test_failed_jobs_try_again_and_cost_nobody_anything(browse, owner, hill, ada, settings):
    """Replies go back to waiting; what cannot is counted."""
    settings.FORUM_EDITS_PER_HOUR = settings.FORUM_EDITS_AT_ONCE = 2
    replies = [ask(ada, hill.first_image, key=f"k{n}") for n in range(2)]
    jobs = [reply.job for reply in replies]
    Job.objects.filter(pk__in=jobs).update(state="failed", reason="timeout", ended_at=Now())
    Reply.objects.filter(job__in=jobs).update(
        state=ReplyState.FAILED, reason="timeout", ended_at=Now()
    )
    client = browse(owner)
    words = {"preset": "darkroom", "reason": "timeout"}
    page = client.post("/studio/failures/", words, follow=True).content.decode()
    assert "2 jobs try again" in page
    assert set(Job.objects.filter(pk__in=jobs).values_list("state", flat=True)) == {State.WAITING}
    assert {each.state for each in Reply.objects.filter(job__in=jobs)} == {ReplyState.WAITING}
    assert "Nothing" in client.post("/studio/failures/", words, follow=True).content.decode()


def test_unknown_presets_and_verbs_are_not_found(browse, owner):
    """Nothing is written."""
    client = browse(owner)
    assert client.post("/studio/presets/nothing/", {"do": "pause"}).status_code == 404
    assert client.post("/studio/presets/darkroom/", {"do": "explode"}).status_code == 404
    assert client.post("/studio/presets/", {"do": "explode"}).status_code == 404
    assert not Switch.objects.exists()


def test_metrics_say_where_a_devices_time_went(browse, owner):
    """By stage, with what is outside the denoiser, previews, and what was remembered."""
    shelf = {"hits": 7, "misses": 1, "mb": 2.0}
    gpu = {
        "name": "0", "preview_lag_ms": 80, "outside_denoiser": 0.0612,
        "spent": {"encode": 1.5, "denoise": 40.25, "decode": 0.5, "other": 0.25},
        "remembered": {"prompts": shelf, "sources": {**shelf, "hits": 9}},
    }  # fmt: skip
    a_worker(devices=[gpu], pool={"preview_lag_ms": None, "outside_denoiser": None, "spent": {}})
    text = browse(owner).get("/metrics").content.decode()
    own = 'worker="one",device="0"'
    for line in (
        f"preview_lag_seconds{{{own}}} 0.08",
        f"outside_denoiser_ratio{{{own}}} 0.0612",
        f'device_seconds_total{{{own},stage="denoise"}} 40.25',
        f'encoding_hits_total{{{own},what="sources"}} 9',
        f'encoding_misses_total{{{own},what="prompts"}} 1',
    ):
        assert f"gegenbild_{line}\n" in text, line
    assert 'device="pool"} None' not in text and text.count("outside_denoiser_ratio{") == 1


def test_metrics_are_text_for_a_monitor(browse, client, owner, lin, hill, ada, settings):
    """With the word or as the owner; never a prompt, a name, or a line that cannot be parsed."""
    settings.FORUM_METRICS_TOKEN = "a long word"
    a_worker('odd "name"\\', pool={"made": 3, "ms": {"engine": 40}, "batches": {"2": 5}})
    ask(ada, hill.first_image)
    answer = client.get("/metrics", headers={"Authorization": "Bearer a long word"})
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/plain")
    text = answer.content.decode()
    assert 'gegenbild_queue_depth{preset="darkroom"} 1' in text
    assert 'gegenbild_made_total{worker="odd \\"name\\"\\\\",device="pool"} 3' in text
    assert "night" not in text and "ada" not in text
    for line in text.splitlines():
        assert (
            line.startswith(("# HELP gegenbild_", "# TYPE gegenbild_"))
            or float(line.rsplit(" ", 1)[1]) >= 0
        )
    assert browse(owner).get("/metrics").status_code == 200
    assert browse(lin).get("/metrics").status_code == 404
    assert client.get("/metrics").status_code == 404
    assert client.get("/metrics", headers={"Authorization": "Bearer other"}).status_code == 404
    settings.FORUM_METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
