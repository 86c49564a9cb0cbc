"""The page of pieces draws every fragment from plain data: no query, no file, in both languages."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client

from forum.pieces import samples

pytestmark = pytest.mark.urls("forum.pieces.addresses")


class Ids(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attributes if name == "id" and value]


def page(language: str = "en") -> str:
    answer = Client(headers={"accept-language": language}).get("/-/pieces/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_state_of_a_reply_is_there() -> None:
    text = page()
    for card in samples.cards().values():
        if card.reply.prompt:
            assert card.reply.prompt in text
    for state in ("forming", "failed", "stopped"):
        assert re.search(rf'<li [^>]*class="[^"]*\b{state}\b', text), state


def test_takes_stand_in_every_state() -> None:
    text = page()
    for said in ("impossible now: no machine", "it waits", "step 9 of 28", "you are here",
                 "did not come out", "2 before it", "next, "):  # fmt: skip
        assert said in " ".join(text.split()), said


def test_beginnings_and_films_stand_in_every_state() -> None:
    text = " ".join(page().split())
    for said in ("a hill under stars", "星空下的山丘", "step 2 of 4", "Open the image",
                 "It is no longer here.", "frame 12 of 40", "<video controls", "0.9 MB"):  # fmt: skip
        assert said in text, said


def test_costs_are_said_in_every_state() -> None:
    text = page()
    for said in ("It would be next", "2 before you", "takes 4 of the 9 left", "about 7 min",
                 "Only 3 are left to you", "Nothing is left to you", "No machine is at work",
                 "Impossible now", "not for money"):  # fmt: skip
        assert said in text, said


def test_the_operators_page_is_drawn() -> None:
    text = page()
    for said in ("NVIDIA H100", "20 / 80 GB", "3.88", "takes nothing more", "out_of_memory 2",
                 "paused", "no machine", "No worker has been heard of", "Nothing failed."):  # fmt: skip
        assert said in text, said


def test_null_answers_are_drawn_and_fetch_nothing() -> None:
    text = page()
    for said in ("39 % of the way", "improbable for the program", "hardly left its source",
                 "3 of 8", "Too few came out", "nothing to compare"):  # fmt: skip
        assert said in text, said
    assert "load delay:2s" not in text


def test_pictures_come_from_the_samples() -> None:
    addresses = re.findall(r'src="([^"]+)"', page().partition("<main")[2])
    kinds = {re.sub(r"\d+", "", each.partition("?")[0]): each for each in addresses}
    assert {"/-/pieces/begin//frame", "/-/pieces/films//file"} <= set(kinds)
    for each in kinds.values():
        if not each.startswith("/static/"):
            answer = Client().get(each.replace("&amp;", "&"))
            assert (answer.status_code, answer["Location"][-4:]) == (302, ".svg"), each


def test_ids_stand_once() -> None:
    found = Ids(page()).found
    assert sorted(set(found)) == sorted(found)


def test_it_speaks_chinese_too() -> None:
    assert '<html lang="zh-hans"' in page("zh-hans")


@pytest.mark.urls("forum.urls")
def test_the_product_does_not_serve_it() -> None:
    assert Client().get("/-/pieces/").status_code == 404
