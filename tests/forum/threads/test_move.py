"""A thread goes to another board: who may, what that means, what follows, and back again."""

import pytest

from forum.boards.models import Board, Decision, Membership
from forum.images import audit as images_audit
from forum.images.models import Descent, File, Image
from forum.links import audit as links_audit
from forum.links.actions import take_in as take_vector
from forum.links.models import EmbeddingWf1, SimilarityLink
from forum.links.moving import seek_kin
from forum.members.models import Member
from forum.threads.actions import NotAllowed, move_thread, read, take_in
from forum.threads.actions.answering import hold
from forum.threads.models import Thread
from generation.results import Vector
from tests.conftest import a_member
from tests.factories import a_thread, an_upload_reply, ask, come_out

pytestmark = pytest.mark.django_db


def a_keeper(*boards: Board) -> Member:
    member = a_member(name="Kim")
    for board in boards:
        office = Membership.Role.MODERATOR
        Membership.objects.update_or_create(board=board, member=member, defaults={"role": office})
    return member


def go(thread: Thread, to: Board, by: Member, **words) -> Thread:
    return move_thread(thread=Thread.objects.get(pk=thread.pk), to=to, by=by, **words)


def refuses(thread: Thread, to: Board, by: Member, reason: str, **words) -> None:
    before = Thread.objects.get(pk=thread.pk).board
    with pytest.raises(NotAllowed) as refusal:
        go(thread, to, by, **words)
    assert refusal.value.reason == reason and str(refusal.value.sentence)
    assert Thread.objects.get(pk=thread.pk).board == before
    assert set(Image.objects.filter(thread=thread).values_list("board", flat=True)) == {before.pk}


def assert_all_holds() -> None:
    about = ("audience", "more people see it", "differs from the image in thread")
    sentences = [*images_audit._rows(), *links_audit.check()]
    assert not [each for each in sentences if any(word in each for word in about)]


@pytest.fixture
def talk(plaza, lin, ada) -> Thread:
    """A public thread in which Lin and Ada spoke."""
    thread = a_thread(plaza, lin)
    an_upload_reply(thread.first_image, ada)
    return thread


def test_it_goes_with_all_its_images_and_is_seen_where_it_stands(talk, salon, plaza, browse, lin):
    keeper = a_keeper(plaza, salon)
    go(talk, salon, keeper, reason="It belongs there.")
    assert Image.objects.filter(thread=talk, board=salon).count() == 2
    place = f"/threads/{talk.pk}/"
    assert [browse(who).get(place).status_code for who in (None, lin)] == [404, 200]
    file = f"/images/{talk.first_image_id}/files/thumb"
    assert [browse(who).get(file).status_code for who in (None, lin)] == [404, 200]
    assert browse(lin).get(file)["Cache-Control"] == "private, no-store"
    row = Decision.objects.get()
    assert (row.kind, row.board, row.to_board, row.by) == ("moved", plaza, salon, keeper)
    assert row.reason == "It belongs there." and row.office == "board"
    for board in ("plaza", "salon"):
        assert "It belongs there." in browse(keeper).get(f"/boards/{board}/decisions/").text
    assert_all_holds()


def test_it_can_be_moved_back_by_whoever_moderates_both(talk, rivers, plaza, moderator):
    go(talk, rivers, moderator)
    go(talk, plaza, moderator)
    assert Thread.objects.get(pk=talk.pk).board == plaza and Decision.objects.count() == 2


def test_what_was_said_since_in_private_stays_there(talk, rivers, plaza, moderator, lin):
    go(talk, rivers, moderator)
    read(member=lin, image=Image.objects.get(pk=talk.first_image_id), text="Between us.")
    refuses(talk, plaza, moderator, "stays", meant=True)


@pytest.mark.parametrize("office", ["first", "second", "none"])
def test_who_does_not_moderate_both_cannot(talk, salon, plaza, browse, office):
    boards = {"first": [plaza], "second": [salon], "none": []}[office]
    keeper = a_keeper(*boards)
    refuses(talk, salon, keeper, "not_yours")
    answer = browse(keeper).post(f"/threads/{talk.pk}/move/", {"board": "salon"})
    assert answer.status_code == (422 if office == "first" else 404)
    assert "thread-move" not in browse(keeper).get(f"/threads/{talk.pk}/").text


def test_others_words_on_a_private_board_stay_private_whoever_asks(
    rivers, plaza, salon, lin, ada, owner, browse
):
    thread = a_thread(rivers, lin)
    an_upload_reply(thread.first_image, ada)
    for to in (plaza, salon):
        refuses(thread, to, owner, "stays", meant=True)
    page = browse(owner).post(f"/threads/{thread.pk}/move/", {"board": "plaza", "meant": "on"})
    assert page.status_code == 422 and "than they chose" in page.text
    assert browse().get(f"/threads/{thread.pk}/").status_code == 404


