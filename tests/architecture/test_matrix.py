"""Who may do what: every route, every API call and every socket, against everybody.

The place is a private board. Whoever does not belong to it must not learn whether anything is there,
so refusals are 404, word for word the same as for what does not exist. A route without a row fails.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from forum.beginnings import actions as beginnings
from forum.boards.models import Board, Membership, Word
from forum.drafts import actions as drafts
from forum.films.models import Film
from forum.images.models import Image
from forum.links.models import SimilarityLink
from forum.live.sockets import patterns
from forum.members import tokens
from forum.members.actions import invite
from forum.members.models import Member
from forum.threads.actions import read, take_in
from forum.threads.models import Reply
from tests.conftest import a_member
from tests.factories import a_mask, a_sheet, a_thread, ask, come_out

CAST = ("anonymous", "stranger", "member", "moderator", "owner")
#: A redirect to the sign-in page.
IN = "in"

# Columns as in CAST. "post" rows are sent without words unless WORDS has some, so 422 means: let in,
# and then asked for what is missing.
ROWS = """
get  stream                     200 200 200 200 200
get  waiting                    200 200 200 200 200
get  post                       in  200 200 200 200
post post                       in  422 422 422 422
get  board                      404 404 200 200 200
get  thread-move                in  404 404 200 200
post thread-move                in  404 404 422 422
get  thread                     404 404 200 200 200
get  image                      404 404 200 200 200
get  plan                       404 404 200 200 200
get  recipe                     404 404 200 200 200
post answer                     in  404 302 302 302
get  answer-upload              in  404 200 200 200
post answer-upload              in  404 422 422 422
get  answer-link                in  404 200 200 200
post answer-link                in  404 422 422 422
get  thread-web                 404 404 200 200 200
get  null                       404 404 200 200 200
post null                       in  404 302 302 302
get  null-picture               404 404 404 404 404
get  draft                      in  404 200 200 200
post draft                      in  404 302 302 302
post draft-back                 in  404 302 404 404
post draft-leave                in  404 302 404 404
get  begin                      in  200 200 200 200
post begin                      in  422 422 422 422
get  begin-plan                 in  200 200 200 200
get  beginning                  in  404 200 404 404
get  beginning-frame            in  404 200 404 404
post beginning-stop             in  404 302 404 404
post beginning-again            in  404 302 404 404
get  take-picture               in  404 200 404 404
get  take-frame                 in  404 200 404 404
post take-go                    in  404 302 404 404
post take-stop                  in  404 302 404 404
post take-again                 in  404 302 404 404
post take-publish               in  404 302 404 404
post read                       in  404 302 302 302
post reading-delete             in  404 404 302 302
get  reply                      404 404 200 200 200
post reply-stop                 in  404 404 302 302
post reply-again                in  404 404 302 302
get  reply-frame                404 404 200 200 200
get  image-file                 404 404 200 200 200
get  mask                       404 404 200 200 200
get  image-mask                 404 404 200 200 200
get  looks                      404 404 200 200 200
get  looks-sheet                404 404 200 200 200
get  lineage                    404 404 200 200 200
get  image-edit                 in  404 404 200 200
post image-edit                 in  404 404 422 422
get  image-withdraw             in  404 404 200 200
post image-withdraw             in  404 404 302 302
get  image-hide                 in  404 404 200 200
post image-hide                 in  404 404 302 302
post image-show                 in  404 404 302 302
get  member-images              200 200 200 200 200
get  my-images                  in  200 200 200 200
get  recipe-use                 404 404 200 200 200
get  reruns                     404 404 200 200 200
post reruns                     in  404 302 302 302
get  films                      404 404 200 200 200
post films                      in  404 302 302 302
get  film                       404 404 200 200 200
get  film-file                  404 404 200 200 200
post film-stop                  in  404 404 302 302
post film-share                 in  404 404 302 302
post film-unshare               in  404 404 302 302
post film-remove                in  404 404 302 302
get  film-shared                404 404 404 404 404
get  film-shared-file           404 404 404 404 404
get  program                    200 200 200 200 200
get  program-operation          200 200 200 200 200
get  program-resonances         200 200 200 200 200
get  program-source             200 200 200 200 200
post said                       in  422 422 422 422
get  resonances                 404 404 200 200 200
post resonance-confirm          in  404 302 302 302
post resonance-contest          in  404 302 302 302
get  boards                     200 200 200 200 200
get  board-new                  in  200 200 200 200
post board-new                  in  422 422 422 422
get  board-decisions            in  404 403 200 200
get  board-edit                 in  404 403 200 200
post board-edit                 in  404 403 422 422
post board-archive              in  404 403 302 302
get  board-members              in  404 403 200 200
post board-members              in  404 403 422 422
get  site-words                 in  403 403 403 200
post site-words                 in  403 403 403 422
get  site-word                  in  403 403 403 200
post site-word                  in  403 403 403 422
post site-word-delete           in  403 403 403 302
get  board-words                in  404 403 200 200
post board-words                in  404 403 422 422
get  board-word                 in  404 403 200 200
post board-word                 in  404 403 422 422
post board-word-delete          in  404 403 302 302
post board-go                   in  404 302 302 302
post board-member-remove        in  404 403 302 302
get  studio                     in  404 404 200 200
post studio-preset              in  404 404 403 404
post studio-presets             in  404 404 403 404
post studio-worker              in  404 404 403 404
post studio-retry               in  404 404 403 302
get  metrics                    404 404 404 404 200
get  account_login              200 302 302 302 302
post account_login              200 302 302 302 302
get  account_logout             302 200 200 200 200
post account_logout             302 302 302 302 302
get  account_signup             200 302 302 302 302
post account_signup             200 302 302 302 302
get  account_inactive           200 200 200 200 200
get  account_change_password    in  200 200 200 200
post account_change_password    in  200 200 200 200
get  account_reauthenticate     in  200 200 200 200
post account_reauthenticate     in  200 200 200 200
get  member                     200 200 200 200 200
post member-role                in  403 403 403 302
get  settings                   in  200 200 200 200
post settings                   in  302 302 302 302
get  settings-tokens            in  200 200 200 200
post settings-tokens            in  422 422 422 422
post settings-token-delete      in  404 404 404 404
get  settings-leave             in  200 200 200 200
post settings-leave             in  422 422 422 422
get  invitations                in  403 403 200 200
post invitations                in  403 403 422 422
post invitation-delete          in  403 403 302 302
get  about                      200 200 200 200 200
get  mine                       200 200 200 200 200
get  set_language               405 405 405 405 405
post set_language               302 302 302 302 302
get  api:openapi-json           200 200 200 200 200
get  api:docs                   200 200 200 200 200
get  api:api-root               404 404 404 404 404
get  api:me                     401 200 200 200 200
get  api:boards                 200 200 200 200 200
post api:boards                 401 422 422 422 422
post api:images                 401 422 422 422 422
get  api:image                  404 404 200 200 200
get  api:file                   404 404 200 200 200
post api:image-hide             401 404 404 204 204
post api:image-show             401 404 404 204 204
post api:thread-move            401 404 422 422 422
get  api:plan                   404 404 200 200 200
get  api:board-words            404 404 200 200 200
post api:board-words            401 404 403 201 201
delete api:board-word           401 404 403 204 204
get  api:lineage                404 404 200 200 200
get  api:resonances             404 404 200 200 200
get  api:reruns                 404 404 200 200 200
post api:reruns                 401 404 202 202 202
post api:films                  401 404 202 202 202
get  api:film                   404 404 200 200 200
get  api:film-file              404 404 200 200 200
post api:masks                  401 422 422 422 422
get  api:mask                   404 404 200 200 200
get  api:replies                404 404 200 200 200
post api:replies                401 404 202 202 202
post api:reply-upload           401 422 422 422 422
post api:reply-link             401 404 422 422 422
get  api:reply                  404 404 200 200 200
post api:reply-cancel           401 404 403 200 200
post api:reply-retry            401 404 403 202 202
get  api:draft                  401 404 200 200 200
post api:draft                  401 404 202 202 202
post api:draft-back             401 404 200 404 404
post api:take-go                401 404 200 404 404
post api:take-stop              401 404 409 404 404
post api:take-publish           401 404 202 404 404
get  api:take-picture           401 404 200 404 404
post api:beginnings             401 422 422 422 422
get  api:beginning              401 404 200 404 404
post api:beginning-cancel       401 404 200 404 404
post api:beginning-retry        401 404 202 404 404
get  api:threads                200 200 200 200 200
get  api:thread                 404 404 200 200 200
"""

WORDS: dict[str, dict[str, Any]] = {
    "answer": {"prompt": "make it night", "key": "matrix"},
    "draft": {"prompt": "make it night", "key": "matrix"},
    "api:image-hide": {"reason": "It shows a pupil's name."},
    "api:thread-move": {"board": "nowhere"},
    "api:draft": {"prompt": "make it night"},
    "read": {"text": "It waits."},
    "api:plan": {"prompt": "snow"},
    "api:board-words": {"term": "grey day", "means": "fog"},
    "films": {"kind": "lineage"},
    "api:films": {"kind": "lineage", "format": "webp"},
    "image-hide": {"reason": "It shows a pupil's name."},
    "member-role": {"role": "moderator"},
    "set_language": {"language": "en"},
    "api:replies": {"prompt": "make it night"},
    "api:reply-link": {"image": 10**9},
}


@dataclass(frozen=True)
class Row:
    """One verb of one route, and what everybody is answered."""

    verb: str
    name: str
    answers: tuple[str, ...]


def rows() -> list[Row]:
    """The table above."""
    parts = [line.split() for line in ROWS.strip().splitlines()]
    return [Row(verb, name, tuple(answers)) for verb, name, *answers in parts]


# --- the routes -------------------------------------------------------------------------------


def routes() -> Iterator[tuple[str, URLPattern]]:
    """Every route with its full name, from the URL resolver."""
    todo: list[tuple[str, URLResolver]] = [("", get_resolver())]
    while todo:
        space, resolver = todo.pop()
        for each in resolver.url_patterns:
            if isinstance(each, URLResolver):
                todo.append((f"{each.namespace}:" if each.namespace else space, each))
            else:
                yield f"{space}{each.name}", each


def listed() -> set[tuple[str, str]]:
    return {(row.verb, row.name) for row in rows()}


def test_every_route_has_a_row():
    named = {name for _verb, name in listed()}
    missing = sorted({name for name, _pattern in routes()} - named)
    assert not missing, f"Say in ROWS who may do what at: {', '.join(missing)}."


def test_every_row_has_a_route():
    stale = sorted({name for _verb, name in listed()} - {name for name, _pattern in routes()})
    assert not stale, f"No such routes any more: {', '.join(stale)}."


def test_the_resolver_is_really_walked():
    assert len(list(routes())) >= 65


# --- the world --------------------------------------------------------------------------------


@dataclass
class World:
    """A private board with one of everything, and everybody."""

    cast: dict[str, Member | None]
    args: dict[str, list[Any]]


def the_world() -> World:
    """Rivers: its author Lin, its member Ada; Wen stands outside."""
    owner, lin = a_member("olga", "owner"), a_member("lin")
    board = Board.objects.create(slug="rivers", title="Rivers", made_by=owner, visibility="private")
    ada, wen, moss = a_member("ada"), a_member("wen"), a_member("moss", "moderator")
    for member in (lin, ada):
        Membership.objects.create(board=board, member=member)
    thread = a_thread(board, lin)
    image = thread.first_image
    mask = a_mask(lin, image)
    done = ask(lin, image, key="done", mask=mask)
    come_out(done.job)
    child = take_in(done.job)
    waiting = ask(lin, image, key="waiting")
    other = a_thread(board, lin).first_image
    cast = {"anonymous": None, "stranger": wen, "member": ada, "moderator": moss, "owner": owner}
    return World(cast, the_args(board, image, child, waiting, other, lin, mask.pk))


def the_args(
    board: Board, image: Image, child: Image, waiting: Reply, other: Image, lin: Member, mask: int
) -> dict[str, list[Any]]:
    """What each route is asked about."""
    link = a_link(image, other)
    reading = read(member=lin, image=image, text="It waits.")
    moss = Member.objects.get(username="moss")
    film = a_film(child, lin)
    word, of_house = (a_word(each) for each in (board, None))
    own = {
        **{name: [board.slug, word.pk] for name in WORD_DOORS},
        "site-word": [of_house.pk],
        "site-word-delete": [of_house.pk],
        "recipe-use": [child.pk],
        "reruns": [child.pk],
        "films": [child.pk],
        "api:reruns": [child.pk],
        "api:films": [child.pk],
        "api:film": [film.pk],
        "api:film-file": [film.pk],
        **{name: [film.pk] for name in FILM_DOORS},
        # A private board's film opens by no link, not even by a true one.
        "film-shared": [film.token],
        "film-shared-file": [film.token],
        "studio-preset": ["darkroom"],
        "program-operation": ["night"],
        "program-source": ["engine"],
        "reading-delete": [reading.pk],
        "image-file": [image.pk, "thumb"],
        "api:file": [child.pk, "original"],
        "resonance-confirm": [image.pk, link.pk],
        "resonance-contest": [image.pk, link.pk],
        "board-member-remove": [board.slug, "ada"],
        "member": ["lin"],
        "member-role": ["lin"],
        "member-images": ["lin"],
        "settings-token-delete": [tokens.make(member=lin, name="x")[0].pk],
        "invitation-delete": [invite(by=moss).pk],
        "reply-again": [waiting.pk],
        "recipe": [child.pk],
        **dict.fromkeys(TAKES, [a_take(image)]),
        "mask": [mask],
        "api:mask": [mask],
        "image-mask": [child.pk],
        "looks-sheet": [a_sheet(image).pk],
        **dict.fromkeys(BEGINNINGS, [a_beginning(board)]),
    }
    for name, pattern in routes():
        text = str(pattern.pattern)
        if name in own:
            continue
        if "slug" in text:
            own[name] = [board.slug]
        elif "repl" in name and ("replies/<int:pk>" in text or "<int:reply>" in text):
            own[name] = [waiting.pk]
        elif "thread" in name and "<int" in text:
            own[name] = [image.thread_id]
        elif "<int" in text:
            own[name] = [image.pk]
        else:
            own[name] = []
    return own


TAKES = (
    "take-picture", "take-frame", "take-go", "take-stop", "take-again", "take-publish",
    "api:take-go", "api:take-stop", "api:take-publish", "api:take-picture",
)  # fmt: skip


BEGINNINGS = (
    "beginning", "beginning-frame", "beginning-stop", "beginning-again",
    "api:beginning", "api:beginning-cancel", "api:beginning-retry",
)  # fmt: skip


def a_beginning(board: Board) -> int:
    """A first image of Ada's that forms."""
    ada = Member.objects.get(username="ada")
    words = {"prompt": "a hill", "preset": "klein", "key": "a beginning"}
    return beginnings.begin(member=ada, board=board, **words).pk


