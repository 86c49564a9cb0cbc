"""How long does the image page take with 1, 100 and 10,000 replies?

    python benchmarks/image_page.py [--rounds 60]

Starts an embedded PostgreSQL of its own and asks for the page as a signed-in member through all of
Django's middleware, in this process: server time without network. Counts the questions to the
database too. Results go to benchmarks/results/image_page.md.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from forum.running.postgres import EmbeddedPostgres

HERE = Path(__file__).parent
SIZES = (1, 100, 10_000)
MOST_MS, MOST_QUERIES = 25.0, 12


@dataclass(frozen=True)
class Figures:
    """Milliseconds of each round by the clock and of this process's own work; questions of one."""

    wall: list[float]
    work: list[float]
    queries: int


@contextmanager
def house() -> Iterator[None]:
    """A migrated, empty instance in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="gegenbild-bench-"))
    os.chmod(folder, 0o755)
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    os.environ |= {
        "DATABASE_URL": server.url("postgres"),
        "FORUM_DATA_DIR": str(folder / "data"),
        "SECRET_KEY": "a key for a benchmark, long enough",
        "DJANGO_SETTINGS_MODULE": "forum.settings",
        "ALLOWED_HOSTS": "testserver",
    }
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    import forum.asgi  # noqa: F401  as the web process begins

    try:
        call_command("migrate", verbosity=0)
        yield
    finally:
        connection.close()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def crowd(replies: int) -> str:
    """A thread whose first image has so many answers, two of them forming. The page's address."""
    from forum.boards.models import Board
    from forum.members.models import Member
    from forum.threads.models import Reply
    from tests.factories import a_thread, an_upload_reply, ask

    member = Member.objects.get(username="lin")
    board, _ = Board.objects.get_or_create(slug="plaza", title="Plaza")
    image = a_thread(board, member).first_image
    first = an_upload_reply(image, member)
    Reply.objects.bulk_create(
        (
            Reply(
                thread=first.thread,
                to=image,
                author=member,
                image=first.image,
                kind="upload",
                state="done",
                key=f"{image.pk}-{number}",
                content="",
            )
            for number in range(replies - 1)
        ),
        batch_size=2000,
    )
    ask(member, image, key=f"{image.pk}-forming")
    return image.get_absolute_url()


def measure(address: str, rounds: int) -> Figures:
    """Ask for the page so many times, after a few that warm up."""
    from django.db import connection
    from django.test import Client

    from forum.members.models import Member

    client = Client()
    client.force_login(
        Member.objects.get(username="lin"), "allauth.account.auth_backends.AuthenticationBackend"
    )
    for _ in range(5):
        assert client.get(address).status_code == 200
    asked: list[str] = []

    def count(execute: Any, sql: str, *rest: Any) -> Any:
        asked.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(count):
        client.get(address)
    wall, work = [], []
    for _ in range(rounds):
        start, worked = time.perf_counter(), time.process_time()
        client.get(address)
        wall.append(1000 * (time.perf_counter() - start))
        work.append(1000 * (time.process_time() - worked))
    return Figures(wall, work, len(asked))


def report(rows: list[tuple[int, Figures]]) -> str:
    """The table as Markdown."""
    lines = [
        "# The image page",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, embedded PostgreSQL, server time in"
        f" this process, signed in, one reply forming. Load of the machine: {os.getloadavg()[0]:.1f}.",
        "",
        "| replies | p50 ms | p95 ms | own CPU p50 ms | against 1 reply | queries |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    one = statistics.median(rows[0][1].wall)
    for replies, each in rows:
        p50, p95 = statistics.median(each.wall), statistics.quantiles(each.wall, n=20)[-1]
        lines.append(
            f"| {replies:,} | {p50:.1f} | {p95:.1f} | {statistics.median(each.work):.1f} |"
            f" {p50 / one:.2f} | {each.queries} |"
        )
    lines += ["", f"Wanted: p50 at most {MOST_MS:.0f} ms, at most {MOST_QUERIES} queries.", ""]
    return "\n".join(lines)


def main() -> int:
    """Measure, write, and say by the exit code whether the figures are reached."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--rounds", type=int, default=60)
    rounds = words.parse_args().rounds
    with house():
        from django.db import connection

        from forum.members.models import Member

        Member.objects.create_user(username="lin", password=None)
        addresses = [(replies, crowd(replies)) for replies in SIZES]
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        rows = [(replies, measure(address, rounds)) for replies, address in addresses]
    text = report(rows)
    (HERE / "results").mkdir(exist_ok=True)
    (HERE / "results" / "image_page.md").write_text(text)
    print(text)
    reached = (
        statistics.median(each.wall) <= MOST_MS and each.queries <= MOST_QUERIES for _, each in rows
    )
    return 0 if all(reached) else 1


if __name__ == "__main__":
    sys.exit(main())
