"""This has been said: before a picture is sent, and beside it afterwards."""

import io

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pictures

from forum.images import ingest
from forum.images.models import Image
from forum.links.actions import take_in
from forum.threads.models import Reply, ReplyKind
from tests.factories import a_thread, an_upload_reply

pytestmark = pytest.mark.django_db


def scene(seed: int = 1, size: tuple[int, int] = (480, 320), kind: str = "JPEG") -> bytes:
    """A picture with enough in it to be hashed."""
    grain = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    out = io.BytesIO()
    Pictures.fromarray(grain).resize(size, Pictures.Resampling.BICUBIC).save(out, kind, quality=88)
    return out.getvalue()


def upload(data: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile("look.jpg", data, "image/jpeg")


@pytest.fixture
def said(plaza, lin) -> Image:
    """An image that says it already."""
    image = a_thread(plaza, lin, title="Said before").first_image
    pdq, quality = ingest.glance(upload(scene()))
    assert quality >= 50
    take_in(image=image, vectors=[], pdq=pdq, pdq_quality=quality)
    return image


def looked(client, data: bytes, **words: object) -> str:
    answer = client.post("/said/", {"file": upload(data), **words})
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_same_picture_smaller_and_in_another_format(browse, ada, said):
    page = looked(browse(ada), scene(size=(240, 160), kind="PNG"))
    assert "This has been said: 1 image alike" in page and "Said before" in page
    assert said.get_absolute_url() in page


def test_another_picture_was_not_said(browse, ada, said):
    assert looked(browse(ada), scene(seed=2)).strip() == ""


def test_nothing_is_kept(browse, ada, said, tmp_path):
    before = {each for each in tmp_path.rglob("*") if each.is_file()}
    looked(browse(ada), scene())
    assert {each for each in tmp_path.rglob("*") if each.is_file()} == before
    assert Image.objects.count() == 1


def test_what_was_said_in_private_is_not_told(browse, rivers, ada, wen, lin):
    image = a_thread(rivers, lin, title="Between us").first_image
    pdq, quality = ingest.glance(upload(scene()))
    take_in(image=image, vectors=[], pdq=pdq, pdq_quality=quality)
    assert looked(browse(wen), scene()).strip() == ""
    assert "Between us" in looked(browse(ada), scene())


def test_it_can_be_pointed_to_instead(browse, plaza, ada, wen, said):
    to = a_thread(plaza, wen, title="A question").first_image
    client = browse(ada)
    page = looked(client, scene(), to=to.pk)
    assert f'action="/images/{to.pk}/answer/link/"' in page
    client.post(f"/images/{to.pk}/answer/link/", {"image": said.pk, "key": "k"})
    reply = Reply.objects.get(to=to)
    assert (reply.kind, reply.image) == (ReplyKind.LINK, said)


def test_an_image_is_no_answer_to_itself(browse, ada, said):
    assert looked(browse(ada), scene(), to=said.pk).strip() == ""


def test_an_image_one_may_not_answer_is_not_offered(browse, rivers, lin, wen, said):
    secret = a_thread(rivers, lin).first_image
    page = looked(browse(wen), scene(), to=secret.pk)
    assert "answer/link" not in page and "Said before" in page


@pytest.mark.parametrize(
    ("data", "status"), [(b"", 422), (b"no picture", 422), (b"<svg/>", 422), (scene()[:900], 422)]
)
def test_what_cannot_be_looked_at_is_refused(browse, ada, data, status):
    assert browse(ada).post("/said/", {"file": upload(data)}).status_code == status


def test_looking_is_counted(browse, ada, settings):
    settings.FORUM_UPLOADS_PER_HALF_HOUR = 1
    client = browse(ada)
    answers = [client.post("/said/", {"file": upload(scene())}) for _ in range(5)]
    assert [each.status_code for each in answers] == [200] * 4 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_its_author_is_offered_to_point_to_it_afterwards(browse, plaza, ada, wen, lin, said):
    to = a_thread(plaza, wen).first_image
    again = an_upload_reply(to, ada).image
    # An answer in a thread that points nowhere, so that the two threads are strangers.
    pdq, quality = ingest.glance(upload(scene()))
    take_in(image=again, vectors=[vector()], pdq=pdq, pdq_quality=quality)
    path = f"/images/{again.pk}/resonances/"
    page = browse(ada).get(path).content.decode()
    assert "This has been said" in page and f"/images/{to.pk}/answer/link/" in page
    assert f"/images/{again.pk}/withdraw/" in page
    others = browse(lin).get(path).content.decode()
    assert "This has been said" in others
    assert "answer/link" not in others and "withdraw" not in others


def vector():
    from generation.results import Vector

    return Vector("wf1", tuple(float(each) for each in np.eye(475)[0]))


def test_the_forms_say_where_to_look(browse, plaza, ada, said):
    client = browse(ada)
    assert 'data-said="/said/"' in client.get("/post/").content.decode()
    page = client.get(f"/images/{said.pk}/answer/upload/").content.decode()
    assert f'data-answers="{said.pk}"' in page
