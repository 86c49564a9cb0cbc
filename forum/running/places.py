"""Where the embedded database lives: data, password, socket, programs.

`folder` is what the operator chose (FORUM_DATA_DIR/postgres). Nearly always everything lies in
it. Only when root started us and the unprivileged user cannot get there (a clone below /root,
which is 0700), the real place is /var/lib/gegenbild/<hash>, and `folder/place` names it. No
mode of any folder above is ever changed.
"""

import hashlib
import os
import secrets
import shutil
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from forum.running import accounts, binaries
from forum.running.accounts import Account
from forum.running.trouble import Trouble

SYSTEM_PLACE = Path("/var/lib/gegenbild")
PORT = 5432  # names the socket file only: nothing listens on the network
# sockaddr_un holds 108 bytes on Linux and 104 on macOS, with the closing zero.
_LONGEST_SOCKET_FOLDER = 103 - len(f"/.s.PGSQL.{PORT}.lock")
_USER = "forum"


@dataclass(frozen=True)
class Place:
    """The resolved home of one embedded database."""

    home: Path
    user: Account | None
    bin: Path
    #: A sentence for the operator, once, when the database had to be put elsewhere.
    notice: str = ""

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """What the server says."""
        return self.home / "log"


def home_of(folder: Path) -> Path:
    """Where the database of `folder` lives: there, or where its `place` file points."""
    try:
        return Path((folder / "place").read_text().strip())
    except FileNotFoundError:
        return folder


def settle(folder: Path, os_user: str | None) -> Place:
    """Find or make the home of the database. Raises Trouble when no place will do.

    `folder` is absolute; `os_user` names the unprivileged user where root starts us.
    """
    folder.mkdir(parents=True, exist_ok=True)
    user = accounts.choose(os_user, home_of(folder) / "data")
    home = home_of(folder)
    _know_origin(folder, home)
    notice = ""
    if user is not None and home == folder and accounts.barrier(folder.parent, user):
        home = _elsewhere(folder, user)
        notice = f"The database lives in {home}, for user {user.name} cannot reach {folder}."
    home.mkdir(parents=True, exist_ok=True)
    # Others may pass where another user must reach its data, and see nothing.
    os.chmod(home, 0o711 if user else 0o700)
    _refuse_strangers_data(home / "data", user)
    bin_ = binaries.bin_folder()
    if user is not None and not binaries.usable_by(bin_, user):
        if in_the_way := accounts.barrier(home, user):
            raise _unreachable(in_the_way, user)
        bin_ = binaries.copied_to(home)
    return Place(home, user, bin_, notice)


def _know_origin(folder: Path, home: Path) -> None:
    """A moved folder keeps its database; a copied one must not share the first one's."""
    if home == folder or not (home / "origin").exists():
        return
    origin = Path((home / "origin").read_text().strip())
    if origin != folder and origin.exists() and home_of(origin) == home:
        raise Trouble(
            f"{folder} is a copy: the database in {home} belongs to {origin}. "
            f"Remove {folder / 'place'} to begin with an empty one."
        )
    (home / "origin").write_text(f"{folder}\n")


def _elsewhere(folder: Path, user: Account) -> Path:
    """The place under /var/lib for a folder that `user` cannot reach."""
    if (folder / "data").exists():
        raise _unreachable(accounts.barrier(folder.parent, user) or folder, user)
    place = SYSTEM_PLACE / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:12]
    if in_the_way := accounts.barrier(SYSTEM_PLACE, user):
        raise _unreachable(in_the_way, user)
    for new in (SYSTEM_PLACE, place):
        new.mkdir(parents=True, exist_ok=True)
    os.chmod(place, 0o711)
    (place / "origin").write_text(f"{folder}\n")
    (folder / "place").write_text(f"{place}\n")
    return place


def _unreachable(folder: Path, user: Account) -> Trouble:
    return Trouble(
        f"User {user.name} cannot pass through {folder}. Choose another FORUM_DATA_DIR, "
        "set FORUM_DATABASE_OS_USER to a user who can, or start as that user."
    )


def _refuse_strangers_data(data: Path, user: Account | None) -> None:
    wanted = user.uid if user else os.geteuid()
    if data.exists() and data.stat().st_uid != wanted:
        raise Trouble(
            f"{data} belongs to user id {data.stat().st_uid}, but PostgreSQL would run as "
            f"{wanted}. Start as its owner, or as root with FORUM_DATABASE_OS_USER set to it."
        )


def give(path: Path, user: Account | None) -> Path:
    """Hand a file or folder to the user who runs the server."""
    if user is not None:
        os.chown(path, user.uid, user.gid, follow_symlinks=False)
    return path


def socket_folder(home: Path) -> Path:
    """Where the socket is, or will be; a private short folder for homes with long names."""
    note = home / "socket-folder"
    if len(os.fsencode(home / "socket")) <= _LONGEST_SOCKET_FOLDER:
        return home / "socket"
    try:
        return Path(note.read_text().strip())
    except FileNotFoundError:
        return home / "socket"


def make_socket_folder(place: Place) -> Path:
    """An empty private folder for the socket; 0700 and the server's own."""
    folder = socket_folder(place.home)
    if len(os.fsencode(folder)) > _LONGEST_SOCKET_FOLDER or not _ours(folder, place.user):
        folder = Path(tempfile.mkdtemp(prefix="gegenbild-", dir="/tmp"))
        write_private(place.home / "socket-folder", f"{folder}\n")
    folder.mkdir(mode=0o700, exist_ok=True)
    for left in folder.glob(".s.PGSQL.*"):  # we hold the lock, so nobody listens there
        left.unlink()
    return give(folder, place.user)


def _ours(folder: Path, user: Account | None) -> bool:
    """False for a folder in /tmp that vanished, or that somebody else put in its place."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return folder.name == "socket"  # ours to make
    wanted = {os.geteuid(), user.uid if user else os.geteuid()}
    private = stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == 0o700
    return private and status.st_uid in wanted


def drop_socket_folder(home: Path) -> None:
    """Remove a socket folder in /tmp and the note about it."""
    if (note := home / "socket-folder").exists():
        shutil.rmtree(note.read_text().strip(), ignore_errors=True)
        note.unlink()


def write_private(path: Path, text: str) -> Path:
    """Write `text` to a file that only we can read, whole or not at all."""
    unfinished = path.with_name(path.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    file = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w") as out:
        out.write(text)
    return unfinished.rename(path)


def password(home: Path) -> str:
    """The database's password; made from 24 random bytes on first use."""
    path = home / "password"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text().strip()


def database_url(folder: Path, database: str = "forum") -> str:
    """Address of a database in `folder`, for DATABASE_URL, libpq and settings alike.

    Starts and makes nothing: before the first start the address has no password in it.
    """
    home = home_of(folder.absolute())
    try:
        word = (home / "password").read_text().strip()
    except OSError:
        word = ""
    where = urlencode({"host": str(socket_folder(home)), "port": PORT}, safe="/", quote_via=quote)
    return f"postgres://{_USER}:{quote(word, safe='')}@/{quote(database)}?{where}"


def dsn(home: Path, database: str) -> str:
    """The same as key=value words for psycopg."""
    from psycopg.conninfo import make_conninfo

    return make_conninfo(
        host=str(socket_folder(home)), port=PORT, user=_USER, password=password(home),
        dbname=database,
    )  # fmt: skip
