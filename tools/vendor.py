"""Bring the few files of others that pages need, once, checked; nothing is fetched at run time.

`python tools/vendor.py` asks npm for each pinned package, compares the archive with its published
SHA-512, copies the named files, joins the scripts that must arrive as one, and writes VENDOR.md.
`python tools/vendor.py --check` only hashes what is committed and needs neither npm nor a network.

A package that changes under the same version is refused: exit code 2 and one line.
"""

import argparse
import base64
import hashlib
import io
import json
import re
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIST = ROOT / "static/vendor/VENDOR.md"
#: Folders in which every file must be listed.
PLACES = (ROOT / "static/vendor", ROOT / "tests/vendor")


class Refused(Exception):
    """A package could not be had, or is not what was pinned."""


@dataclass(frozen=True)
class Package:
    """One pinned package: what is copied from it, and what is joined into one file."""

    name: str
    version: str
    #: Subresource integrity of the whole archive, as its publisher states it.
    integrity: str
    #: Folder that receives the files, relative to the checkout.
    folder: str
    #: Files copied under their own names, relative to the package.
    files: tuple[str, ...] = ()
    #: Name of a joined file -> its parts in order.
    joined: dict[str, tuple[str, ...]] = field(default_factory=dict)


FONT = "files/source-serif-4-{}-wght-{}.woff2"
PACKAGES = (
    Package(
        "htmx.org",
        "4.0.1",
        "sha512-oF7JgXhDW9UXCy/k1ZYFUQgzu/rm19ORWPSPNL91vPluB2PB9+MV55tyQdH/w7o2EAbTYUG5SDW1R60mdkdqGg==",
        "static/vendor/htmx-4.0.1",
        ("LICENSE",),
        # One file, because htmx starts before a second deferred script has registered itself.
        {
            "bundle.min.js": (
                "dist/htmx.min.js",
                "dist/ext/hx-ws.min.js",
                "dist/ext/hx-upsert.min.js",
            )
        },
    ),
    Package(
        "@fontsource-variable/inter",
        "5.3.0",
        "sha512-OupL48va4JNofb97w6NYeF9S7W/kHNKM0Er8Dem5nqi4jeOLrVJDoE8tZEpnMJmtkvNbB1EIPPwHcdkF6b1oUA==",
        "static/vendor/inter-5.3.0",
        (
            "LICENSE",
            "files/inter-latin-wght-normal.woff2",
            "files/inter-latin-ext-wght-normal.woff2",
        ),
    ),
    Package(
        "@fontsource-variable/source-serif-4",
        "5.3.1",
        "sha512-4Rtay22SC4lMvw11r/+9kxANB6P3M0X8s1NudBC2v0J1KU2y3DcMoNcT3lBoZ/CqLirzf+StlO6UlJilyrvaUg==",
        "static/vendor/source-serif-4-5.3.1",
        (
            "LICENSE",
            *(
                FONT.format(script, style)
                for script in ("latin", "latin-ext")
                for style in ("normal", "italic")
            ),
        ),
    ),
    Package(
        "@fontsource/ibm-plex-mono",
        "5.3.0",
        "sha512-eTgnZjZEGk1QtD3ZstF+Vclo2HLAni8YMy34/DxllwZvyz1lR/1RF/xTiAquOBO7MvqBx8D2Ig2WCPMVfdZu7Q==",
        "static/vendor/ibm-plex-mono-5.3.0",
        ("LICENSE", "files/ibm-plex-mono-latin-400-normal.woff2"),
    ),
    Package(
        "axe-core",
        "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        "tests/vendor/axe-core-4.14.1",
        ("LICENSE", "axe.min.js"),
    ),
)


