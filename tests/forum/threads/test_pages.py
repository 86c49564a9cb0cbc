"""Pages for those who look."""

import pytest
from django.utils import timezone

from forum.threads.actions import read, take_in, take_in_failure
from forum.threads.models import Reply
from tests.factories import a_thread, an_image, an_upload_reply, ask, come_out, go_wrong

pytestmark = pytest.mark.django_db


def text(response) -> str:
    assert response.status_code == 200, response.status_code
    return response.content.decode()


def test_the_stream_shows_what_moved_last_first(browse, plaza, lin):
    old, new = a_thread(plaza, lin, title="Old"), a_thread(plaza, lin, title="New")
    page = text(browse().get("/"))
    assert page.index(f"thread-{new.pk}") < page.index(f"thread-{old.pk}")


def test_an_empty_stream_says_so(browse, db):
    assert "Nothing here yet. Post the first image." in text(browse().get("/"))


def test_the_stream_shows_what_is_forming(browse, asked):
    page = text(browse().get("/"))
    assert "Now envisioning" in page
    assert f'id="reply-{asked.pk}"' in page


def test_the_stream_goes_on_earlier(browse, plaza, lin):
    threads = [a_thread(plaza, lin) for _ in range(26)]
    page = browse().get("/")
    assert f"thread-{threads[0].pk}" not in text(page)
    earlier = text(browse().get("/", {"before": page.context["older"]}))
    assert f'id="thread-{threads[0].pk}"' in earlier
    assert f'id="thread-{threads[-1].pk}"' not in earlier


@pytest.mark.parametrize("before", ["", "soon", "2026-99-99", "2026-01-01T00:00:00"])
def test_an_odd_moment_breaks_nothing(browse, hill, before):
    text(browse().get("/", {"before": before}))


def test_strangers_see_no_private_thread(browse, river, wen):
    assert f"thread-{river.pk}" not in text(browse(wen).get("/"))


@pytest.mark.parametrize(
    "address", ["/images/{0.first_image_id}/", "/threads/{0.pk}/", "/boards/rivers/"]
)
def test_strangers_find_no_private_page(browse, river, wen, lin, address):
    where = address.format(river)
    assert browse(wen).get(where).status_code == 404
    assert browse().get(where).status_code == 404
    assert browse(lin).get(where).status_code == 200


def test_strangers_find_no_private_reply_or_frame(browse, river, lin, wen):
    reply = ask(lin, river.first_image)
    for tail in ("", "frame"):
        assert browse(wen).get(f"/replies/{reply.pk}/{tail}").status_code == 404
        assert browse(lin).get(f"/replies/{reply.pk}/{tail}").status_code == 200


def test_strangers_change_nothing(browse, river, lin, wen):
    reply, image = ask(lin, river.first_image), river.first_image_id
    for address in (
        f"/images/{image}/answer/",
        f"/images/{image}/read/",
        f"/replies/{reply.pk}/stop/",
    ):
        assert browse(wen).post(address, {"prompt": "night", "text": "x"}).status_code == 404
    assert browse().post(f"/images/{image}/answer/").status_code == 302
    reply.refresh_from_db()
    assert reply.state == "waiting"


def test_the_image_page_shows_what_was_said(browse, asked, hill):
    come_out(asked.job)
    image = take_in(asked.job)
    page = text(browse().get(f"/images/{image.pk}/"))
    assert "“make it night”" in page
    assert "answered" in page
    assert "1 step from the original" in page
    assert f"/images/{hill.first_image_id}/files/display" in page


def test_a_waiting_reply_stands_among_the_answers(browse, asked, hill):
    page = text(browse().get(f"/images/{hill.first_image_id}/"))
    assert f'id="reply-{asked.pk}"' in page
    assert "not yet visible" in page


def test_a_failed_reply_says_why(browse, asked, hill):
    go_wrong(asked.job, "timeout")
    take_in_failure(asked.job)
    page = text(browse().get(f"/images/{hill.first_image_id}/"))
    assert "did not come out" in page
    assert "It took longer than the machine may work" in page


def test_a_withdrawn_answer_keeps_its_place(browse, hill, ada):
    reply = an_upload_reply(hill.first_image, ada)
    reply.image.files.all().delete()
    type(reply.image).objects.filter(pk=reply.image_id).update(state="withdrawn")
    page = text(browse().get(f"/images/{hill.first_image_id}/"))
    assert f'id="reply-{reply.pk}"' in page
    assert "withdrawn" in page


def test_the_answers_go_on_earlier(browse, hill, ada):
    first = an_upload_reply(hill.first_image, ada)
    Reply.objects.bulk_create(copies(first, 30))
    where = f"/images/{hill.first_image_id}/"
    page = browse().get(where)
    assert text(page).count('class="reply') == 24
    assert f'id="reply-{first.pk}"' in text(browse().get(where, {"before": page.context["older"]}))


def copies(reply: Reply, many: int) -> list[Reply]:
    return [
        Reply(
            thread=reply.thread, to=reply.to, author=reply.author, image=reply.image,
            kind="upload", state="done", key=f"copy{number}", content="",
        )
        for number in range(many)
    ]  # fmt: skip


