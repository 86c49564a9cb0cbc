"""Users of the operating system: who owns the database, and what that user can reach."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forum.running.trouble import Trouble

DEFAULT_ACCOUNT = "nobody"


@dataclass(frozen=True)
class Account:
    """An unprivileged user under whose rights PostgreSQL runs."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]

    def popen_options(self) -> dict[str, Any]:
        """Arguments of subprocess.Popen that drop every right of root."""
        return {"user": self.uid, "group": self.gid, "extra_groups": list(self.groups)}


def account(name: str) -> Account:
    """The account called `name`. Raises Trouble when there is none, or when it is root."""
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        raise Trouble(
            f"There is no user {name!r} on this machine. "
            "Set FORUM_DATABASE_OS_USER to an existing unprivileged user."
        ) from None
    return _from_entry(entry)


def _from_entry(entry: pwd.struct_passwd) -> Account:
    if entry.pw_uid == 0:
        raise Trouble(
            "PostgreSQL refuses to run as root. "
            "Set FORUM_DATABASE_OS_USER to an unprivileged user, or start as one."
        )
    groups = tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, groups)


def choose(name: str | None, data: Path) -> Account | None:
    """Under which other account the server runs; None for our own.

    Only root can change to another. Data that exist already belong to somebody: without a
    name, root keeps that owner, so that a folder made by a person stays that person's.
    """
    if os.geteuid() != 0:
        _refuse_another(name)
        return None
    if name is None and data.exists():
        owner = data.stat().st_uid
        try:
            return _from_entry(pwd.getpwuid(owner))
        except KeyError:
            raise Trouble(
                f"{data} belongs to user id {owner}, which has no name here. "
                "Give the folder to a named user, or set FORUM_DATABASE_OS_USER."
            ) from None
    return account(name or DEFAULT_ACCOUNT)


def _refuse_another(name: str | None) -> None:
    if name is not None and account(name).uid != os.geteuid():
        raise Trouble(
            f"Only root can run PostgreSQL as {name!r}. "
            "Leave FORUM_DATABASE_OS_USER empty, or start as that user."
        )


def may(status: os.stat_result, user: Account, right: int) -> bool:
    """Whether the mode bits grant `right` (1 = pass or run, 4 = read) to `user`."""
    if status.st_uid == user.uid:
        return bool(status.st_mode & (right << 6))
    if status.st_gid in (user.gid, *user.groups):
        return bool(status.st_mode & (right << 3))
    return bool(status.st_mode & right)


def barrier(path: Path, user: Account) -> Path | None:
    """The first folder on the way to `path` that `user` cannot pass through, or None.

    Folders that do not exist yet are ours to make and count as open.
    """
    resolved = path.resolve()
    for folder in [*reversed(resolved.parents), resolved]:
        if not folder.exists():
            return None
        status = folder.stat()
        if stat.S_ISDIR(status.st_mode) and not may(status, user, 1):
            return folder
    return None
