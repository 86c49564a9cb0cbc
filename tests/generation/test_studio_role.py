"""The studio's own role: a real worker under it makes real pictures, and it can do nothing else."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from forum.running.processes import until
from generation import queue
from generation.jobs import roles
from generation.models import Job, State
from generation.requests import EditRequest, ImageRef
from tests.generation.conftest import HOME
from tests.workers import PRESETS, ROOT, Workers, wait_for

NAME = "far_studio"


@pytest.fixture
def url(transactional_db: None) -> Iterator[str]:
    """The address of a new studio role."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
    out = io.StringIO()
    call_command("studio_role", NAME, stdout=out, stderr=io.StringIO())
    try:
        yield out.getvalue().strip()
    finally:
        if roles.state_of(NAME) is not None:
            call_command("studio_role", NAME, "--drop", stdout=io.StringIO())


Ask = Callable[..., int]


@pytest.fixture
def timed(stored: ImageRef, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """Ask for a picture of the preset "timed"."""
    monkeypatch.setenv("FORUM_PRESETS", str(PRESETS))

    def ask(prompt: str = "3 x 0.05") -> int:
        request = EditRequest(preset="timed", prompt=prompt, seed=7, sources=(stored,))
        return queue.submit(request, return_to=HOME, asker=5, at_once=1)

    return ask


@pytest.fixture
def far(
    url: str, workers: Workers, tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """`far()` starts a studio that knows no other address than its role's."""
    started = []

    def start(*words: str, **environment: str) -> "subprocess.Popen[str]":
        own = {
            "STUDIO_DATABASE_URL": url,
            "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing",
            "FORUM_DATA_DIR": str(tmp_path),
            "FORUM_PRESETS": str(PRESETS),
            **environment,
        }
        process = subprocess.Popen(
            [sys.executable, "manage.py", "studio", "--name", "far", *words],
            cwd=ROOT, env={**os.environ, **own}, text=True, process_group=0,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def said(process: "subprocess.Popen[str]", seconds: float = 60) -> tuple[int, str]:
    """Exit code and words of a studio that ended."""
    words, _ = process.communicate(timeout=seconds)
    return process.returncode, words


def ended(process: "subprocess.Popen[str]") -> str:
    """What a studio said, ended for that."""
    process.terminate()
    return said(process)[1]


def test_it_makes_pictures_and_sends_them_home(
    far: Callable[..., "subprocess.Popen[str]"], timed: Ask, workers: Workers
) -> None:
    """End to end under the role: claimed, made, stored, returned; one refused, one cancelled."""
    process = far("--queues", "edit:timed,embed", "--hosts", "1")
    jobs = [timed() for _ in range(3)]
    refused = timed("refuse 3 x 0.05")
    made = [wait_for(job, State.DONE, State.FAILED, seconds=90) for job in jobs]
    assert not [job.reason for job in made if job.state != State.DONE], ended(process)
    assert all(default_storage.exists(job.result["file"]["name"]) for job in made if job.result)
    assert wait_for(refused, State.FAILED).reason == "source_refused"
    long = timed("400 x 0.05")
    wait_for(long, State.RUNNING)
    assert queue.cancel(long)
    home = ProcrastinateJob.objects.filter(queue_name="light")
    names = {row.queueing_lock: row.task_name for row in home}
    assert {names[f"home:{job}"] for job in jobs} == {HOME}
    assert names[f"home:{refused}"] == "forum.receive_failure"
    assert "far" in {each.name for each in queue.workers()}
    process.terminate()
    code, words = said(process)
    assert code == 0, words
    assert "serves timed" in words
    assert "permission denied" not in words and "row-level security" not in words, words


def test_the_sweep_works_under_the_role(
    far: Callable[..., "subprocess.Popen[str]"], timed: Ask
) -> None:
    """A job whose worker died is rescued by a studio alone, with no worker of the house about."""
    job = timed()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs")
        cursor.execute(
            "UPDATE generation_job SET state = 'running', token = gen_random_uuid(), attempt = 1,"
            " lease_until = now() - interval '1 minute', started_at = now() WHERE id = %s",
            [job],
        )
    far("--queues", "edit:timed", "--hosts", "1")
    assert wait_for(job, seconds=90).attempt == 2


def test_it_sees_nothing_of_the_house(url: str) -> None:
    """Of all tables there are, only the studio's; of no sequence more than it needs."""
    allowed = {table for _, table in roles.RIGHTS}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, privilege FROM pg_tables, unnest(ARRAY['SELECT', 'INSERT',"
            " 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) privilege"
            " WHERE schemaname = 'public'"
            " AND (has_table_privilege(%s, quote_ident(tablename), privilege)"
            " OR privilege IN ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES')"
            " AND has_any_column_privilege(%s, quote_ident(tablename), privilege))",
            [NAME, NAME],
        )
        rights = cursor.fetchall()
    assert {table for table, _ in rights} == allowed
    assert ("generation_job", "DELETE") not in rights
    assert ("generation_job", "INSERT") not in rights
    assert not [right for right in rights if right[1] in ("TRUNCATE", "REFERENCES", "TRIGGER")]


FORBIDDEN = [
    "SELECT * FROM forum_member",
    "SELECT * FROM django_session",
    "SELECT * FROM forum_image",
    "SELECT * FROM forum_token",
    "DELETE FROM generation_job",
    "TRUNCATE generation_job",
    "UPDATE generation_job SET asker = 1",
    "UPDATE generation_job SET return_to = 'forum.other'",
    "UPDATE generation_job SET request = '{}'",
    "INSERT INTO generation_job (task) VALUES ('edit')",
    "UPDATE generation_switch SET paused = true",
    "CREATE TABLE mine (id int)",
    "ALTER TABLE procrastinate_jobs DISABLE ROW LEVEL SECURITY",
    "CREATE ROLE another",
    "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
    " VALUES ('light', 'forum.relink', '{}')",
    "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
    " VALUES ('edit:timed', 'forum.receive_result', '{}')",
    "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock, args)"
    " VALUES ('light', 'forum.relink', 'home:1', '{\"job_id\": 1}')",
    "UPDATE procrastinate_jobs SET queue_name = 'light' WHERE queue_name = 'edit:timed'",
    "UPDATE procrastinate_jobs SET task_name = 'forum.relink' WHERE queue_name = 'edit:timed'",
]


def test_what_it_may_not(url: str, timed: Ask) -> None:
    """Each is refused by the database itself."""
    timed()
    passed = []
    for statement in FORBIDDEN:
        with psycopg.connect(url) as far:
            try:
                far.execute(statement)
            except psycopg.errors.InsufficientPrivilege:
                far.rollback()
            else:
                passed.append(statement)
    assert not passed


def test_what_was_asked_and_made_before_is_closed(url: str, timed: Ask) -> None:
    """Prompts of jobs that ended are not read, and what was made is not changed; open ones are."""
    waiting, told, untold, lately = timed(), timed("secret told"), timed("b"), timed("c")
    with connection.cursor() as cursor:
        cursor.execute(
            'UPDATE generation_job SET state = \'done\', result = \'{"file": {"name": "x"}}\','
            " ended_at = now() - make_interval(mins => CASE id WHEN %s THEN 1 ELSE 60 END),"
            " taken_in_at = CASE id WHEN %s THEN NULL ELSE now() END WHERE id <> %s",
            [lately, untold, waiting],
        )
    with psycopg.connect(url, autocommit=True) as far:
        seen = {row[0] for row in far.execute("SELECT id FROM generation_job")}
        assert seen == {waiting, untold, lately}
        for change in ("result = NULL, state = 'waiting'", "result = '{}'", "state = 'failed'"):
            done = far.execute(f"UPDATE generation_job SET {change} WHERE id <> {waiting}")
            assert done.rowcount == 0, change
        assert far.execute("UPDATE generation_job SET detail = 'x'").rowcount == 1
        # Fairness counts them all the same, and a strange storage is still found out.
        Job.objects.filter(pk=told).update(circle="board.1")
        had = far.execute("SELECT * FROM generation_had(ARRAY['board.1'])").fetchall()
        assert had == [(5, "board.1", 1)]
        names = [row[0] for row in far.execute("SELECT * FROM generation_stored_lately()")]
        assert "x" in names and not [name for name in names if "secret" in name]
    assert Job.objects.get(pk=told).state == State.DONE


def test_only_a_studio_may_ask_about_ended_jobs(url: str) -> None:
    """The two functions run with their owner's rights, so nobody else may call them."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE passer_by LOGIN")
        try:
            for name in roles.FUNCTIONS:
                cursor.execute(
                    "SELECT has_function_privilege('passer_by', %s, 'EXECUTE'),"
                    " has_function_privilege(%s, %s, 'EXECUTE')", [name, NAME, name],
                )  # fmt: skip
                assert cursor.fetchone() == (False, True)
        finally:
            cursor.execute("DROP ROLE passer_by")


def test_tasks_of_the_house_are_as_if_they_were_not_there(url: str, timed: Ask) -> None:
    """Rows of other queues can be neither read, nor taken, nor removed."""
    queue.post("forum.relink", queue="light", secret="a word")
    timed()
    with psycopg.connect(url, autocommit=True) as far:
        rows = far.execute("SELECT queue_name FROM procrastinate_jobs").fetchall()
        assert rows == [("edit:timed",)]
        assert far.execute("DELETE FROM procrastinate_jobs").rowcount == 1
        taken = far.execute("SELECT id FROM procrastinate_fetch_job_v2(NULL, NULL)").fetchone()
        assert taken == (None,)
    assert ProcrastinateJob.objects.get().task_name == "forum.relink"


def test_asking_again_gives_a_new_password_and_the_same_rights(url: str, tmp_path: Path) -> None:
    """An upgrade may bring new tables; the old password ends."""
    kept = "SELECT rolpassword FROM pg_authid WHERE rolname = %s"
    with connection.cursor() as cursor:
        cursor.execute(kept, [NAME])
        before = cursor.fetchone()
        out = io.StringIO()
        call_command("studio_role", NAME, "--host", "db.example:5433", stdout=out, stderr=out)
        cursor.execute(kept, [NAME])
        after = cursor.fetchone()
    assert before != after and after[0].startswith("SCRAM-SHA-256$")
    parts = urlsplit(out.getvalue().split()[0])
    assert (parts.username, parts.hostname, parts.port) == (NAME, "db.example", 5433)
    assert parts.password and parts.password not in after[0]
    test_it_sees_nothing_of_the_house(url)


def test_dropping_ends_its_connections(url: str, timed: Ask) -> None:
    """And leaves everybody else as they were."""
    with psycopg.connect(url, autocommit=True) as far:
        call_command("studio_role", NAME, "--drop", stdout=io.StringIO())
        assert until(lambda: broken(far), 10)
    assert roles.state_of(NAME) is None
    timed()
    assert Job.objects.count() == ProcrastinateJob.objects.count() == 1


def broken(far: "psycopg.Connection[tuple[object, ...]]") -> bool:
    """Whether a connection has ended."""
    try:
        far.execute("SELECT 1")
    except psycopg.Error:
        return True
    return False


@pytest.mark.parametrize("name", ["me", "Bad-Name", "a; DROP TABLE x", "pg_monitor"])
def test_roles_of_others_are_left_alone(transactional_db: None, name: str) -> None:
    """One line, exit code 2."""
    name = connection.settings_dict["USER"] if name == "me" else name
    for words in ([name], [name, "--drop"]):
        with pytest.raises(CommandError) as caught:
            call_command("studio_role", *words, stdout=io.StringIO())
        assert caught.value.returncode == 2


def test_a_studio_without_rights_says_so(
    far: Callable[..., "subprocess.Popen[str]"], url: str
) -> None:
    """One line and exit code 2 for each: no rights, no password, no server."""
    with connection.cursor() as cursor:
        cursor.execute(f"REVOKE ALL ON generation_job FROM {NAME}")
    code, words = said(far("--queues", "edit:timed"))
    assert code == 2 and "may not take jobs" in words and "Traceback" not in words
    code, words = said(far(STUDIO_DATABASE_URL="postgres://x@127.0.0.1:9/y"))
    assert code == 2 and "does not let us in" in words and "Traceback" not in words


def test_a_studio_with_another_storage_says_so(
    far: Callable[..., "subprocess.Popen[str]"], timed: Ask, tmp_path: Path
) -> None:
    """The newest jobs' files must be in it; and it must be writable."""
    timed()
    (tmp_path / "elsewhere").mkdir()
    words = ("--queues", "edit:timed", "--check")
    code, out = said(far(*words, FORUM_DATA_DIR=str(tmp_path / "elsewhere")))
    assert code == 2 and "not the forum's" in out and "Traceback" not in out
    code, out = said(far(*words))
    assert code == 0 and "serves timed" in out
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "media").write_text("no folder")
    code, out = said(far(*words, FORUM_DATA_DIR=str(tmp_path / "full")))
    assert code == 2 and "cannot be written" in out and "Traceback" not in out


def test_a_studio_takes_nothing_of_the_house(far: Callable[..., "subprocess.Popen[str]"]) -> None:
    """Messages home are for the house's own worker."""
    code, words = said(far("--queues", "light"))
    assert code == 2 and "manage.py worker" in words
