"""The studio's own database role: it takes jobs and returns them, and sees nothing of the house.

Rights are given by table and column. procrastinate keeps everybody's tasks in one table, so there
the rows are told apart as well: the role sees the studio's queues and its own messages home, and a
message home must be the one that a job asked for. Of jobs it sees those that are open, and those that
ended a moment ago or are not taken in yet: what was asked before is none of its business, and what
was made stays as it is.
"""

import logging
import re
import secrets
from typing import Any, LiteralString

import psycopg
from django.db import connection, transaction
from psycopg import sql

from generation.jobs.posting import FAILURES_TO, LIGHT

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")
#: Written as the role's comment: no other role is ever changed or dropped here.
MARK = "A studio of this forum: made by manage.py studio_role."
#: Columns of a job that its worker writes. Who asked, for what, and where it goes stay as they are.
WRITTEN = (
    "state", "token", "attempt", "lease_until", "started_at", "ended_at", "result", "reason",
    "detail", "priority", "seconds",
)  # fmt: skip
RIGHTS: tuple[tuple[LiteralString, LiteralString], ...] = (
    ("SELECT", "generation_job"),
    ("SELECT, INSERT, UPDATE, DELETE", "generation_preview"),
    ("SELECT, INSERT, UPDATE, DELETE", "generation_worker"),
    ("SELECT, INSERT, UPDATE, DELETE", "generation_turn"),
    ("SELECT, INSERT, UPDATE", "generation_pace"),
    ("SELECT", "generation_switch"),
    ("SELECT, INSERT, UPDATE, DELETE", "procrastinate_jobs"),
    ("SELECT, INSERT, UPDATE, DELETE", "procrastinate_events"),
    ("SELECT, INSERT, UPDATE, DELETE", "procrastinate_periodic_defers"),
    ("SELECT, INSERT, UPDATE, DELETE", "procrastinate_workers"),
)
SEQUENCES = (
    "generation_worker_id_seq", "procrastinate_jobs_id_seq", "procrastinate_events_id_seq",
    "procrastinate_periodic_defers_id_seq", "procrastinate_workers_id_seq",
)  # fmt: skip
#: Questions about ended jobs that it may ask without reading them.
FUNCTIONS: tuple[LiteralString, ...] = ("generation_had(text[])", "generation_stored_lately()")

#: Rows of the studio's queues.
_OURS: LiteralString = "(queue_name LIKE 'edit:%' OR queue_name IN ('embed', 'film', 'sweep'))"
#: A message home, as `posting.post_home` writes it.
_HOME: LiteralString = """
(queue_name = {light} AND EXISTS (SELECT 1 FROM generation_job job
    WHERE queueing_lock = 'home:' || job.id AND task_name IN (job.return_to, {failures})
      AND args = jsonb_build_object('job_id', job.id)))
"""
#: Jobs that are being worked on.
_OPEN: LiteralString = "state IN ('waiting', 'running')"
#: And those that its worker still has to speak of: untold, or ended so lately that a commit of unknown
#: outcome may be asked about.
_SEEN: LiteralString = (
    "(" + _OPEN + " OR (state IN ('done', 'failed') AND taken_in_at IS NULL)"
    " OR ended_at > now() - interval '15 minutes')"
)
#: What everybody else may see stays as it was; a restrictive policy narrows this one role.
_POLICIES: tuple[tuple[LiteralString, LiteralString, LiteralString], ...] = (
    ("generation_job", "SELECT", "USING " + _SEEN),
    ("generation_job", "UPDATE", "USING (" + _OPEN + ") WITH CHECK (true)"),
    ("procrastinate_jobs", "SELECT", "USING (" + _OURS + " OR queueing_lock LIKE 'home:%')"),
    (
        "procrastinate_jobs",
        "INSERT",
        "WITH CHECK ((" + _OURS + " AND task_name LIKE 'generation.%') OR " + _HOME + ")",
    ),
    (
        "procrastinate_jobs",
        "UPDATE",
        "USING " + _OURS + " WITH CHECK (" + _OURS + " AND task_name LIKE 'generation.%')",
    ),
    ("procrastinate_jobs", "DELETE", "USING " + _OURS),
)


class RoleRefused(Exception):
    """This role cannot be made, changed or dropped; one sentence says why."""


def create(name: str) -> str:
    """Make the role, or give it its rights and a new password again. The password, told once.

    Raises `RoleRefused`.
    """
    password = secrets.token_urlsafe(32)
    with refusals(), transaction.atomic():
        run("CREATE ROLE {name}" if state_of(name) is None else "SELECT 1", name)
        run(
            "ALTER ROLE {name} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"
            " NOINHERIT PASSWORD {password}",
            name,
            password=scrambled(name, password),
        )
        run("COMMENT ON ROLE {name} IS {mark}", name, mark=MARK)
        revoke(name)
        grant(name)
    return password