def test_another_private_board_has_other_eyes(rivers, lin, ada, owner):
    other = Board.objects.create(slug="lakes", title="Lakes", visibility="private")
    thread = a_thread(rivers, lin)
    refuses(thread, other, owner, "stays", meant=True)


def test_ones_own_private_words_go_public_only_when_meant(rivers, plaza, lin, browse):
    for board in (rivers, plaza):
        office = Membership.Role.MODERATOR
        Membership.objects.update_or_create(board=board, member=lin, defaults={"role": office})
    thread = a_thread(rivers, lin)
    refuses(thread, plaza, lin, "not_meant")
    client, place = browse(lin), f"/threads/{thread.pk}/move/"
    shown = client.get(place).text
    assert "More people would see it than now." in shown and "All of it is your own." in shown
    assert client.post(place, {"board": "plaza"}).status_code == 422
    assert client.post(place, {"board": "plaza", "meant": "on"}).status_code == 302
    assert browse().get(f"/threads/{thread.pk}/").status_code == 200


def test_a_reply_that_forms_counts_as_said(rivers, plaza, lin, ada, owner):
    thread = a_thread(rivers, owner)
    ask(ada, thread.first_image)
    refuses(thread, plaza, owner, "stays", meant=True)


def test_from_members_to_the_public_it_must_be_meant(salon, plaza, lin, ada):
    thread = a_thread(salon, lin)
    an_upload_reply(thread.first_image, ada)
    keeper = a_keeper(salon, plaza)
    refuses(thread, plaza, keeper, "not_meant")
    go(thread, plaza, keeper, meant=True)
    assert Thread.objects.get(pk=thread.pk).board == plaza


def test_images_made_elsewhere_keep_a_source_that_all_who_see_them_see(
    talk, plaza, salon, lin, moderator
):
    child = a_thread(plaza, lin).first_image
    Descent.objects.create(child=child, source=talk.first_image)
    refuses(talk, salon, moderator, "stays")
    go(child.thread, salon, moderator)
    go(talk, salon, moderator)
    assert_all_holds()


def test_images_here_do_not_stand_wider_than_their_sources(plaza, salon, lin, moderator):
    source = a_thread(salon, lin).first_image
    thread = a_thread(salon, lin)
    Descent.objects.create(child=thread.first_image, source=source)
    refuses(thread, plaza, moderator, "stays", meant=True)


def test_an_archived_board_takes_nothing(talk, salon, moderator):
    from django.utils import timezone

    Board.objects.filter(pk=salon.pk).update(archived_at=timezone.now())
    refuses(talk, salon, moderator, "not_yours")


def test_what_forms_comes_out_where_the_thread_stands(talk, salon, ada, moderator):
    reply = ask(ada, talk.first_image)
    go(talk, salon, moderator)
    come_out(reply.job)
    assert take_in(reply.job).board == salon
    assert_all_holds()


def test_whoever_answers_meanwhile_is_told(talk, salon, moderator):
    known = Thread.objects.get(pk=talk.pk)
    go(talk, salon, moderator)
    with pytest.raises(NotAllowed) as refusal:
        hold(known)
    assert refusal.value.reason == "moved"


def test_browsers_are_told(talk, salon, plaza, moderator, monkeypatch):
    from forum.boards import actions as boards
    from forum.threads.actions import moving

    said = []
    for module in (boards, moving):
        monkeypatch.setattr(
            module, "announce", lambda topic, kind, **ids: said.append((topic, kind))
        )
    go(talk, salon, moderator)
    assert set(said) >= {("access", "board"), (talk.topic, "moved"), ("stream", "moved")}


def test_links_part_and_kin_is_sought_where_it_stands(plaza, salon, lin, ada, moderator):
    near = [float(n % 7) for n in range(EmbeddingWf1.DIMENSIONS)]
    threads = [a_thread(board, who) for board, who in ((plaza, lin), (plaza, ada), (salon, ada))]
    for place, thread in enumerate(threads):
        vector = [*near[:-1], 0.01 * place]
        take_vector(image=thread.first_image, vectors=[Vector("wf1", tuple(vector))])
    here, kin, there = (thread.first_image for thread in threads)
    linked = lambda: set(SimilarityLink.objects.values_list("lower", "higher"))  # noqa: E731
    assert linked() == {(here.pk, kin.pk)}
    go(threads[0], salon, moderator)
    assert linked() == set(), "nothing of what others see is left at once"
    assert EmbeddingWf1.objects.get(image=here).board_id == salon.pk
    seek_kin(threads[0].pk)
    seek_kin(threads[0].pk)
    assert linked() == {(here.pk, there.pk)}
    assert_all_holds()
    assert File.objects.exists()
