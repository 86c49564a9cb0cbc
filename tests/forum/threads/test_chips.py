"""Chips: what was read, changed by hand, and sent exactly as it stands."""

import html
import json
import re

import pytest
from django.urls import reverse

from forum.boards import words
from forum.threads import chips
from forum.threads.models import Reply
from generation import queue
from generation.requests import Operation
from tests.factories import a_thread, ask, come_out

pytestmark = pytest.mark.django_db


def fields(page: str) -> dict[str, list[str]]:
    """The chips' fields of a page or fragment, as a browser would send them."""
    found: dict[str, list[str]] = {"chip": [], "chip_much": [], "chip_where": [], "chip_stamp": []}
    for kind, name, rest in re.findall(
        r'<(input|select)[^>]*name="(chip|chip_much|chip_where|chip_stamp)"(.*?)(?=<(?:input|select|q|span|button|ol|p)\b|</select>)',
        page,
        re.S,
    ):
        if kind == "input":
            value = re.search(r'value="([^"]*)"', rest)
        else:
            value = re.search(r'<option value="([^"]*)" selected', rest)
        found[name].append(html.unescape(value[1]) if value else default(rest))
    return found


def default(select: str) -> str:
    first = re.search(r'<option value="([^"]*)"', select)
    return first[1] if first else ""


def plan(client, image, prompt, **more):
    answer = client.get(reverse("plan", args=[image.pk]), {"prompt": prompt, **more})
    assert answer.status_code == 200
    return answer.content.decode()


def names(page):
    return [json.loads(each)["n"] for each in fields(page)["chip"]]


def send(client, image, prompt, **more):
    words = {"prompt": prompt, "key": "k", **more}
    return client.post(reverse("answer", args=[image.pk]), words)


def sent_operations():
    reply = Reply.objects.get()
    return queue.request(reply.job).read_as


def test_what_was_read_stands_as_chips(browse, hill, ada):
    page = plan(browse(ada), hill.first_image, "a dragon in the snow at night")
    assert names(page) == ["night", "snow"]
    assert "I read:" in page and "I do not know:" in page and "dragon" in page


def test_what_is_sent_is_what_the_chips_say(browse, hill, ada):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow at night"))
    form["chip_much"] = ["weak", "strong"]
    form["chip_where"] = ["", "left"]
    assert send(client, hill.first_image, "snow at night", **form).status_code == 302
    assert sent_operations() == (
        Operation("night", {"intensity": 0.5}),
        Operation("snow", {"intensity": 1.5, "region": "left"}),
    )


def test_the_engine_does_what_the_chips_say(browse, hill, ada, studio):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "black and white"))
    form["chip_where"] = ["left"]
    send(client, hill.first_image, "black and white", **form)
    studio.work()
    recipe = Reply.objects.get().image.recipe
    [step] = recipe["operations"]
    assert step["name"] == "black_and_white" and step["settings"]["region"] == "left"


def test_without_chips_the_prompt_is_sent_as_it_is_read(browse, hill, ada):
    send(browse(ada), hill.first_image, "slightly snowy, the sky at night")
    assert sent_operations() == (Operation("night"), Operation("snow", {"intensity": 0.5}))


@pytest.mark.parametrize(
    ("deed", "left"),
    [
        ("off:0", ["snow", "pencil"]),
        ("off:1", ["night", "pencil"]),
        ("down:0", ["snow", "night", "pencil"]),
        ("up:2", ["night", "pencil", "snow"]),
        ("up:0", ["night", "snow", "pencil"]),
        ("up:9", ["night", "snow", "pencil"]),
        ("nonsense", ["night", "snow", "pencil"]),
        ("off:-1", ["night", "snow", "pencil"]),
    ],
)
def test_a_chip_is_taken_away_or_moved(browse, hill, ada, deed, left):
    client = browse(ada)
    prompt = "a pencil drawing of snow at night"
    form = fields(plan(client, hill.first_image, prompt))
    page = plan(client, hill.first_image, prompt, **form, chip_do=deed)
    send(client, hill.first_image, prompt, **fields(page))
    assert [each.name for each in sent_operations()] == left


def test_what_was_taken_away_can_be_put_back(browse, hill, ada):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow at night"))
    page = plan(client, hill.first_image, "snow at night", **form, chip_do="off:1")
    assert "put back" in page
    page = plan(client, hill.first_image, "snow at night", **fields(page), chip_do="on:1")
    send(client, hill.first_image, "snow at night", **fields(page))
    assert [each.name for each in sent_operations()] == ["night", "snow"]


def test_buttons_work_without_scripts(browse, hill, ada):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow at night"))
    answer = send(client, hill.first_image, "snow at night", **form, chip_do="off:0")
    page = answer.content.decode()
    assert answer.status_code == 200 and not Reply.objects.exists()
    assert "snow at night</textarea>" in page and names(page) == ["night", "snow"]
    send(client, hill.first_image, "snow at night", **fields(page))
    assert [each.name for each in sent_operations()] == ["snow"]


