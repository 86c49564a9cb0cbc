"""Database, bus and web are broken under load, through the real doors; nothing is lost or doubled."""

import signal
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import psycopg
import pytest

from forum.running.processes import until
from tests.faults.driver import LOST, Member, Poster, Watchers, posting
from tests.faults.house import ROOT, House, busy

pytestmark = pytest.mark.fault

#: Members here ask for more than people do.
PLENTY = {
    "FORUM_PRESETS": str(ROOT / "tests" / "faults" / "presets.toml"),
    "FORUM_EDITS_PER_HOUR": "100000",
    "FORUM_EDITS_AT_ONCE": "100000",
    "FORUM_API_PER_MINUTE": "1000000",
    "FORUM_PAGES_PER_MINUTE": "1000000",
}
#: What may be said while the database is away: come again, or nothing at all.
AWAY = {202, 503, LOST}
AWAY_FOR = 5.0  # seconds until a post is accepted, on a machine that does nothing else


@pytest.fixture(scope="module")
def home() -> Iterator[House]:
    """A running house for all tests of this file."""
    made = House(PLENTY)
    try:
        made.start(180)
        yield made
    finally:
        made.remove()


@pytest.fixture(scope="module")
def member(home: House) -> Member:
    """The owner, by a token."""
    return Member(home, home.token())


@pytest.fixture
def image(member: Member) -> int:
    """A picture of this test's own, on a public board."""
    return member.post_image(member.make_board())


def assert_all_well(home: House, member: Member, ledger: dict[str, int]) -> None:
    """Each key has one reply, each reply one image, and the audit finds nothing."""
    home.wait_until_well()
    begun = time.monotonic()
    home.wait_until_quiet(150)
    tries = home.ask("SELECT attempt, count(*) FROM generation_job GROUP BY 1 ORDER BY 1")
    print(f"quiet after {time.monotonic() - begun:.1f} s, tries {tries}")
    replies = list(ledger.values())
    assert len(set(replies)) == len(replies) > 0
    found = {pk: member.reads(pk) for pk in replies}
    assert until(lambda: all(member.reads(pk)["state"] == "done" for pk in replies), 90, 1), {
        pk: (words["state"], words["error"]) for pk, words in found.items()
    }
    images = home.ask(
        "SELECT count(*), count(DISTINCT i.job) FROM forum_reply r JOIN forum_image i"
        f" ON i.job = r.job WHERE r.id IN ({','.join(map(str, replies))})"
    )
    assert images == [(len(replies), len(replies))]
    assert until(lambda: not home.audit(), 150, 5), home.audit()


