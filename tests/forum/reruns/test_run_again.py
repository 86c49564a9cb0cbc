"""A derivative is made again and compared: identical, the same to the eye, or different because …"""

import io

import pytest
from django.core.files.storage import default_storage
from PIL import Image as Pictures

from forum.images import actions as images
from forum.images.models import File, FileRole, Image
from forum.reruns import actions
from forum.reruns.models import Rerun, Verdict
from forum.reruns.recipes import again, is_same, operations
from forum.reruns.verdicts import apart, differences, verdict
from forum.threads.actions import NotAllowed, TooMany
from generation import queue
from generation.models import Job
from generation.results import RerunResult
from tests.factories import ask, go_wrong
from tests.forum.reruns.conftest import rerun


def rewrite_master(image: Image, change) -> None:
    """Change the stored picture behind the forum's back."""
    file = File.objects.get(image=image, role=FileRole.ORIGINAL)
    with default_storage.open(file.name) as stored, Pictures.open(stored) as opened:
        picture = change(opened.convert("RGB"))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, subsampling=0)
    with default_storage.open(file.name, "wb") as stored:
        stored.write(out.getvalue())


def test_the_darkroom_reproduces_bit_for_bit(derivative, ada, studio):
    made = rerun(derivative, ada, studio)
    assert (made.state, made.verdict) == ("done", "identical")
    assert (made.largest, made.differing, made.because) == (0, 0.0, [])
    assert made.versions_then == made.versions_now
    assert made.versions_now["numpy"]
    assert made.asker == ada
    assert Image.objects.count() == 2, "nothing new came into being"


def test_the_copy_is_not_kept(derivative, ada, studio):
    before = set(File.objects.values_list("name", flat=True))
    made = rerun(derivative, ada, studio)
    assert set(File.objects.values_list("name", flat=True)) == before
    folders, _files = default_storage.listdir("results")
    assert str(made.job) not in folders


def test_a_slightly_changed_file_is_the_same_to_the_eye(derivative, ada, studio):
    rewrite_master(derivative, lambda picture: picture.point(lambda value: min(255, value + 3)))
    made = rerun(derivative, ada, studio)
    assert made.verdict == "same"
    assert 0 < made.largest <= 32
    assert [each["what"] for each in made.because] == ["file"]


def test_a_tampered_file_is_different(derivative, ada, studio):
    def paint(picture: Pictures.Image) -> Pictures.Image:
        picture.paste((255, 0, 0), (10, 10, 60, 60))
        return picture

    rewrite_master(derivative, paint)
    made = rerun(derivative, ada, studio)
    assert made.verdict == "different"
    assert made.because[0]["what"] == "file"


def test_another_version_is_named_where_the_picture_differs(derivative, ada, studio):
    """The kept picture was made with another seed by an older library, as far as its recipe says."""
    older = rerun_with_other_seed(derivative, studio)
    recipe = {**derivative.recipe, "version": "0"}
    recipe["versions"] = {**recipe["versions"], "opencv": "4.1.0"}
    Image.objects.filter(pk=derivative.pk).update(recipe=recipe)
    older.delete()  # a name belongs to one row
    File.objects.filter(image=derivative, role=FileRole.ORIGINAL).update(
        name=older.name, sha256=older.sha256
    )
    made = rerun(Image.objects.get(pk=derivative.pk), ada, studio)
    assert made.verdict == "different"
    told = {each["what"]: (each["then"], each["now"]) for each in made.because}
    assert told["darkroom"][0] == "0"
    assert told["opencv"][0] == "4.1.0"
    assert "numpy" not in told
    assert "file" not in told


def rerun_with_other_seed(derivative, studio):
    reply = ask(
        derivative.author, derivative.sources.first().source,
        "heavy snow at night, as an impressionist painting", key="older", seed=99,
    )  # fmt: skip
    studio.work()
    reply.refresh_from_db()
    return reply.image.file(FileRole.ORIGINAL)


def test_the_recipe_outweighs_a_new_reading(derivative, ada, studio, monkeypatch):
    """Though the lexicon should read the prompt otherwise tomorrow, what was done then is done now."""
    from generation.engines.darkroom import engine
    from generation.prompts import planning
    from generation.results import Plan

    other = Plan("darkroom", (("invert", {}),), ("Negative",))
    for module in (planning, engine):
        monkeypatch.setattr(module, "plan", lambda *_, **__: other)
    assert rerun(derivative, ada, studio).verdict == "identical"


# --- before it is run -------------------------------------------------------------------------


def reasons(image: Image, viewer=None) -> set[str]:
    return {each.reason for each in again(image, viewer).obstacles if each.blocks}


def test_nothing_stands_in_the_way_of_a_fresh_derivative(derivative, lin):
    assert reasons(derivative) == set()
    request = again(derivative, lin).request
    assert request.seed == derivative.recipe["seed"]
    assert request.strength == derivative.recipe["strength"]
    assert [each.name for each in request.read_as] == [
        each["name"] for each in derivative.recipe["operations"]
    ]
    assert request.compare_to.name == derivative.file(FileRole.ORIGINAL).name