def test_a_prompt_is_read_without_scripts(browse, hill, ada):
    page = send(browse(ada), hill.first_image, "snow", chip_do="read").content.decode()
    assert names(page) == ["snow"] and not Reply.objects.exists()


def test_more_is_added(browse, hill, ada):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow"))
    page = plan(client, hill.first_image, "snow", **form, chip_do="add", chip_new="glitch")
    assert names(page) == ["snow", "glitch"]
    page = plan(client, hill.first_image, "snow", **fields(page), chip_do="add", chip_new="magic")
    assert names(page) == ["snow", "glitch"]


def test_at_most_so_many_chips(browse, hill, ada):
    client = browse(ada)
    page = plan(client, hill.first_image, "snow")
    for _ in range(12):
        form = fields(page)
        page = plan(client, hill.first_image, "snow", **form, chip_do="add", chip_new="rain")
    assert len(names(page)) == chips.MOST_CHIPS


def test_chips_alone_say_enough(browse, hill, ada):
    client = browse(ada)
    page = plan(client, hill.first_image, "", chip_do="surprise:7")
    assert names(page) == [each.name for each in queue.surprise(7)]
    assert names(page) == names(plan(client, hill.first_image, "", chip_do="surprise:7"))
    assert send(client, hill.first_image, "", **fields(page)).status_code == 302
    titles = queue.titles()
    reply = Reply.objects.get()
    assert reply.prompt == ", ".join(titles[each.name] for each in queue.surprise(7))


def test_typing_on_keeps_what_was_changed(browse, hill, ada):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow at night"))
    form["chip_where"] = ["", "left"]
    page = plan(client, hill.first_image, "snow at night, foggy", **form)
    assert names(page) == ["night", "snow", "fog"]
    assert fields(page)["chip_where"] == ["", "left", ""]
    page = plan(client, hill.first_image, "snow", **fields(page))
    assert names(page) == ["snow"] and fields(page)["chip_where"] == ["left"]


def test_typing_on_weighs_anew_what_was_not_changed(browse, hill, ada):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow"))
    page = plan(client, hill.first_image, "slightly snowy", **form)
    assert fields(page)["chip_much"] == ["weak"]


def test_one_operation_in_two_places(browse, hill, ada):
    client = browse(ada)
    prompt = "rain on the left and rain on the right"
    form = fields(plan(client, hill.first_image, prompt))
    assert form["chip_where"] == ["left", "right"]
    form["chip_much"] = ["normal", "weak"]
    page = plan(client, hill.first_image, prompt + ", please", **form)
    assert fields(page)["chip_much"] == ["normal", "weak"]


def test_all_taken_away_is_nothing_to_do(browse, hill, ada):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow"))
    page = plan(client, hill.first_image, "snow", **form, chip_do="off:0")
    answer = send(client, hill.first_image, "snow", **fields(page))
    assert answer.status_code == 422 and "Put one back" in answer.content.decode()


@pytest.mark.parametrize(
    "damage",
    [
        {"chip": ["{"]},
        {"chip": ["[]"]},
        {"chip": ['{"n": "magic"}']},
        {"chip": ['{"n": "snow", "s": {"x": 1}}']},
        {"chip": ['{"n": "snow", "i": "much"}']},
        {"chip": ['{"n": "snow", "i": NaN}']},
        {"chip_where": ["nowhere"]},
        {"chip_where": []},
        {"chip": ["[" * 900]},
    ],
)
def test_damaged_chips_are_refused(browse, hill, ada, damage):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow")) | damage
    assert names(plan(client, hill.first_image, "snow", **form)) == ["snow"]
    answer = send(client, hill.first_image, "snow", **form)
    assert answer.status_code == 422 and "read anew" in answer.content.decode()
    assert not Reply.objects.exists()


def test_a_stale_form_is_read_anew(browse, hill, ada):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow"))
    send(client, hill.first_image, "rain and fog", **form)
    assert [each.name for each in sent_operations()] == ["rain", "fog"]


def test_a_boards_own_words_are_read_and_sent(browse, hill, ada, owner):
    words.teach(board=hill.board, by=owner, term="wash day", means="fog, slightly sepia")
    client = browse(ada)
    page = plan(client, hill.first_image, "like on wash day")
    assert names(page) == ["sepia", "fog"] and "wash day" in page
    send(client, hill.first_image, "like on wash day")
    assert sent_operations() == (Operation("sepia", {"intensity": 0.5}), Operation("fog"))
    assert queue.request(Reply.objects.get().job).unread == ()


def test_the_recipe_does_not_call_a_taught_word_unknown(browse, hill, ada, owner, studio):
    words.teach(board=hill.board, by=owner, term="wash day", means="fog")
    send(browse(ada), hill.first_image, "a dragon on wash day")
    studio.work()
    recipe = Reply.objects.get().image.recipe
    assert [each["name"] for each in recipe["operations"]] == ["fog"]
    assert recipe["unread"] == ["dragon"]


