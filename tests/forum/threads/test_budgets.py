"""The image page costs the same with one reply and with ten thousand."""

import uuid

import pytest

from forum.threads.actions import take_in
from forum.threads.models import Reply, Thread
from tests.factories import a_thread, an_upload_reply, ask, come_out

pytestmark = pytest.mark.django_db
#: Session and member among them.
MOST = 12


def crowd(reply: Reply, many: int) -> None:
    """So many further replies beside one, by plain rows."""
    Reply.objects.bulk_create(
        [
            Reply(
                thread=reply.thread,
                to=reply.to,
                author=reply.author,
                image=reply.image,
                kind="upload",
                state="done",
                key=uuid.uuid4().hex,
                content="",
            )
            for _ in range(many)
        ],
        batch_size=2000,
    )


@pytest.mark.parametrize("many", [1, 100, 10_000])
def test_the_image_page_asks_few_questions(
    browse, hill, lin, ada, django_assert_max_num_queries, many
):
    first = an_upload_reply(hill.first_image, ada)
    crowd(first, many - 1)
    ask(ada, hill.first_image, key="forming")
    client = browse(lin)
    client.get(f"/images/{hill.first_image_id}/")
    with django_assert_max_num_queries(MOST):
        page = client.get(f"/images/{hill.first_image_id}/").content.decode()
    assert page.count('class="reply') == min(24, many + 1)


def test_a_deep_derivative_asks_few_questions(
    browse, hill, lin, ada, django_assert_max_num_queries
):
    to = hill.first_image
    for depth in range(3):
        reply = ask(ada, to, key=f"k{depth}")
        come_out(reply.job)
        to = take_in(reply.job)
    ask(ada, to, key="forming")
    client = browse(lin)
    client.get(f"/images/{to.pk}/")
    with django_assert_max_num_queries(MOST):
        client.get(f"/images/{to.pk}/")


def test_the_stream_asks_few_questions(
    browse, hill, plaza, lin, ada, django_assert_max_num_queries
):
    for _ in range(8):
        thread: Thread = a_thread(plaza, ada)
        an_upload_reply(thread.first_image, lin)
    ask(ada, hill.first_image)
    client = browse(lin)
    client.get("/")
    with django_assert_max_num_queries(MOST):
        client.get("/")


def test_the_tree_asks_few_questions(browse, hill, lin, ada, django_assert_max_num_queries):
    crowd(an_upload_reply(hill.first_image, ada), 1000)
    client = browse(lin)
    client.get(f"/threads/{hill.pk}/")
    with django_assert_max_num_queries(MOST):
        client.get(f"/threads/{hill.pk}/")
