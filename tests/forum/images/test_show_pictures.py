"""`{% picture %}`: an image as people see it, or the grey place it left."""

from functools import partial

import pytest
from django.template import Context, Template

from forum.images import actions
from forum.images.models import Image, Origin
from forum.images.pictures import alt_text

pytestmark = pytest.mark.django_db


def rendered(tag: str, **words: object) -> str:
    return Template("{% load pictures %}" + tag).render(Context(words))


def test_a_thumb_has_address_size_and_words(plaza, lin, original):
    image = original(plaza, lin, alt='Boats & "sails"')
    tag = rendered("{% picture image class='frame' %}", image=image)
    assert f'src="/images/{image.pk}/files/thumb"' in tag
    assert 'width="320" height="240"' in tag
    assert 'alt="Boats &amp; &quot;sails&quot; (original)"' in tag
    assert 'loading="lazy"' in tag
    assert 'class="frame"' in tag
    assert "srcset" not in tag


def test_a_display_comes_at_once_and_lets_the_browser_choose(plaza, lin, original):
    image = original(plaza, lin)
    tag = rendered('{% picture image role="display" sizes="100vw" %}', image=image)
    assert 'loading="eager"' in tag
    assert 'sizes="100vw"' in tag
    place = f"/images/{image.pk}/files"
    assert f'srcset="{place}/thumb 320w, {place}/display 320w"' in tag


def test_attributes_replace_and_are_escaped(plaza, lin, original):
    image = original(plaza, lin)
    tag = rendered("{% picture image alt='' data_x=evil %}", image=image, evil='"><script>')
    assert 'alt=""' in tag
    assert "<script>" not in tag
    assert "data-x=" in tag


def test_small_squares_carry_the_mark_where_generated(plaza, lin, original, derivative):
    source = original(plaza, lin)
    declared = original(plaza, lin, origin=Origin.AI_DECLARED)
    marks = [
        rendered("{% picture image mark=True %}", image=each).split(">")[0]
        for each in (source, declared, derivative(source))
    ]
    assert marks == [
        '<span class="pic"',
        '<span class="pic generated"',
        '<span class="pic generated"',
    ]


def test_alt_says_description_else_prompt_else_title(plaza, lin, original, derivative):
    image = derivative(original(plaza, lin))
    assert alt_text(image) == "reply: make it night (generated)"
    image.alt = "A harbour at night"
    assert alt_text(image) == "A harbour at night (generated)"
    assert alt_text(original(plaza, lin, title="Harbour")) == "Harbour (original)"
    assert alt_text(original(plaza, lin)) == "original"


@pytest.mark.parametrize("verb", [actions.withdraw, partial(actions.hide, reason="Not here.")])
def test_what_cannot_be_seen_is_grey(verb, plaza, lin, moderator, original):
    image = original(plaza, lin)
    verb(image=image, by=moderator)
    tag = rendered("{% picture image class='small' %}", image=image)
    assert tag.startswith('<span class="gone small">')
    assert image.get_state_display() in tag
    assert "<img" not in tag


def test_no_image_and_no_file(plaza, lin, original):
    assert (
        rendered("{% picture image %}", image=None)
        == '<span class="gone">not visible to you</span>'
    )
    image = original(plaza, lin)
    image.files.all().delete()
    assert "file missing" in rendered("{% picture image %}", image=image)


def test_a_page_of_pictures_asks_once(plaza, lin, original, django_assert_num_queries):
    for _ in range(3):
        original(plaza, lin)
    images = list(Image.objects.with_files())
    with django_assert_num_queries(0):
        rendered('{% for i in images %}{% picture i sizes="9rem" %}{% endfor %}', images=images)
