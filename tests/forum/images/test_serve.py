"""Every byte passes a permission check, at every fetch, and comes with the right words around it."""

import re

import pytest
from django.core.files.storage import default_storage

from forum.boards.models import Membership
from forum.images import actions
from tests.forum.images.conftest import a_result

pytestmark = pytest.mark.django_db

ROLES = ("display", "thumb", "original")


def address(image, role: str = "display") -> str:
    return f"/images/{image.pk}/files/{role}"


def content(image, role: str = "display") -> bytes:
    with default_storage.open(image.file(role).name) as file:
        return file.read()


@pytest.fixture
def cast(lin, ada, wen, moderator, owner, browse):
    """Everybody, and what each is answered: `cast(address)`."""
    people = {
        "visitor": None, "lin": lin, "ada": ada, "wen": wen, "moss": moderator, "olga": owner
    }  # fmt: skip
    return lambda path: {name: browse(who).get(path).status_code for name, who in people.items()}


def allowed(answers: dict[str, int]) -> set[str]:
    """Who got the bytes; everybody else must have found nothing."""
    assert set(answers.values()) <= {200, 404}
    return {name for name, status in answers.items() if status == 200}


ALL = {"visitor", "lin", "ada", "wen", "moss", "olga"}


@pytest.mark.parametrize("role", ["display", "thumb"])
@pytest.mark.parametrize(
    ("board", "seen_by"),
    [("plaza", ALL), ("salon", ALL - {"visitor"}), ("rivers", ALL - {"visitor", "wen"})],
)
def test_renditions_are_for_those_who_see_the_board(
    board, seen_by, role, lin, original, cast, request
):
    image = original(request.getfixturevalue(board), lin)
    assert allowed(cast(address(image, role))) == seen_by


@pytest.mark.parametrize("board", ["plaza", "salon", "rivers"])
def test_an_uploaded_original_is_for_its_author_and_moderators(board, lin, original, cast, request):
    """It may hold the place where it was taken."""
    image = original(request.getfixturevalue(board), lin)
    assert allowed(cast(address(image, "original"))) == {"lin", "moss", "olga"}


def test_the_original_of_a_derivative_is_for_all_who_see_it(plaza, lin, original, derivative, cast):
    image = derivative(original(plaza, lin), author=lin)
    assert allowed(cast(address(image, "original"))) == ALL


def test_frames_of_a_strip_by_number(plaza, lin, original, derivative, browse):
    image = derivative(original(plaza, lin), result=a_result(strip=2))
    answers = [browse().get(address(image, f"strip-{n}")).status_code for n in range(3)]
    assert answers == [200, 200, 404]


def test_a_removed_member_sees_nothing_any_more(rivers, lin, ada, original, browse):
    image, client = original(rivers, lin), browse(ada)
    assert client.get(address(image)).status_code == 200
    Membership.objects.filter(member=ada).delete()
    assert client.get(address(image)).status_code == 404


def test_a_known_etag_opens_no_door(rivers, lin, wen, original, browse):
    image = original(rivers, lin)
    etag = browse(lin).get(address(image))["ETag"]
    assert browse(wen).get(address(image), headers={"if-none-match": etag}).status_code == 404


def test_a_banned_member_is_a_visitor(salon, lin, original, browse):
    image = original(salon, lin)
    lin.is_active = False
    lin.save()
    assert browse(lin).get(address(image)).status_code == 404


@pytest.mark.parametrize(
    "role", ["strip", "strip-", "strip-1234", "master", "Display", "display.css", "../x"]
)
def test_what_is_no_role_is_nothing(role, plaza, lin, original, browse):
    assert browse(lin).get(address(original(plaza, lin), role)).status_code == 404


def test_an_unknown_image_is_nothing(db, browse):
    assert browse().get("/images/999999999999999999/files/display").status_code == 404


def test_refusals_of_private_and_missing_are_alike(rivers, lin, wen, original, browse):
    image, client = original(rivers, lin), browse(wen)
    bodies = [
        # The page holds a token of its own each time, and the address itself.
        re.sub(rb"[A-Za-z0-9]{64}|/images/\d+", b"", client.get(path).content)
        for path in (address(image), "/images/987654/files/display")
    ]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_files_are_only_read(method, plaza, lin, original, browse):
    assert getattr(browse(lin), method)(address(original(plaza, lin))).status_code == 405