def a_take(image: Image) -> int:
    """A finished take of Ada's draft."""
    ada = Member.objects.get(username="ada")
    [take] = drafts.take_turn(member=ada, to=image, prompt="make it night", key="a take")
    come_out(take.job)
    drafts.take_in(take.job)
    return take.pk


FILM_DOORS = ("film", "film-file", "film-stop", "film-share", "film-unshare", "film-remove")


def a_film(image: Image, maker: Member) -> Film:
    """A finished film of an image with what it came from, and a link that was made for it."""
    file = image.file("thumb")
    assert file is not None
    made = Film.objects.create(
        image=image, kind="lineage", format="mp4", maker=maker, state="done", name=file.name,
        mime=file.mime, bytes=file.bytes, sha256=file.sha256, token="a-token",
    )  # fmt: skip
    made.shown.set([image])
    return made


#: Routes about one word of a board.
WORD_DOORS = ("board-word", "board-word-delete", "api:board-word")


def a_word(board: Board | None) -> Word:
    """A word that the darkroom was taught."""
    steps = [{"name": "rain", "settings": {}}]
    return Word.objects.create(
        board=board, term="wash day", folded="wash day", means="rain", steps=steps
    )


def a_link(image: Image, other: Image) -> SimilarityLink:
    """A resonance between two images."""
    lower, higher = sorted([image, other], key=lambda each: each.pk)
    return SimilarityLink.objects.create(
        lower=lower,
        higher=higher,
        model="wf1",
        state="strong",
        cosine=0.9,
        percentile=0.99,
        rank_of_higher=1,
        rank_of_lower=1,
        among=100,
    )


