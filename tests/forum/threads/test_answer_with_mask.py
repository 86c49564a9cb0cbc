"""Answering with a mask: from the composer's fields to what the studio is asked for."""

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from PIL import Image as Pictures

from forum.masks.models import Mask
from forum.threads.actions import KeyReused, NotAllowed, answer_by_prompt, take_in, try_again
from forum.threads.models import Reply
from generation import queue
from tests.factories import a_mask, a_thread, ask, come_out, go_wrong
from tests.forum.masks.conftest import SIZE, half, sent

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def answer(client, image, headers=None, **words):
    given = {"prompt": "make it night", "key": "k", **words}
    return client.post(reverse("answer", args=[image.pk]), given, headers=headers or {})


def test_a_painted_mask_goes_to_the_studio(browse, hill, ada):
    answer(browse(ada), hill.first_image, mask=sent(half()))
    reply = Reply.objects.get()
    assert reply.mask.image == hill.first_image
    assert queue.request(reply.job).mask == reply.mask.ref()


def test_so_does_a_rectangle(browse, hill, ada):
    sides = {"mask_x": "0", "mask_y": "0", "mask_w": "50", "mask_h": "100", "mask_feather": "2"}
    answer(browse(ada), hill.first_image, **sides)
    mask = Reply.objects.get().mask
    assert mask.share == pytest.approx(0.5, abs=0.02)
    assert mask.feather == pytest.approx(0.02)


@pytest.mark.parametrize("words", [{}, {"mask_feather": "1"}, {"mask": b""}])
def test_without_one_everything_may_change(browse, hill, ada, words):
    answer(browse(ada), hill.first_image, **words)
    assert queue.request(Reply.objects.get().job).mask is None


def test_a_full_one_is_none(browse, hill, ada):
    answer(browse(ada), hill.first_image, mask=sent(Pictures.new("L", SIZE, 255)))
    assert Reply.objects.get().mask is None
    assert not Mask.objects.exists()


@pytest.mark.parametrize("headers", [{}, HTMX])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"mask": lambda: sent(half((32, 48)))}, "another shape than the image"),
        ({"mask": lambda: sent(Pictures.new("L", SIZE))}, "The mask is empty"),
        ({"mask": lambda: sent(half(), "JPEG")}, "A mask is a PNG or a WebP"),
        ({"mask_x": lambda: "10"}, "needs all four numbers"),
        ({"mask_x": lambda: "left"}, "Enter a number"),
        ({"mask_feather": lambda: "11"}, "less than or equal to 10"),
        (
            {"mask_x": lambda: "100", "mask_y": lambda: "0", "mask_w": lambda: "5"}
            | {"mask_h": lambda: "5"},
            "does not lie within the image",
        ),
        ({"mask_id": lambda: "999999"}, "no longer here"),
    ],
)
def test_what_is_amiss_is_said_beside_it_and_the_prompt_stays(
    browse, hill, ada, headers, words, sentence
):
    given = {name: make() for name, make in words.items()}
    response = answer(browse(ada), hill.first_image, headers, **given)
    page = response.content.decode()
    assert response.status_code == 422
    assert sentence in page
    assert "make it night</textarea>" in page
    assert 'class="masking" id="masking-' in page
    assert not Reply.objects.exists()


def test_a_mask_outlives_whatever_else_is_amiss(browse, hill, ada):
    client = browse(ada)
    response = answer(client, hill.first_image, prompt="qwertyuiop", mask=sent(half()))
    mask = Mask.objects.get()
    page = response.content.decode()
    assert response.status_code == 422
    assert f'name="mask_id" value="{mask.pk}"' in page
    assert f'src="/masks/{mask.pk}/"' in page
    answer(client, hill.first_image, mask_id=mask.pk)
    assert Reply.objects.get().mask == mask


def test_it_can_be_left_out_again(browse, hill, ada):
    mask = a_mask(ada, hill.first_image)
    answer(browse(ada), hill.first_image, mask_id=mask.pk, mask_off="on")
    assert Reply.objects.get().mask is None


def test_a_chip_without_scripts_keeps_it(browse, hill, ada):
    page = answer(browse(ada), hill.first_image, suggest="in the snow", mask=sent(half()))
    assert f'name="mask_id" value="{Mask.objects.get().pk}"' in page.content.decode()
    assert "make it night, in the snow</textarea>" in page.content.decode()


def test_nobody_answers_with_the_mask_of_another(browse, hill, ada, lin):
    mask = a_mask(lin, hill.first_image)
    response = answer(browse(ada), hill.first_image, mask_id=mask.pk)
    assert response.status_code == 422
    with pytest.raises(NotAllowed):
        ask(ada, hill.first_image, mask=mask)


def test_nor_with_one_of_another_image(hill, ada, plaza):
    mask = a_mask(ada, a_thread(plaza, ada).first_image)
    with pytest.raises(NotAllowed):
        ask(ada, hill.first_image, mask=mask)


def test_the_same_form_twice_is_one_reply_with_one_mask(browse, hill, ada):
    client = browse(ada)
    for _ in range(2):
        answer(client, hill.first_image, mask=sent(half()))
    assert Reply.objects.count() == Mask.objects.count() == 1


def test_another_mask_under_the_same_key_is_something_else(hill, ada):
    words = {"member": ada, "to": hill.first_image, "prompt": "snow", "key": "same"}
    answer_by_prompt(**words, mask=a_mask(ada, hill.first_image))
    with pytest.raises(KeyReused):
        answer_by_prompt(**words)


def test_trying_again_takes_the_same_mask(hill, ada):
    mask = a_mask(ada, hill.first_image)
    reply = ask(ada, hill.first_image, mask=mask)
    go_wrong(reply.job)
    from forum.threads.actions import take_in_failure

    take_in_failure(reply.job)
    again = try_again(reply=reply, by=ada)
    assert queue.request(again.job).mask == mask.ref()


def test_changing_the_prompt_begins_with_the_mask(browse, hill, ada, moderator):
    reply = ask(ada, hill.first_image, mask=a_mask(ada, hill.first_image))
    address = f"/images/{hill.first_image_id}/?change={reply.pk}"
    assert f'name="mask_id" value="{reply.mask_id}"' in browse(ada).get(address).content.decode()
    # A moderator may begin with the words, not with what is the painter's own.
    assert 'name="mask_id" value=' not in browse(moderator).get(address).content.decode()


def test_the_recipe_shows_it_small(browse, hill, ada, lin):
    mask = a_mask(ada, hill.first_image)
    reply = ask(ada, hill.first_image, mask=mask)
    come_out(reply.job)
    image = take_in(reply.job)
    image.recipe = {**image.recipe, "mask": mask.sha256}
    image.save(update_fields=["recipe"])
    page = browse(lin).get(image.get_absolute_url()).content.decode()
    assert f'src="/images/{image.pk}/mask/"' in page
    assert mask.sha256 in page
    with default_storage.open(mask.name) as file:
        assert browse(lin).get(f"/images/{image.pk}/mask/").content == file.read()
