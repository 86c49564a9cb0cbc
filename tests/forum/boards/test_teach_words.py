"""Words that a community teaches the darkroom."""

import pytest
from django.core.exceptions import PermissionDenied

from forum.boards import words
from forum.boards.models import Board, Membership, Word
from generation import queue

pytestmark = pytest.mark.django_db
KITCHEN = {"term": "Grandma's  kitchen", "means": "sepia, slightly old photograph"}


@pytest.fixture
def moss(rivers, wen):
    """Moderates rivers, and nothing else."""
    Membership.objects.create(board=rivers, member=wen, role="moderator")
    return wen


def read(board, prompt):
    return queue.plan(prompt, "darkroom", words=words.heard_on(board)).operations


def test_a_word_is_understood_on_its_board_alone(rivers, lin, moss):
    words.teach(board=rivers, by=moss, **KITCHEN)
    elsewhere = Board.objects.create(slug="hills", title="Hills", made_by=lin)
    asked = "as in grandma's kitchen, at night"
    assert [name for name, _ in read(rivers, asked)] == ["sepia", "night", "old_photograph"]
    assert dict(read(rivers, asked))["old_photograph"] == {"intensity": 0.5}
    assert [name for name, _ in read(elsewhere, asked)] == ["night"]


def test_a_negation_reaches_a_taught_word(rivers, moss):
    words.teach(board=rivers, by=moss, **KITCHEN)
    assert read(rivers, "no grandma's kitchen, just snow") == (("snow", {}),)


def test_chinese_words_are_taught(rivers, moss):
    words.teach(board=rivers, by=moss, term="外婆的厨房", means="棕褐色，天空染成青色")
    assert read(rivers, "外婆的厨房，下雪") == (
        ("sepia", {}),
        ("tint", {"colour": "#29b6d1", "region": "sky"}),
        ("snow", {}),
    )


def test_a_boards_own_word_goes_before_the_houses(rivers, owner, moss):
    words.teach(board=None, by=owner, term="blue monday", means="cyanotype")
    assert read(rivers, "blue monday") == (("cyanotype", {}),)
    words.teach(board=rivers, by=moss, term="blue monday", means="rain")
    assert read(rivers, "blue monday") == (("rain", {}),)


def test_a_word_may_mean_something_else_than_the_shipped_one(rivers, moss):
    assert words.conflict("Snow") == "Snow"
    words.teach(board=rivers, by=moss, term="snow", means="glitch")
    assert read(rivers, "snow") == (("glitch", {}),)
    assert words.conflict("grandma's kitchen") == ""


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"term": "not"}, "term"),
        ({"term": "red"}, "term"),
        ({"term": "background"}, "term"),
        ({"term": "ab"}, "term"),
        ({"term": "雪"}, "term"),
        ({"term": "!!!"}, "term"),
        ({"term": "a b c d e f g h i j k l"}, "term"),
        ({"term": "x" * 61}, "term"),
        ({"means": "a dragon"}, "means"),
        ({"means": "sepia with a dragon"}, "means"),
        ({"means": "no snow"}, "means"),
        ({"means": ""}, "means"),
        ({"means": "sepia, night, snow, rain, comic"}, "means"),
    ],
)
def test_what_cannot_be_taught_is_refused(rivers, moss, change, field):
    with pytest.raises(words.Refused) as refusal:
        words.teach(board=rivers, by=moss, **{**KITCHEN, **change})
    assert refusal.value.field == field and str(refusal.value.sentence)
    assert not Word.objects.exists()


def test_a_word_is_taught_once(rivers, moss, owner):
    words.teach(board=rivers, by=moss, **KITCHEN)
    with pytest.raises(words.Refused):
        words.teach(board=rivers, by=moss, **{**KITCHEN, "term": "GRANDMA'S KITCHEN"})
    words.teach(board=None, by=owner, **KITCHEN)
    with pytest.raises(words.Refused):
        words.teach(board=None, by=owner, **KITCHEN)
    assert Word.objects.count() == 2


def test_a_board_holds_so_many(rivers, moss, monkeypatch):
    monkeypatch.setattr(words, "MOST_WORDS", 1)
    words.teach(board=rivers, by=moss, **KITCHEN)
    with pytest.raises(words.Refused):
        words.teach(board=rivers, by=moss, term="another one", means="snow")


def test_who_may_teach(rivers, moss, lin, owner):
    for board, by in ((rivers, lin), (None, moss), (None, lin)):
        with pytest.raises(PermissionDenied):
            words.teach(board=board, by=by, **KITCHEN)
    word = words.teach(board=rivers, by=owner, **KITCHEN)
    with pytest.raises(PermissionDenied):
        words.change(word=word, by=lin, **KITCHEN)
    with pytest.raises(PermissionDenied):
        words.forget(word=word, by=lin)


def test_a_change_says_who_changed_it(rivers, moss, owner):
    word = words.teach(board=rivers, by=moss, **KITCHEN)
    words.change(word=word, by=owner, term="kitchen of hers", means="rain")
    word.refresh_from_db()
    assert (word.made_by, word.changed_by) == (moss, owner) and word.changed_at
    assert word.steps == [{"name": "rain", "settings": {}}]
    words.forget(word=word, by=moss)
    assert read(rivers, "kitchen of hers") == ()