def test_a_boards_own_words_are_offered(browse, hill, ada, owner):
    words.teach(board=hill.board, by=owner, term="wash day", means="fog")
    assert 'value="wash day"' in plan(browse(ada), hill.first_image, "qwertz")


def test_a_plan_asks_few_questions(browse, hill, ada, django_assert_max_num_queries):
    client = browse(ada)
    with django_assert_max_num_queries(7):
        plan(client, hill.first_image, "snow at night")


# --- a second picture ---------------------------------------------------------------------------


def test_a_second_picture_is_asked_for(browse, hill, river, ada):
    client = browse(ada)
    prompt = "with the colours of the other picture"
    page = plan(client, hill.first_image, prompt)
    assert names(page) == ["colours"] and 'name="second"' in page
    answer = send(client, hill.first_image, prompt)
    assert answer.status_code == 422 and "take after" in answer.content.decode()
    answer = send(client, hill.first_image, prompt, second="nonsense")
    assert answer.status_code == 422 and "no address" in answer.content.decode()
    answer = send(client, hill.first_image, prompt, second="999999")
    assert answer.status_code == 422 and "no such image" in answer.content.decode()
    assert not Reply.objects.exists()


def test_a_second_picture_is_sent(browse, hill, ada):
    other = a_thread(hill.board, ada).first_image
    prompt = "with the colours of the other picture"
    answer = send(browse(ada), hill.first_image, prompt, second=f"/images/{other.pk}/")
    assert answer.status_code == 302
    reply = Reply.objects.get()
    assert [each.pk for each in reply.further_sources.all()] == [other.pk]
    assert len(queue.request(reply.job).sources) == 2


# --- edit and run again -------------------------------------------------------------------------


def draft(client, image, reply):
    answer = client.get(f"/images/{image.pk}/?draft={reply.pk}")
    assert answer.status_code == 200
    return answer.content.decode()


def test_whoever_may_answer_edits_and_runs_again(browse, hill, ada, lin):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "snow at night"))
    form["chip_where"] = ["", "left"]
    send(client, hill.first_image, "snow at night", seed="77", **form)
    page = draft(browse(lin), hill.first_image, Reply.objects.get())
    assert "snow at night</textarea>" in page and 'value="77"' in page
    assert names(page) == ["night", "snow"] and fields(page)["chip_where"] == ["", "left"]
    send(browse(lin), hill.first_image, "snow at night", **fields(page) | {"key": "other"})
    again = Reply.objects.latest("pk")
    assert queue.request(again.job).read_as[1] == Operation("snow", {"region": "left"})


def test_a_derivatives_recipe_is_edited(browse, hill, ada, lin):
    reply = ask(ada, hill.first_image, prompt="slightly snowy", key="r")
    come_out(reply.job)
    reply.refresh_from_db()
    page = draft(browse(lin), hill.first_image, reply)
    assert "slightly snowy</textarea>" in page


def test_the_page_of_a_derivative_leads_to_its_recipe(browse, hill, ada, lin, studio):
    client = browse(ada)
    form = fields(plan(client, hill.first_image, "sepia"))
    send(client, hill.first_image, "sepia", **form | {"chip_where": ["top"]})
    studio.work()
    made = Reply.objects.get().image
    address = f"/images/{hill.first_image_id}/?recipe={made.pk}&seed=same"
    page = browse(lin).get(f"/images/{made.pk}/").content.decode()
    assert html.escape(address) in page
    page = browse(lin).get(address).content.decode()
    assert names(page) == ["sepia"] and fields(page)["chip_where"] == ["top"]
    assert f'value="{made.recipe["seed"]}"' in page


def test_nobody_edits_what_they_may_not_see(browse, river, hill, ada, lin, wen):
    reply = ask(lin, river.first_image, prompt="secret snow", key="r")
    page = draft(browse(wen), hill.first_image, reply)
    assert "secret snow" not in page
    assert "snow" not in names(page)


@pytest.mark.parametrize("number", ["", "x", "-1", "9" * 30, "999999"])
def test_an_odd_draft_breaks_nothing(browse, hill, ada, number):
    assert browse(ada).get(f"/images/{hill.first_image_id}/?draft={number}").status_code == 200


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("no snow", "read only what you do not want"),
        ("flip the background", "changes the frame of the whole picture"),
        ("glitch her face", "no rule here can find"),
        ("a dragon", "reads none of these words"),
    ],
)
def test_it_says_why_nothing_will_be_done(browse, hill, ada, prompt, sentence):
    page = browse(ada).get(f"/images/{hill.first_image_id}/plan/", {"prompt": prompt})
    assert sentence in page.content.decode() and b'class="row chips"' in page.content


def test_an_empty_prompt_is_no_fault(browse, hill, ada):
    page = browse(ada).get(f"/images/{hill.first_image_id}/plan/", {"prompt": ""})
    assert page.status_code == 200 and "none of these words" not in page.content.decode()
