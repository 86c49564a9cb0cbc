"""Markup that is rendered once for all keeps each visitor's own in its place."""

import re

import pytest

from forum.templatetags.dialogue import remembered
from tests.factories import a_thread

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="(\w{64})"')
KEY = re.compile(r'name="key" value="([^"]+)"')


def composer_of(page: str) -> str:
    """The composer's part of a page."""
    return page[page.index('<form class="composer"') : page.index('<section id="answers"')]


def test_each_has_their_own_token_and_key(browse, plaza, lin, ada):
    address = a_thread(plaza, lin).first_image.get_absolute_url()
    seen = [browse(who).get(address).content.decode() for who in (lin, ada, lin, ada)]
    tokens = [set(TOKEN.findall(page)) for page in seen]
    assert all(len(each) == 1 for each in tokens), "one token on all of a page's forms"
    assert len(set.union(*tokens)) == 4
    assert len({KEY.search(composer_of(page))[1] for page in seen}) == 4
    assert not any("\0" in page for page in seen)


def test_the_token_of_remembered_markup_is_good(browse, plaza, lin, ada):
    """What a page says can be sent, also by whoever comes second."""
    image = a_thread(plaza, lin).first_image
    for who in (lin, ada):
        client = browse(who)
        client.handler.enforce_csrf_checks = True
        page = composer_of(client.get(image.get_absolute_url()).content.decode())
        said = {"prompt": "at night", "key": KEY.search(page)[1], "preset": "darkroom"}
        answer = client.post(
            f"/images/{image.pk}/answer/", {**said, "csrfmiddlewaretoken": TOKEN.search(page)[1]}
        )
        assert answer.status_code == 302


def test_the_bar_is_each_one_s(browse, plaza, lin, ada, moderator):
    address = a_thread(plaza, lin).first_image.get_absolute_url()
    for who in (lin, ada, moderator, None, lin):
        page = browse(who).get(f"{address}?before=7&x=<b>").content.decode()
        bar = page[page.index('<header class="bar">') : page.index("</header>")]
        assert (f"<summary>{who}</summary>" in bar) == (who is not None)
        assert ("Studio" in bar) == (who == moderator)
        assert f'name="next" value="{address}?before=7&amp;x=%3Cb%3E"' in bar
    lin.name = "Lin of the river"
    lin.save()
    assert "<summary>Lin of the river</summary>" in browse(lin).get(address).content.decode()


def test_what_was_said_stands_in_its_own_composer_only(browse, plaza, lin):
    address = a_thread(plaza, lin).first_image.get_absolute_url()
    for words in ("snow falls", "", "at dawn", ""):
        page = composer_of(browse(lin).get(address, {"say": words}).content.decode())
        assert f">{words}</textarea>" in page, words


def test_places_are_filled_in_order(tmp_path, settings):
    """The same words give the same markup with other pieces in it."""
    for one, two in (("piece-one", "piece-two"), ("piece-two", "piece-one")):
        words = {"viewer": None, "csrf_token": one, "site_name": two}
        markup = remembered(
            "_menu.html", ("places",), {**words, "viewer": Named(one, two)}, (one, two)
        )
        assert markup.index(one) >= 0
        assert two in markup


class Named:
    """A stand-in for whoever looks, with words that can be found again."""

    pk, is_moderator = 1, False

    def __init__(self, name: str, username: str) -> None:
        self.name, self.username = name, username

    def __str__(self) -> str:
        return self.name