#: Calls of the API that take a file, in a form.
FORMS = ("api:images", "api:masks", "api:reply-upload")


def ask_for(world: World, row: Row, who: str) -> HttpResponse:
    """Do it as somebody; whatever came of it is undone."""
    client = Client()
    member = world.cast[who]
    if member is not None:
        client.force_login(member)
    address = reverse(row.name, args=world.args[row.name])
    words = WORDS.get(row.name, {})
    is_json = row.name.startswith("api:") and row.name not in FORMS
    json = {"content_type": "application/json"} if is_json else {}
    with transaction.atomic():
        if row.verb == "post":
            answer = client.post(address, words, **json)
        else:
            answer = client.get(address, words) if row.verb == "get" else client.delete(address)
        transaction.set_rollback(True)
    return answer


def said(answer: HttpResponse) -> str:
    """The status, or "in" for the way to the sign-in page."""
    if answer.status_code == 302 and answer.headers["Location"].startswith("/account/login/"):
        return IN
    return str(answer.status_code)


@pytest.mark.django_db
@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.verb} {row.name}")
def test_everybody_is_answered_as_the_table_says(row):
    world = the_world()
    found = tuple(said(ask_for(world, row, who)) for who in CAST)
    assert found == row.answers, f"{row.verb} {row.name} is {' '.join(found)}"


