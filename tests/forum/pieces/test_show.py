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


def test_pictures_come_from_the_samples() -> None:
    addresses = re.findall(r'src="(/-/pieces/[^"]+)"', page())
    assert addresses
    answer = Client().get(addresses[0].replace("&amp;", "&"))
    assert answer.status_code == 302
    assert answer["Location"].endswith(".svg")


def test_ids_stand_once() -> None:
    found = Ids(page()).found
    assert sorted(set(found)) == sorted(found)


def test_it_speaks_chinese_too() -> None:
    assert '<html lang="zh-hans"' in page("zh-hans")


@pytest.mark.urls("forum.urls")
def test_the_product_does_not_serve_it() -> None:
    assert Client().get("/-/pieces/").status_code == 404