def fetch(package: Package, folder: Path) -> bytes:
    """The package's archive by way of npm, checked against the pinned hash."""
    wanted = f"{package.name}@{package.version}"
    command = ["npm", "pack", "--silent", "--pack-destination", str(folder), wanted]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    except FileNotFoundError as error:
        raise Refused("npm is not installed; only bringing packages needs it") from error
    except subprocess.SubprocessError as error:
        raise Refused(f"npm could not bring {wanted}: {error}") from error
    archive = (folder / done.stdout.split()[-1]).read_bytes()
    if integrity(archive) != package.integrity:
        raise Refused(f"{wanted} is not what was pinned: {integrity(archive)}")
    return archive


def integrity(data: bytes) -> str:
    """Subresource integrity, "sha512-" and base64, of some bytes."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def unpack(archive: bytes) -> dict[str, bytes]:
    """Every regular file of an npm archive, by its path inside the package."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        members = [member for member in tar if member.isfile()]
        return {
            member.name.partition("/")[2]: content.read()
            for member in members
            if (content := tar.extractfile(member)) is not None
        }


def joined(parts: list[bytes]) -> bytes:
    """Scripts one after the other, without the pointers to source maps that are not shipped."""
    plain = [re.sub(rb"\s*//# sourceMappingURL=\S+\s*$", b"", part).rstrip() for part in parts]
    return b";\n".join(plain) + b"\n"


def targets(package: Package, content: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """File names and bytes that belong into the package's folder."""
    wanted = set(package.files).union(*package.joined.values())
    if missing := sorted(wanted - content.keys()):
        raise Refused(f"{package.name} {package.version} has no {', '.join(missing)}")
    for source in package.files:
        yield Path(source).name, content[source]
    for name, parts in package.joined.items():
        yield name, joined([content[part] for part in parts])


def listing(licences: dict[str, str]) -> str:
    """VENDOR.md: where each file is from, under which licence, and its SHA-256."""
    lines = [
        "# Files of others",
        "",
        "Written by `tools/vendor.py`; do not edit. A test hashes every file again.",
        "",
    ]
    for package in PACKAGES:
        lines += [f"## {package.name} {package.version}", ""]
        lines += [f"- Licence: {licences[package.name]}", f"- Archive: `{package.integrity}`", ""]
        lines += ["| file | bytes | SHA-256 |", "|---|---|---|"]
        for path in sorted((ROOT / package.folder).iterdir()):
            data = path.read_bytes()
            lines.append(
                f"| {path.relative_to(ROOT)} | {len(data)} | {hashlib.sha256(data).hexdigest()} |"
            )
        lines.append("")
    return "\n".join(lines)


def bring() -> None:
    """Fetch, check and write everything; nothing is written before all packages are in hand."""
    licences: dict[str, str] = {}
    files: dict[Path, bytes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            content = unpack(fetch(package, Path(folder)))
            licences[package.name] = str(json.loads(content["package.json"])["license"])
            for name, data in targets(package, content):
                files[ROOT / package.folder / name] = data
    for path, data in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    LIST.write_text(listing(licences))


def listed() -> dict[str, str]:
    """Path -> SHA-256 as VENDOR.md states them."""
    rows = re.findall(r"^\| (\S+/\S+) \| \d+ \| ([0-9a-f]{64}) \|$", LIST.read_text(), re.MULTILINE)
    return dict(rows)


def present() -> dict[str, str]:
    """Path -> SHA-256 of every vendored file as it lies there."""
    paths = (path for place in PLACES for path in place.rglob("*") if path.is_file())
    return {
        str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path != LIST
    }


def main() -> int:
    """0, or 2 and one line where something is not as it should be."""
    parser = argparse.ArgumentParser(description="Bring or check vendored files.")
    parser.add_argument("--check", action="store_true", help="only hash what is there")
    checking = parser.parse_args().check
    try:
        if not checking:
            bring()
        if odd := sorted(dict(listed().items() ^ present().items())):
            raise Refused(f"not as VENDOR.md says: {', '.join(odd)}")
    except (Refused, OSError) as error:
        print(f"vendor: {error}", file=sys.stderr)
        return 2
    print(f"vendor: {len(present())} files as pinned")
    return 0


if __name__ == "__main__":
    sys.exit(main())