@pytest.mark.django_db
def test_what_is_hidden_and_what_is_not_there_are_told_alike():
    world = the_world()
    hidden = [row for row in rows() if row.verb == "get" and row.answers[1] == "404"]
    nowhere = World(world.cast, {name: missing(args) for name, args in world.args.items()})
    assert len(hidden) >= 15
    for row in hidden:
        told = [words_of(ask_for(each, row, "stranger")) for each in (world, nowhere)]
        assert told[0] == told[1], row.name


def missing(args: list[Any]) -> list[Any]:
    """The same address with something that does not exist."""
    first = 999_999 if args and isinstance(args[0], int) else "nowhere"
    return [first, *args[1:]] if args else args


def words_of(answer: HttpResponse) -> str:
    """An answer without what names its own address or is drawn anew each time."""
    text = answer.content.decode()
    text = re.sub(r'csrf[mM]iddleware[tT]oken" value="[^"]*"|X-CSRFToken":"[^"]*"', "", text)
    return re.sub(
        r"/(members|boards|images|threads|replies|masks|nulls|takes|films|begin)/[^\"<]*", "", text
    )


# --- sockets ----------------------------------------------------------------------------------

#: Route of a socket -> what each of CAST is answered: a seat, or the code it is closed with.
SOCKETS = {
    "ws/threads/<int:thread_id>/": ("4403", "4403", "seat", "seat", "seat"),
    "ws/stream/": ("seat", "seat", "seat", "seat", "seat"),
    "ws/waiting/": ("seat", "seat", "seat", "seat", "seat"),
    "ws/drafts/<int:image_id>/": ("4403", "4403", "seat", "seat", "seat"),
    "ws/beginnings/<int:beginning_id>/": ("4403", "4403", "seat", "4403", "4403"),
    "": ("4404", "4404", "4404", "4404", "4404"),
}


def test_every_socket_has_a_row():
    assert {str(each.pattern) for each in patterns} == set(SOCKETS)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("route", "answers"), SOCKETS.items())
async def test_sockets_answer_as_the_table_says(route, answers):
    world = await sync_to_async(the_world)()
    for name in ("thread", "image", "beginning"):
        pk = world.args[name][0]
        route = route.replace(f"<int:{name}_id>", str(pk))
    path = "/" + route or "/nothing/"
    found = tuple([await knock(path, world.cast[who]) for who in CAST])
    assert found == answers, route


async def knock(path: str, member: Member | None) -> str:
    """A seat, or the code with which the socket is closed."""
    wire = WebsocketCommunicator(URLRouter(patterns), path)
    wire.scope["user"] = member or AnonymousUser()
    await wire.connect()
    # A seat with nothing to show yet is silent; a refusal comes at once.
    silent = await wire.receive_nothing(1.0)
    answer = {"type": "nothing"} if silent else await wire.receive_output(5)
    await wire.disconnect()
    return str(answer["code"]) if answer["type"] == "websocket.close" else "seat"
