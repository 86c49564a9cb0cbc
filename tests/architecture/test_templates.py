"""What the strict policy, people who listen, and the size of a fragment ask of every template."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.template.base import Lexer, TokenType

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
NAMES = [str(path.relative_to(ROOT / "templates")) for path in TEMPLATES]
LONGEST_FRAGMENT = 70


class Tags(HTMLParser):
    """Every start tag with its attributes; template tags count as text or as names."""

    def __init__(self, source: str, gap: str = "") -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(without_template_tags(source, gap))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attributes)))


def without_template_tags(source: str, gap: str) -> str:
    """The HTML alone: a variable leaves a 0, a tag leaves `gap`, a comment nothing."""
    left = {TokenType.VAR: "0", TokenType.BLOCK: gap, TokenType.COMMENT: ""}
    return "".join(left.get(token.token_type, token.contents) for token in Lexer(source).tokenize())


@pytest.fixture(params=TEMPLATES, ids=NAMES)
def template(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


@pytest.fixture
def tags(template: Path) -> list[tuple[str, dict[str, str | None]]]:
    return Tags(template.read_text()).found


def test_nothing_in_it_is_refused_by_the_policy(
    tags: list[tuple[str, dict[str, str | None]]],
) -> None:
    for tag, attributes in tags:
        assert "style" not in attributes, f"style= on <{tag}>"
        assert tag != "style", "a <style> element"
        handlers = [name for name in attributes if name.startswith(("on", "hx-on"))]
        assert not handlers, f"{handlers} on <{tag}>"
        assert not any(
            (value or "").startswith(("javascript:", "js:")) for value in attributes.values()
        )
        if tag == "script":
            assert "src" in attributes or attributes.get("type") == "application/json"


def test_what_people_typed_is_always_escaped(template: Path) -> None:
    source = template.read_text()
    assert not re.search(r"\|\s*(safe|safeseq)\b", source)
    assert not re.search(r"{%\s*autoescape\s+off", source)


def test_every_picture_says_what_it_shows(
    tags: list[tuple[str, dict[str, str | None]]],
) -> None:
    for tag, attributes in tags:
        if tag == "img":
            assert "alt" in attributes, attributes
            # alt="" is for pictures beside their own description.
            assert attributes["alt"] is not None


def test_every_form_that_posts_carries_its_token(template: Path) -> None:
    source = template.read_text()
    for form in re.findall(r"<form\b.*?</form>", source, re.DOTALL | re.IGNORECASE):
        opening = form[: form.index(">") + 1]
        if re.search(r"method=.post", opening, re.IGNORECASE):
            assert "csrf_token" in form, opening


def test_a_fragment_fits_on_a_screen(template: Path) -> None:
    if template.name.startswith("_"):
        assert len(template.read_text().splitlines()) <= LONGEST_FRAGMENT


def test_nothing_is_fetched_from_elsewhere(
    tags: list[tuple[str, dict[str, str | None]]],
) -> None:
    for tag, attributes in tags:
        if tag in {"script", "link", "img", "source", "iframe"}:
            address = attributes.get("src") or attributes.get("href") or ""
            assert not re.match(r"(https?:)?//", address), address


@pytest.mark.parametrize(
    ("html", "test"),
    [
        ('<p style="color:red">', test_nothing_in_it_is_refused_by_the_policy),
        ('<a onclick="x()">', test_nothing_in_it_is_refused_by_the_policy),
        ('<a hx-on:click="x()">', test_nothing_in_it_is_refused_by_the_policy),
        ("<script>x()</script>", test_nothing_in_it_is_refused_by_the_policy),
        ('<img src="{{ a }}">', test_every_picture_says_what_it_shows),
        (
            '<script src="https://example.org/a.js"></script>',
            test_nothing_is_fetched_from_elsewhere,
        ),
    ],
)
def test_the_rules_notice(html: str, test: object) -> None:
    with pytest.raises(AssertionError):
        test(Tags(html).found)  # type: ignore[operator]


def test_stylesheets_and_scripts_fetch_nothing_and_evaluate_nothing() -> None:
    for path in [*(ROOT / "static/css").glob("*.css"), *(ROOT / "static/js").glob("*.js")]:
        text = path.read_text()
        assert not re.search(
            r"(https?:)?//[\w-]+\.\w+", re.sub(r"^\s*//.*$", "", text, flags=re.M)
        ), path
        assert not re.search(r"\beval\(|new Function|setAttribute\(.style", text), path
        assert "innerHTML" not in text, path


def test_every_class_that_templates_name_is_drawn_or_meant() -> None:
    drawn = set()
    for path in (ROOT / "static/css").glob("*.css"):
        drawn |= set(re.findall(r"\.([a-zA-Z][\w-]*)", path.read_text()))
    named: dict[str, str] = {}
    for path in TEMPLATES:
        for _tag, attributes in Tags(path.read_text(), gap=" ").found:
            for name in (attributes.get("class") or "").split():
                named.setdefault(name, path.name)
    # Markers carry no look of their own; names that end in a variable belong to a family.
    markers = {"visitor", "moderates"}
    odd = {
        name: where
        for name, where in named.items()
        if name not in drawn | markers and not re.search(r"^0$|-0$", name)
    }
    assert odd == {}
