"""How prompts turn: kept, denied behind its word, corrected, weighed at the end; odd writing."""

import tomllib

import pytest

from generation.engines.darkroom.table import program
from generation.prompts import lexicon as words
from generation.prompts import planning
from tests.generation import asked


def read(prompt):
    """What is read, as "snow*0.5@left"."""
    return {
        name
        + (f"*{settings['intensity']:g}" if "intensity" in settings else "")
        + (f"@{settings['region']}" if "region" in settings else "")
        for name, settings in planning.plan(prompt, "darkroom").operations
    }


@pytest.mark.parametrize("language", asked.LANGUAGES)
@pytest.mark.parametrize("prompts", ["members", "fresh"])
def test_prompts_that_were_learned_from_stay_learned(prompts, language):
    rows = asked.asked(f"prompts-{prompts}-{language}.tsv")
    score = asked.score(rows, lambda prompt: planning.plan(prompt, "darkroom").operations)
    assert score.prompts >= 60 and score.precision >= 0.97 and score.recall >= 0.9


@pytest.mark.parametrize("language", asked.LANGUAGES)
def test_unseen_prompts_are_read_precisely(language):
    rows = asked.asked(f"prompts-unseen-{language}.tsv")
    score = asked.score(rows, lambda prompt: planning.plan(prompt, "darkroom").operations)
    assert score.prompts >= 60 and score.precision >= 0.97 and score.recall >= 0.70


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("keep the fog but make it night", {"night"}),
        ("add grain, keep the fog", {"old_photograph"}),
        ("雾留着，改成夜里", {"night"}),
        ("木炭画，但对比别丢", {"charcoal"}),
        ("把雾去掉，换成雪", {"snow"}),
        ("雨去掉就行", set()),
        ("雪不要，雨要大", {"rain*1.3"}),
        ("下雪，左半边不要", {"snow@right"}),
        ("全部黑白，人物除外", {"black_and_white@background"}),
        ("用雨代替雾", {"rain"}),
    ],
)
def test_what_is_there_already_is_not_made(prompt, expected):
    assert read(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("a mosaic, no, rather stained glass", {"stained_glass"}),
        ("snow, no wait, rain", {"rain"}),
        ("马赛克，不，还是彩色玻璃吧", {"stained_glass"}),
        ("no, rather", set()),
    ],
)
def test_a_correction_takes_back_what_was_said_before(prompt, expected):
    assert read(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("darker, but not too dark", {"darken*0.5"}),
        ("darker, but not too much", {"darken*0.5"}),
        ("暗一点，但别太暗", {"darken*0.5"}),
        ("not too dark", set()),
        ("blur everything behind the people a little", {"dreamy*0.5@background"}),
        ("the sky slightly red", {"tint*0.5@sky"}),
        ("天空非常红", {"tint*1.3@sky"}),
        ("背景非常暗", {"darken*1.3@background"}),
        ("非常非常暗", {"darken*1.6"}),
        ("雪只要一点点", {"snow*0.5"}),
        ("雾小一点", {"fog*0.5"}),
        ("reduce the fog", set()),
        ("对比度降低", set()),
        ("low contrast", set()),
        ("夕阳下的大象", {"golden_hour"}),
    ],
)
def test_how_much(prompt, expected):
    assert read(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("make the sky blue", {"tint@sky"}),
        ("everything in black and white except the person", {"black_and_white@background"}),
        ("make it black and white", {"black_and_white"}),
        ("black-and-white, high-contrast", {"black_and_white", "contrast"}),
        ("背景弄成红白机那样", {"pixel_art@background"}),
        ("变成黑夜", {"night"}),
        ("everything grey", {"black_and_white"}),
        ("红黑双色", {"duotone"}),
        ("左冬右秋", {"snow@left", "autumn@right"}),
        ("上：夜晚，下：白天", {"night@top", "brighten@bottom"}),
        ("the sun is setting behind them", {"golden_hour"}),
        ("他们身后太阳正在落山", {"golden_hour"}),
        ("extend to the left", {"extend"}),
        ("as if taken in 1860", {"old_photograph"}),
        ("as if taken in 2014", set()),
    ],
)
def test_colours_places_and_years(prompt, expected):
    assert read(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("snowwww", {"snow"}),
        ("sooo foggyyy", {"fog"}),
        ("blakc and white", {"black_and_white"}),
        ("a watercolor in gray scale", {"watercolour", "black_and_white"}),
        ("solarized", {"solarise"}),
        ("ｓｎｏｗ", {"snow"}),
        ("❄️❄️❄️", {"snow"}),
        ("🌙 🌧️", {"night", "rain"}),
        ("🐉🔥", set()),
        ("make it 水墨 style", {"ink_wash"}),
        ("snow" + "\N{ZERO WIDTH SPACE}" + ", night", {"snow", "night"}),
        ("²", set()),
        ("rotate ²", {"rotate"}),
        ("?!…", set()),
    ],
)
def test_odd_writing(prompt, expected):
    assert read(prompt) == expected


def test_digits_of_full_width_are_numbers():
    assert planning.plan("向右转４５度", "darkroom").operations == (("rotate", {"degrees": 45.0}),)


@pytest.mark.parametrize(
    "prompt", ["負片", "變成夜晚，下著大雪", "把左邊變成鉛筆畫", "有點霧的早晨", "請將天空變暗"]
)
def test_traditional_characters_are_read(prompt):
    simplified = prompt.translate(words.lexicon().characters)
    assert simplified != prompt and read(prompt) == read(simplified) != set()


def test_no_term_holds_a_character_that_is_read_as_another():
    file = tomllib.loads(words.FILE.read_text("utf-8"))
    pairs = file.pop("characters")["pairs"].split()
    used = set(str(file)) - set("‘’")
    assert len(pairs) == len({pair[0] for pair in pairs}) > 1500
    assert all(len(pair) == 2 and pair[0] not in used for pair in pairs)


@pytest.mark.parametrize(
    "prompt",
    [
        "colourise this old photo",
        "给黑白照片上色",
        "像素太低了",
        "good night",
        "一本漫画书",
        "雪碧",
        "夜猫子",
    ],
)
def test_what_only_looks_like_something_to_do_is_named(prompt):
    plan = planning.plan(prompt, "darkroom")
    assert plan.operations == () and plan.unknown


def test_unknown_words_that_touch_are_one():
    assert planning.plan("like the 70s", "darkroom").unknown == ("70s",)
    assert planning.plan("龙dragon", "darkroom").unknown == ("龙", "dragon")


def test_markup_in_a_prompt_is_only_words():
    plan = planning.plan("<script>alert(1)</script> snow", "darkroom")
    assert plan.operations == (("snow", {}),) and "script" in plan.unknown


@pytest.mark.parametrize("name", sorted(program()))
def test_every_operation_is_called_by_its_title(name):
    for language, title in program()[name].titles.items():
        slightly = "稍微" if language == "zh-hans" else "slightly "
        for prompt in (title, slightly + title):
            plan = planning.plan(prompt, "darkroom", language)
            assert ([each for each, _ in plan.operations], plan.unknown) == ([name], ())