def assert_no_stranger_words(poster: Poster) -> None:
    """Refusals are sentences, without a trace, a statement or a path."""
    for said in poster.refusals:
        assert not any(word in said for word in ("Traceback", "psycopg", "SELECT", "/home", ".py"))


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_f4_a_restarted_database_loses_nothing(
    home: House, member: Member, image: int, how: str, times: Callable[[int], int]
):
    sign = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}[how]
    web = home.pids()["web"]
    with ExitStack() as crowd:
        posters = [crowd.enter_context(posting(member, image, "8 x 0.05", 0.3)) for _ in range(3)]

        def accepted() -> int:
            return sum(len(each.ledger) for each in posters)

        for _ in range(max(1, times(10) // 2)):
            wanted = accepted() + 6
            assert until(lambda: accepted() >= wanted, 60)  # noqa: B023
            old = home.signal("database", sign)
            home.wait_for_another("database", old, 60)
            home.wait_until_well(90)
    for poster in posters:
        assert set(poster.statuses) <= AWAY, (poster.statuses, poster.refusals)
        assert_no_stranger_words(poster)
        assert poster.longest < AWAY_FOR * busy()
    print(how, [(dict(each.statuses), round(each.longest, 1)) for each in posters])
    assert_all_well(home, member, {key: pk for each in posters for key, pk in each.ledger.items()})
    assert home.pids()["web"] == web


def end_listeners(home: House) -> int:
    """Cut every connection that listens, the web's and the workers'. How many there were."""
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE pid <> pg_backend_pid() AND (application_name = 'gegenbild bus'"
        " OR query ILIKE 'LISTEN %')"
    )
    try:
        [[count]] = home.ask(cut)
    except psycopg.Error:
        return 0
    return int(count)


def test_f6_a_lost_bus_is_caught_up(home: House, member: Member, image: int, times):
    with Watchers(home, image, 10) as watchers, posting(member, image, "2 x 0.05", 1.0) as poster:
        assert until(lambda: watchers.present == 10, 60)
        begun, cut = time.monotonic(), 0
        while time.monotonic() - begun < times(20) * 2 + 4:
            cut += end_listeners(home)
            time.sleep(0.4)
        assert cut >= 4
        poster.finish()
        assert set(poster.statuses) == {202}, (poster.statuses, poster.refusals)
        home.wait_until_quiet()
        newest = newest_answers(home, image)
        assert_all_see(watchers, newest)
        assert watchers.present == 10
        print(cut, "listeners cut;", dict(watchers.closes), dict(poster.statuses))
        assert not any(str(code).startswith("HTTP") for code in watchers.closes), watchers.closes
    assert_all_well(home, member, poster.ledger)


def assert_all_see(watchers: Watchers, newest: dict[int, int]) -> None:
    """Within ten seconds, and what a busy machine adds."""
    assert until(lambda: not watchers.missing(newest), 20, 0.2), watchers.missing(newest)


def newest_answers(home: House, image: int) -> dict[int, int]:
    """Reply to image of the answers that a page shows, once all have come into being."""
    rows: list[tuple[int, int | None]] = []

    def all_there() -> bool:
        nonlocal rows
        rows = home.ask(
            f"SELECT id, image_id FROM forum_reply WHERE to_id = {image} ORDER BY id DESC LIMIT 24"
        )
        return all(found is not None for _, found in rows)

    assert until(all_there, 90, 0.2), rows
    return {pk: found for pk, found in rows if found is not None}


def test_f7_a_killed_web_process_leaves_nobody_behind(
    home: House, member: Member, image: int, times: Callable[[int], int]
):
    with Watchers(home, image, 30) as watchers:
        for _ in range(1 if times(20) == 3 else 5):
            assert until(lambda: watchers.present == 30, 60), watchers.closes
            with posting(member, image, "2 x 0.05", 0.3) as poster:
                assert until(lambda: len(poster.ledger) >= 4, 60)
                old = home.signal("web", signal.SIGKILL)
                home.wait_for_another("web", old, 60)
                seen = len(poster.ledger)
                assert until(lambda: len(poster.ledger) > seen + 3, 90)  # noqa: B023
            home.wait_until_quiet()
            newest = newest_answers(home, image)
            assert until(lambda: watchers.present == 30, 60), watchers.closes
            assert_all_see(watchers, newest)
            assert set(poster.statuses) <= {202, LOST}, (poster.statuses, poster.refusals)
            assert_all_well(home, member, poster.ledger)
        print(dict(watchers.closes), dict(poster.statuses), watchers.connects)
        assert watchers.connects >= 60
        assert not any(str(code).startswith("HTTP") for code in watchers.closes), watchers.closes


def test_f8_the_same_key_makes_one_reply(home: House, member: Member, image: int):
    before = home.ask("SELECT count(*) FROM forum_reply")[0][0]
    key, prompt = uuid.uuid4().hex, "2 x 0.05"
    with ThreadPoolExecutor(10) as people:
        answers = list(people.map(lambda _: member.reply(image, prompt, key), range(10)))
    assert {answer.status for answer in answers} == {202}, answers
    assert len({(answer.words["id"], answer.words["url"]) for answer in answers}) == 1
    home.wait_until_quiet()
    later = member.reply(image, prompt, key)
    assert (later.status, later.words["url"]) == (202, answers[0].words["url"])
    other = member.reply(image, "3 x 0.05", key)
    assert other.status == 409 and "key_reused" in other.words
    assert home.ask("SELECT count(*) FROM forum_reply") == [(before + 1,)]
    assert_all_well(home, member, {key: later.words["id"]})


def test_f13_a_web_process_that_ends_says_come_back(home: House, member: Member, image: int):
    with Watchers(home, image, 10) as watchers:
        assert until(lambda: watchers.present == 10, 60)
        begun = time.monotonic()
        old = home.signal("web", signal.SIGTERM)
        home.wait_for_another("web", old, 60)
        assert time.monotonic() - begun < 25  # 20 s for the farewell, and the house's own pause
        assert until(lambda: watchers.present == 10, 60), watchers.closes
        assert watchers.closes[1012] == 10, watchers.closes
    home.wait_until_well()