def test_an_upload_has_no_recipe(hill, ada):
    with pytest.raises(NotAllowed) as refusal:
        actions.run_again(image=hill, by=ada)
    assert refusal.value.reason == "no_recipe"


def test_a_source_that_was_withdrawn_is_said_before(derivative, hill, lin, ada):
    images.withdraw(image=hill, by=lin)
    assert reasons(derivative) == {"source_withdrawn"}
    with pytest.raises(NotAllowed):
        actions.run_again(image=derivative, by=ada)
    assert not Rerun.objects.exists()


def test_a_source_that_is_hidden_is_closed_to_members_and_open_to_moderators(
    derivative, hill, moderator, ada
):
    images.hide(image=hill, by=moderator, reason="Not here.")
    assert reasons(derivative, ada) == {"source_withdrawn"}
    assert reasons(derivative, moderator) == set()


def test_a_source_whose_file_is_gone_is_said_before(derivative, hill):
    default_storage.delete(hill.file(FileRole.DISPLAY).name)
    assert reasons(derivative) == {"source_withdrawn"}


def test_a_stored_picture_that_is_gone_is_said_before(derivative):
    default_storage.delete(derivative.file(FileRole.ORIGINAL).name)
    assert reasons(derivative) == {"file_gone"}


def test_a_preset_that_is_gone_is_said_before(derivative, monkeypatch):
    monkeypatch.setattr(queue, "presets", dict)
    assert reasons(derivative) == {"no_engine"}


def test_a_mask_that_is_gone_is_said_before(derivative):
    derivative.recipe = {**derivative.recipe, "mask": "ab" * 32}
    assert reasons(derivative) == {"mask_gone"}


def test_a_forgotten_job_is_rebuilt_from_recipe_and_lineage(derivative, ada, studio):
    queue.forget([derivative.job])
    assert rerun(derivative, ada, studio).verdict == "identical"


def test_fields_of_operations_that_are_not_asked_for_are_left_out():
    recipe = {"operations": [{"name": "snow", "settings": {"intensity": 1.2}, "milliseconds": 3}]}
    [found] = operations(recipe)
    assert (found.name, found.settings) == ("snow", {"intensity": 1.2})


def test_another_version_on_every_machine_is_said_before(derivative, monkeypatch):
    class Machine:
        queues = ("edit:darkroom",)
        about = {"versions": {"numpy": "99.0"}}

    monkeypatch.setattr(queue, "workers", lambda: [Machine()])
    monkeypatch.setattr(queue, "can_do", lambda _: True)
    said = [str(each.sentence) for each in again(derivative, None).obstacles]
    assert any("99.0" in each and "numpy" in each for each in said)
    assert again(derivative, None).is_possible


@pytest.mark.parametrize(
    ("then", "now", "same"),
    [
        ("5.0.0", "5.0.0.93", True),
        ("2.13.0", "2.13.0+cpu", True),
        ("2.4.6", "2.4.6", True),
        ("2.4", "2.40", False),
        ("5.0.0", "5.0.1", False),
    ],
)
def test_a_package_s_own_number_is_no_other_version(then, now, same):
    assert is_same(then, now) is same
    assert is_same(now, then) is same


# --- limits and ends --------------------------------------------------------------------------


def test_one_rerun_of_an_image_at_a_time(derivative, ada, lin):
    first = actions.run_again(image=derivative, by=ada)
    assert actions.run_again(image=derivative, by=lin) == first
    assert Rerun.objects.count() == 1


def test_it_costs_as_much_as_an_answer(derivative, ada, settings, studio):
    settings.FORUM_EDITS_PER_HOUR = 1
    rerun(derivative, ada, studio)
    with pytest.raises(TooMany):
        actions.run_again(image=derivative, by=ada)


def test_images_that_are_not_seen_cannot_be_run_again(derivative, rivers, wen):
    Image.objects.filter(pk=derivative.pk).update(board=rivers)
    with pytest.raises(NotAllowed):
        actions.run_again(image=derivative, by=wen)


def test_a_failure_is_filed_and_costs_nothing(derivative, ada, settings, studio):
    settings.FORUM_EDITS_PER_HOUR = 1
    made = actions.run_again(image=derivative, by=ada)
    go_wrong(made.job, "out_of_memory")
    assert actions.take_in_failure(made.job) is not None
    assert actions.take_in_failure(made.job) is None
    made.refresh_from_db()
    assert (made.state, made.reason) == ("failed", "out_of_memory")
    actions.run_again(image=derivative, by=ada)


def test_taking_in_twice_changes_nothing(derivative, ada, studio):
    made = rerun(derivative, ada, studio)
    assert actions.take_in(made.job) is None
    ended = made.ended_at
    made.refresh_from_db()
    assert made.ended_at == ended