def test_words_are_heard_in_one_query(rivers, owner, django_assert_num_queries):
    for number in range(20):
        words.teach(board=rivers, by=owner, term=f"word number {number}", means="snow")
    with django_assert_num_queries(1):
        assert len(words.heard_on(rivers)) == 20


# --- pages ------------------------------------------------------------------------------------


def test_a_moderator_teaches_changes_and_forgets_on_pages(browse, rivers, moss):
    client = browse(moss)
    page = client.get("/boards/rivers/words/")
    assert page.status_code == 200 and b"words/" in page.content
    assert client.post("/boards/rivers/words/", KITCHEN).status_code == 302
    word = Word.objects.get()
    assert word.made_by == moss and word.term == "Grandma's kitchen"
    shown = client.get("/boards/rivers/words/").content.decode()
    assert "Grandma&#x27;s kitchen" in shown and "sepia, slightly old photograph" in shown
    path = f"/boards/rivers/words/{word.pk}/"
    assert "sepia" in client.get(path).content.decode()
    assert client.post(path, {"term": "blue hill", "means": "snow"}).status_code == 302
    assert Word.objects.get().steps == [{"name": "snow", "settings": {}}]
    assert client.post(f"{path}delete/").status_code == 302
    assert not Word.objects.exists()


def test_what_is_amiss_stands_beside_its_field(browse, rivers, owner):
    answer = browse(owner).post("/boards/rivers/words/", {"term": "blue hill", "means": "a dragon"})
    page = answer.content.decode()
    assert (
        answer.status_code == 422
        and "does not know: dragon" in page
        and 'value="blue hill"' in page
    )


def test_a_conflict_is_told(browse, rivers, owner):
    client = browse(owner)
    answer = client.post("/boards/rivers/words/", {"term": "snow", "means": "rain"}, follow=True)
    assert "meant: Snow" in answer.content.decode()


def test_a_prompt_is_tried(browse, rivers, owner):
    words.teach(board=rivers, by=owner, **KITCHEN)
    page = browse(owner).get("/boards/rivers/words/?attempt=grandma's kitchen with a dragon")
    text = page.content.decode()
    assert "Sepia" in text and "dragon" in text


def test_the_owner_teaches_the_house(browse, owner, rivers, lin):
    client = browse(owner)
    assert client.post("/words/", KITCHEN).status_code == 302
    word = Word.objects.get()
    assert word.board is None
    assert client.get(f"/words/{word.pk}/").status_code == 200
    assert client.get("/words/?attempt=grandma's kitchen").status_code == 200
    assert browse(lin).get("/words/").status_code == 403
    # A board's moderators reach its words alone.
    assert client.get(f"/boards/rivers/words/{word.pk}/").status_code == 404
    assert client.post(f"/words/{word.pk}/delete/").status_code == 302


def test_a_new_word_is_tried_at_once(browse, rivers, owner):
    page = browse(owner).post("/boards/rivers/words/", KITCHEN, follow=True)
    assert page.redirect_chain[0][0].endswith("?attempt=Grandma%27s+kitchen#try")
    assert list(page.context["tried"].read) == ["Sepia", "Old photograph"]


def test_what_a_word_does_stands_beside_it_in_the_readers_language(browse, rivers, owner):
    words.teach(board=rivers, by=owner, term="wash day", means="fog, the sky in teal")
    client = browse(owner)
    ((word, does),) = client.get("/boards/rivers/words/").context["words"]
    assert (word.term, does) == ("wash day", ["Tint (sky)", "Fog"])
    page = client.get("/boards/rivers/words/", headers={"accept-language": "zh-hans"})
    assert page.context["words"][0][1][1] == "雾"


def test_forgetting_is_taken_back_by_the_form_it_fills(browse, rivers, owner):
    word = words.teach(board=rivers, by=owner, **KITCHEN)
    client = browse(owner)
    page = client.post(f"/boards/rivers/words/{word.pk}/delete/", follow=True)
    assert not Word.objects.exists() and "takes it back" in page.content.decode()
    filled = {name: page.context["form"][name].value() for name in ("term", "means")}
    client.post("/boards/rivers/words/", filled)
    again = Word.objects.get()
    assert (again.term, again.means, again.steps) == (word.term, word.means, word.steps)


@pytest.mark.parametrize("term", ["snowman", "夜猫子", "good night"])
def test_words_that_are_only_kept_from_being_misread_can_be_taught(rivers, moss, term):
    words.teach(board=rivers, by=moss, term=term, means="snow, night")
    assert [name for name, _ in read(rivers, term)] == ["night", "snow"]
    assert words.conflict(term) == ""


def test_a_word_is_heard_in_simplified_and_traditional_characters(rivers, moss):
    words.teach(board=rivers, by=moss, term="外婆的厨房", means="棕褐色")
    assert read(rivers, "外婆的廚房") == (("sepia", {}),)