def test_what_people_wrote_carries_its_language(browse, hill, wen):
    ask(wen, hill.first_image, "变成夜晚")
    read(member=wen, image=hill.first_image, text="山在等")
    page = text(browse().get(f"/images/{hill.first_image_id}/"))
    assert '<p lang="zh">“变成夜晚”</p>' in page
    assert '<blockquote lang="zh">' in page


def test_what_people_wrote_is_never_markup(browse, hill, wen):
    ask(wen, hill.first_image, "<script>night</script>")
    read(member=wen, image=hill.first_image, text="<img src=x>")
    page = text(browse().get(f"/images/{hill.first_image_id}/"))
    assert "<script>night" not in page
    assert "<img src=x>" not in page


@pytest.mark.parametrize(
    "address", ["/", "/waiting/", "/images/{0.first_image_id}/", "/threads/{0.pk}/"]
)
def test_no_page_carries_a_style_or_a_handler(browse, asked, hill, lin, address):
    page = text(browse(lin).get(address.format(hill)))
    assert " style=" not in page
    assert " onclick=" not in page
    assert "<script>" not in page


def test_the_thread_is_a_tree(browse, hill, ada, wen):
    answer = an_upload_reply(hill.first_image, ada)
    deeper = an_upload_reply(answer.image, wen)
    beside = an_upload_reply(hill.first_image, wen)
    page = text(browse().get(f"/threads/{hill.pk}/"))
    places = [page.index(f'id="reply-{reply.pk}"') for reply in (answer, deeper, beside)]
    assert places == sorted(places)
    assert page.count('class="level-1"') == 2
    assert page.count('class="level-2"') == 1


def test_a_deep_thread_is_shown(browse, hill, ada):
    to = hill.first_image
    for _ in range(12):
        to = an_upload_reply(to, ada).image
    assert text(browse().get(f"/threads/{hill.pk}/")).count('class="level-8"') == 5


def test_a_link_in_a_circle_ends(browse, hill, ada):
    answer = an_upload_reply(hill.first_image, ada)
    Reply.objects.create(
        thread=hill, to=answer.image, image=hill.first_image, author=ada, kind="link",
        state="done", key="circle", content="",
    )  # fmt: skip
    assert text(browse().get(f"/threads/{hill.pk}/")).count('class="reply') == 2


def test_waiting_shows_the_longest_waiting_first(browse, plaza, lin, ada, wen):
    first, second = a_thread(plaza, lin), a_thread(plaza, ada)
    entries = browse(wen).get("/waiting/").context["entries"]
    assert [image for image, _ in entries] == [first.first_image, second.first_image]


def test_waiting_shows_one_of_each_member(browse, plaza, lin, wen):
    first, _ = a_thread(plaza, lin), a_thread(plaza, lin)
    entries = browse(wen).get("/waiting/").context["entries"]
    assert [image for image, _ in entries] == [first.first_image]


def test_waiting_shows_nobody_their_own(browse, hill, lin):
    assert "Every image has its answer." in text(browse(lin).get("/waiting/"))


def test_what_is_being_answered_waits_no_more(browse, asked, wen):
    assert not browse(wen).get("/waiting/").context["entries"]


def test_what_did_not_come_out_waits_again(browse, asked, wen):
    go_wrong(asked.job)
    take_in_failure(asked.job)
    assert browse(wen).get("/waiting/").context["entries"]


def test_skipped_for_today(browse, hill, wen):
    client = browse(wen)
    client.get("/waiting/", {"skip": hill.first_image_id})
    assert not client.get("/waiting/").context["entries"]
    assert client.cookies["skipped"]["max-age"] == 86_400


@pytest.mark.parametrize("cookie", ["x", "900001.900002.x", "9" * 30, "." * 500])
def test_a_forged_cookie_breaks_nothing(browse, hill, wen, cookie):
    client = browse(wen)
    client.cookies["skipped"] = cookie
    assert client.get("/waiting/").context["entries"]


@pytest.mark.parametrize("view", ["wall", "threads"])
def test_a_board_shows_its_threads(browse, hill, ada, view):
    an_upload_reply(hill.first_image, ada)
    assert "A hill" in text(browse().get("/boards/plaza/", {"view": view}))


def test_an_unknown_view_is_not_found(browse, hill):
    assert browse().get("/boards/plaza/", {"view": "upside-down"}).status_code == 404


def test_an_archived_board_can_be_read(browse, hill, plaza, lin):
    plaza.archived_at = timezone.now()
    plaza.save()
    assert "the board is archived" in text(browse(lin).get(f"/images/{hill.first_image_id}/"))


def test_the_recipe_can_be_kept(browse, asked, hill):
    come_out(asked.job)
    image = take_in(asked.job)
    assert browse().get(f"/images/{image.pk}/recipe.json").json()["engine"] == "darkroom"
    assert browse().get(f"/images/{hill.first_image_id}/recipe.json").status_code == 404


def test_a_thread_outlives_its_first_image(browse, hill, ada):
    reply = an_upload_reply(hill.first_image, ada)
    hill.reply_count = 1
    hill.save()
    type(reply.image).objects.filter(pk=hill.first_image_id).update(state="withdrawn")
    page = text(browse().get(f"/threads/{hill.pk}/"))
    assert f'id="reply-{reply.pk}"' in page


def test_an_image_of_nobody_is_shown(browse, hill):
    image = an_image(hill, None)
    assert "somebody who left" in text(browse().get(f"/images/{image.pk}/"))