def test_with_an_image_goes_what_was_found_out_about_it(derivative, lin, ada, studio):
    made = actions.run_again(image=derivative, by=ada)
    images.withdraw(image=derivative, by=lin)
    assert not Rerun.objects.exists()
    assert Job.objects.get(pk=made.job).state == "cancelled"


# --- the verdict by itself --------------------------------------------------------------------


def a_result(**words: object) -> RerunResult:
    told = {"recipe": {}, "identical": False, "intact": True, "size": (8, 8)}
    told |= {"pdq_distance": 4, "largest": 9, "mean": 0.1, "differing": 0.2}
    return RerunResult(**{**told, **words})


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"identical": True, "largest": 0}, Verdict.IDENTICAL),
        ({}, Verdict.SAME),
        ({"largest": 33}, Verdict.DIFFERENT),
        ({"pdq_distance": 11}, Verdict.DIFFERENT),
        ({"pdq_distance": None}, Verdict.SAME),
        ({"largest": None, "mean": None, "differing": None}, Verdict.DIFFERENT),
    ],
)
def test_verdicts(words, expected):
    assert verdict(a_result(**words)) == expected


def test_differences_are_named_and_times_are_not():
    then = {
        "engine": "darkroom", "version": "1", "seed": 7, "milliseconds": 12, "device": "cpu",
        "versions": {"numpy": "2.0"}, "operations": [{"name": "snow", "milliseconds": 3}],
    }  # fmt: skip
    now = {**then, "milliseconds": 90, "operations": [{"name": "snow", "milliseconds": 77}]}
    assert differences(then, a_result(recipe=now)) == [{"what": "unknown", "then": "", "now": ""}]
    now |= {"device": "cuda", "versions": {"numpy": "2.1"}}
    told = {
        each["what"]: (each["then"], each["now"])
        for each in differences(then, a_result(recipe=now))
    }
    assert told == {"numpy": ("2.0", "2.1"), "device": ("cpu", "cuda")}
    assert differences(then, a_result(identical=True, recipe=now)) == []


def test_of_a_conversation_the_last_turn_counts():
    turns = [{"prompt": "snow"}, {"prompt": "at night", "seed": 7}]
    then = {"seed": 7, "prompt": "1. snow 2. at night", "turns": turns}
    now = {"seed": 7, "prompt": "at night"}
    assert differences(then, a_result(recipe=now)) == [{"what": "unknown", "then": "", "now": ""}]
    told = differences(then, a_result(recipe={**now, "prompt": "by day"}))
    assert told == [{"what": "prompt", "then": "at night", "now": "by day"}]


def test_weights_are_told_apart_file_by_file():
    """However many files there are, and however long their names."""
    files = {f"transformer/model-{n:05}-of-00040.safetensors": f"{n:016x}" for n in range(40)}
    last = "transformer/model-00039-of-00040.safetensors"
    then = {"weights": "klein", "parts": {"model": {"model": "klein", "files": files}}}
    now = {
        "weights": "klein",
        "parts": {"model": {"model": "klein", "files": {**files, last: "f" * 16}}},
    }
    told = differences(then, a_result(recipe=now))
    assert told == [{"what": f"weights {last}", "then": f"{39:016x}", "now": "f" * 16}]


def test_adapters_are_told_by_name_and_scale():
    paint = {"model": "owner/paint", "revision": "0123456789abcdef" * 2, "scale": 0.5}
    then = {"parts": {"model": {"model": "klein"}, "paint": paint}}
    now = {"parts": {"model": {"model": "klein"}, "paint": {**paint, "scale": 0.8}}}
    told = {each["what"]: each for each in differences(then, a_result(recipe=now))}
    assert told["weights paint scale"] == {
        "what": "weights paint scale", "then": "0.5", "now": "0.8",
    }  # fmt: skip
    gone = {each["what"]: each["now"] for each in differences(then, a_result(recipe={"parts": {}}))}
    assert gone["weights paint"] == ""


def test_the_preset_as_a_whole_is_told_only_where_nothing_else_differs():
    then, now = {"preset_digest": "a", "steps": 4}, {"preset_digest": "b", "steps": 4}
    assert [each["what"] for each in differences(then, a_result(recipe=now))] == ["preset_digest"]
    told = differences(then, a_result(recipe={**now, "steps": 8}))
    assert [each["what"] for each in told] == ["steps"]


def test_long_values_are_told_from_where_they_part():
    long = "rain " * 100
    [told] = apart({"prompt": long + "by day"}, {"prompt": long + "at night"})
    assert told["then"].startswith("…") and told["then"].endswith("by day")
    assert told["now"].endswith("at night")
    assert len(told["then"]) <= 121


def test_what_came_and_what_went_is_told():
    assert apart({"a": "1"}, {"b": "2"}) == [
        {"what": "a", "then": "1", "now": ""},
        {"what": "b", "then": "", "now": "2"},
    ]