@pytest.mark.parametrize("role", ROLES)
def test_the_words_around_the_bytes(role, plaza, lin, original, browse):
    image = original(plaza, lin)
    answer = browse(lin).get(address(image, role))
    file = image.file(role)
    assert answer.content == content(image, role)
    assert answer["Content-Type"] == file.mime
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["ETag"] == f'"{file.sha256}"'
    place, _semicolon, name = answer["Content-Disposition"].partition("; ")
    assert place == ("attachment" if role == "original" else "inline")
    ending = "jpg" if role == "original" else "webp"
    assert name == f'filename="image-{image.pk}-{role}.{ending}"'
    assert "Cookie" in answer["Vary"]


def test_caches_keep_only_what_everybody_may_see(plaza, salon, rivers, lin, original, browse):
    kept = browse(lin).get(address(original(plaza, lin)))["Cache-Control"]
    assert kept == "private, max-age=31536000, immutable"
    for board in (salon, rivers):
        assert (
            browse(lin).get(address(original(board, lin)))["Cache-Control"] == "private, no-store"
        )


def test_a_known_file_is_not_sent_again(plaza, lin, original, browse):
    image = original(plaza, lin)
    etag = f'"{image.file("display").sha256}"'
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        answer = browse().get(address(image), headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer["ETag"] == etag
    assert browse().get(address(image), headers={"if-none-match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-9", 0, 10),
        ("bytes=5-", 5, None),
        ("bytes=-7", -7, None),
        ("bytes=3-99999999", 3, None),
    ],
)
def test_one_range_is_sent(asked, start, end, plaza, lin, original, browse):
    image = original(plaza, lin)
    whole = content(image)
    answer = browse().get(address(image), headers={"range": asked})
    assert (answer.status_code, answer.content) == (206, whole[start:end])
    first = start % len(whole)
    assert (
        answer["Content-Range"] == f"bytes {first}-{first + len(answer.content) - 1}/{len(whole)}"
    )


@pytest.mark.parametrize(
    "asked",
    ["bytes=0-1,4-5", "bytes=99999999-", "bytes=-", "bytes=9-3", "bytes=-0"]
    + [f"bytes=0-{'9' * 5000}", f"bytes=-{'9' * 5000}"],
)
def test_other_ranges_are_refused(asked, plaza, lin, original, browse):
    image = original(plaza, lin)
    answer = browse().get(address(image), headers={"range": asked})
    assert (answer.status_code, answer.content) == (416, b"")
    assert answer["Content-Range"] == f"bytes */{image.file('display').bytes}"


def test_a_range_of_another_version_is_the_whole(plaza, lin, original, browse):
    image = original(plaza, lin)
    words = {"range": "bytes=0-9", "if-range": '"other"'}
    assert browse().get(address(image), headers=words).content == content(image)


def test_head_says_the_same_without_bytes(plaza, lin, original, browse):
    image = original(plaza, lin)
    answer = browse().head(address(image))
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer["Content-Length"] == str(image.file("display").bytes)


def test_nginx_is_told_where_it_lies(rivers, lin, wen, original, browse, settings):
    settings.FORUM_X_ACCEL = "/protected/"
    image = original(rivers, lin)
    answer = browse(lin).get(address(image))
    assert answer["X-Accel-Redirect"] == f"/protected/{image.file('display').name}"
    assert (answer.content, answer["Cache-Control"]) == (b"", "private, no-store")
    refusal = browse(wen).get(address(image))
    assert (refusal.status_code, refusal.headers.get("X-Accel-Redirect")) == (404, None)


def test_other_sites_cannot_show_what_is_not_public(plaza, salon, lin, original, browse):
    words = {"sec-fetch-site": "cross-site"}
    client = browse(lin)
    assert client.get(address(original(plaza, lin)), headers=words).status_code == 200
    assert client.get(address(original(salon, lin)), headers=words).status_code == 404


def test_a_missing_file_is_nothing_and_no_fault(plaza, lin, original, browse):
    image = original(plaza, lin)
    default_storage.delete(image.file("display").name)
    assert browse().get(address(image)).status_code == 404


def test_a_file_costs_one_query_beside_the_session(
    plaza, lin, original, browse, django_assert_num_queries
):
    image, client = original(plaza, lin), browse(lin)
    with django_assert_num_queries(3):  # session, member, file with image and board
        client.get(address(image))


def test_bytes_are_gone_with_the_image(plaza, lin, original, browse):
    image = original(plaza, lin)
    actions.withdraw(image=image, by=lin)
    assert [browse(lin).get(address(image, role)).status_code for role in ROLES] == [404] * 3