def scrambled(name: str, password: str) -> str:
    """What the server keeps of a password: so that it never stands in the server's log."""
    connection.ensure_connection()
    kept: bytes = connection.connection.pgconn.encrypt_password(
        password.encode(), name.encode(), b"scram-sha-256"
    )
    return kept.decode()


def drop(name: str) -> None:
    """Take the role its rights and end it, with its connections; its jobs wait anew by their leases.

    Raises `RoleRefused`.
    """
    with refusals(), transaction.atomic():
        if state_of(name) is None:
            raise RoleRefused(f"There is no role {name!r}.")
        run("ALTER ROLE {name} NOLOGIN", name)
        run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = {word}", name)
        revoke(name)
        run("DROP OWNED BY {name}", name)
        run("DROP ROLE {name}", name)


def state_of(name: str) -> str | None:
    """The role's comment; None where there is no such role. Raises `RoleRefused` for others' roles."""
    if not NAME.fullmatch(name):
        raise RoleRefused("A role's name has small letters, digits and underscores, at most 63.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(shobj_description(oid, 'pg_authid'), '') FROM pg_roles"
            " WHERE rolname = %s",
            [name],
        )
        found = cursor.fetchone()
    if found is None:
        return None
    if found[0] != MARK:
        raise RoleRefused(f"{name} is a role of somebody else's: choose another name.")
    return str(found[0])


def grant(name: str) -> None:
    """Exactly the rights that a worker needs."""
    run("GRANT CONNECT ON DATABASE {database} TO {name}", name)
    run("GRANT USAGE ON SCHEMA public TO {name}", name)
    for rights, table in RIGHTS:
        run("GRANT " + rights + " ON {table} TO {name}", name, table=table)
    columns = sql.SQL(", ").join(map(sql.Identifier, WRITTEN))
    run("GRANT UPDATE ({columns}) ON generation_job TO {name}", name, columns=columns)
    for sequence in SEQUENCES:
        run("GRANT USAGE, SELECT ON SEQUENCE {table} TO {name}", name, table=sequence)
    for function in FUNCTIONS:
        run("GRANT EXECUTE ON FUNCTION " + function + " TO {name}", name)
    for table in dict.fromkeys(table for table, _, _ in _POLICIES):
        run("ALTER TABLE {table} ENABLE ROW LEVEL SECURITY", name, table=table)
        run("DROP POLICY IF EXISTS everybody ON {table}", name, table=table)
        run("CREATE POLICY everybody ON {table} USING (true) WITH CHECK (true)", name, table=table)
    for table, verb, rule in _POLICIES:
        head: LiteralString = "CREATE POLICY {policy} ON {table} AS RESTRICTIVE FOR "
        run(head + verb + " TO {name} " + rule, name, table=table, policy=policy_of(name, verb))


def policy_of(name: str, verb: str) -> str:
    """What the role's rule for a verb is called; each table has its own."""
    return f"{name}_{verb.lower()}"[:63]


def revoke(name: str) -> None:
    """Take all rights and rules of the role away."""
    for table, verb, _ in _POLICIES:
        run("DROP POLICY IF EXISTS {policy} ON {table}", name, table=table,
            policy=policy_of(name, verb))  # fmt: skip
    for function in FUNCTIONS:
        run("REVOKE ALL ON FUNCTION " + function + " FROM {name}", name)
    run("REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {name}", name)
    run("REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {name}", name)


def run(statement: LiteralString, name: str, **words: Any) -> None:
    """Run one statement with names and words set in as what they are."""
    parts: dict[str, sql.Composable] = {
        "name": sql.Identifier(name),
        "word": sql.Literal(name),
        "database": sql.Identifier(connection.settings_dict["NAME"]),
        "light": sql.Literal(LIGHT),
        "failures": sql.Literal(FAILURES_TO),
    }
    for key, word in words.items():
        if isinstance(word, sql.Composable):
            parts[key] = word
        else:
            named = key in ("table", "policy")
            parts[key] = sql.Identifier(word) if named else sql.Literal(word)
    composed = sql.SQL(statement).format(**parts)
    with connection.cursor() as cursor:
        cursor.execute(composed.as_string(cursor.connection), None)


class refusals:
    """Turns what the database refuses into one sentence."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        cause = getattr(error, "__cause__", None) or error
        if isinstance(cause, psycopg.errors.InsufficientPrivilege):
            raise RoleRefused(
                "The role that DATABASE_URL names may not make roles: ask with one that may."
            ) from None
        if isinstance(cause, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedFunction):
            raise RoleRefused("The database is not up to date: run manage.py migrate.") from None
        if isinstance(cause, psycopg.OperationalError):
            raise RoleRefused(f"The database does not answer: {first_line(cause)}") from None


def quietly() -> None:
    """Let the pool of connections not repeat every second what is said once, in one sentence."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


def first_line(error: BaseException) -> str:
    """The first line of what was said."""
    return (str(error).strip().splitlines() or [""])[0]


def may_do_more() -> bool:
    """Whether the role we are connected as may read what is none of the studio's business."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege('forum_member', 'SELECT')")
        return bool(cursor.fetchone()[0])
