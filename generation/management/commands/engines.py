"""Look after engines and their weights: `manage.py engines list|pull|verify|bench|remove`."""

import os
import sys
import time
from argparse import ArgumentParser
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from generation import presets
from generation.engines.base import Preset
from generation.engines.sources import Source, lacking, restricted, sources, uninstalled
from generation.jobs import roles, switches
from generation.weights import locking, manifest

#: Seconds between two lines of progress where nobody sees them change in place.
SAY_EVERY = 10.0


def gigabytes(count: float) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"


class Command(BaseCommand):
    help = "List presets; fetch, check, measure and remove the weights that they need."
    requires_system_checks: list[str] = []  # broken preset files are this command's own matter

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("list", help="presets, and what is here of them")
        pull = verbs.add_parser("pull", help="fetch the weights of presets and pin them")
        pull.add_argument("preset", nargs="+")
        pull.add_argument(
            "--accept-licence",
            action="store_true",
            help="where a licence restricts what one may do",
        )
        pull.add_argument("--newest", action="store_true", help="even where a commit is pinned")
        verify = verbs.add_parser("verify", help="compare files with what was fetched; exit code 1")
        verify.add_argument(
            "preset", nargs="*", help="all whose weights are here, if none is named"
        )
        bench = verbs.add_parser("bench", help="measure a preset here and write its batch limits")
        bench.add_argument("preset")
        bench.add_argument("--runs", type=int, default=3, help="runs of each batch that count")
        bench.add_argument(
            "--buckets",
            default="",
            help="batch sizes to try, such as 1,2,4,8; default: the shipped",
        )
        bench.add_argument("--dry-run", action="store_true", help="measure, but write nothing")
        remove = verbs.add_parser("remove", help="delete weights that only these presets need")
        remove.add_argument("preset", nargs="+")
        remove.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.known = presets.presets()
        except presets.PresetsBroken as broken:
            raise CommandError(str(broken), returncode=2) from None
        getattr(self, f"do_{options['verb']}")(options)

    def named(self, name: str) -> Preset:
        """The preset of this name, or exit code 2."""
        if name not in self.known:
            there = ", ".join(self.known)
            raise CommandError(f"There is no preset {name!r}: {there}.", returncode=2)
        return self.known[name]

    # --- list ---------------------------------------------------------------------------------

    def do_list(self, options: dict[str, Any]) -> None:
        """One line for each preset, and one for each of its parts."""
        titles = ("PRESET", "ENGINE", "INSTALLED", "WEIGHTS", "LICENCE", "COMMERCIAL", "MEMORY",
                  "ENABLED")  # fmt: skip
        kept = states()
        rows: list[tuple[str, ...]] = [titles]
        for preset in self.known.values():
            rows += [self.row(preset, kept), *part_rows(preset)]
        widths = [max(len(row[n]) for row in rows) for n in range(len(titles))]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())

    def row(self, preset: Preset, kept: dict[str, switches.PresetState] | None) -> tuple[str, ...]:
        """What there is to say of one preset."""
        memory = preset.settings.get("vram_gb")
        return (
            preset.name,
            preset.engine,
            "yes" if not uninstalled(preset) else "no",
            weights_word(preset),
            preset.licence,
            "yes" if preset.commercial else "NO",
            f"{memory} GB" if memory else "-",
            "?" if kept is None else switch_word(kept[preset.name]),
        )

    # --- pull ---------------------------------------------------------------------------------

    def do_pull(self, options: dict[str, Any]) -> None:
        """Fetch, check, name and pin."""
        if find_spec("huggingface_hub") is None:
            raise CommandError(
                "Fetching needs the extra 'diffusers': pip install '.[diffusers]'.", returncode=2
            )
        # Nobody is told what is fetched here but the hub itself.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        for name in options["preset"]:
            self.pull_preset(self.named(name), options)

    def pull_preset(self, preset: Preset, options: dict[str, Any]) -> None:
        """Everything one preset needs."""
        from generation.weights import pinning, pulling

        wanted = [source for source in sources(preset) if not source.local]
        if not wanted:
            self.stdout.write(f"{preset.name} needs no weights from the hub.")
            return
        self.stdout.write(f"{preset.name}: {preset.licence}" + note(preset))
        if restricted(preset) and not options["accept_licence"]:
            raise CommandError(
                f"The licence of {preset.name} restricts what you may do: read it, then repeat this"
                " with --accept-licence.",
                returncode=2,
            )
        try:
            with locking.held(source.model for source in wanted):
                for source in wanted:
                    self.pull_source(preset, source, newest=options["newest"])
        except (locking.Taken, pulling.CannotPull, pinning.CannotWrite) as trouble:
            raise CommandError(str(trouble), returncode=2) from None

    def pull_source(self, preset: Preset, source: Source, *, newest: bool) -> None:
        """One repository, fetched and pinned."""
        from generation.weights import pinning, pulling

        patterns = tuple(self.patterns(preset, source.role))
        found = pulling.listing(source.model, "" if newest else source.revision, patterns)
        self.stdout.write(
            f"{source.model} at {found.revision[:12]}: {len(found.files)} files,"
            f" {gigabytes(found.bytes)}" + (f", {source.licence}" if source.licence else "")
        )
        folder = pulling.pull(found, source.licence or preset.licence, Progress(self))
        pinning.pin(preset.name, source.role, found.revision)
        self.stdout.write(f"in {folder}, pinned in {presets.operators_file()}")

    def patterns(self, preset: Preset, role: str) -> list[str]:
        """Which files of a repository are wanted, where the preset says so."""
        words = preset.settings if role == "model" else preset.settings["parts"][role]
        one = [words["file"]] if role != "model" and words.get("file") else []
        return [*words.get("files", []), *one]

    # --- verify -------------------------------------------------------------------------------

    def do_verify(self, options: dict[str, Any]) -> None:
        """Look into every file; each trouble is one line."""
        chosen = [self.named(name) for name in options["preset"]] or [
            preset for preset in self.known.values() if manifest.present(preset)
        ]
        if not chosen:
            self.stdout.write("No weights are on this machine.")
            return
        bad = 0
        for preset in chosen:
            for source in sources(preset):
                for trouble in manifest.troubles(source):
                    self.stderr.write(f"{preset.name}: {trouble}")
                    bad += 1
        if bad:
            sys.exit(1)
        for folder in dict.fromkeys(
            source.folder for each in chosen for source in sources(each) if source.local
        ):
            self.stdout.write(
                f"{folder}: a folder of yours, with no hashes to compare; it is there."
            )
        self.stdout.write(f"Nothing is wrong with {', '.join(each.name for each in chosen)}.")

    # --- bench --------------------------------------------------------------------------------

    def do_bench(self, options: dict[str, Any]) -> None:
        """Measure, say, and write the limits."""
        from generation.weights import benching, pinning

        preset = self.named(options["preset"])
        if missing := lacking(preset):
            raise CommandError(missing, returncode=2)
        figures = []
        try:
            tried = replace(preset, buckets=benching.candidates(preset, options["buckets"]))
            for figure in benching.measured(tried, max(1, options["runs"])):
                figures.append(figure)
                self.stdout.write(benching.line(figure))
            limits = benching.limits(figures)
            self.stdout.write(
                f"buckets {limits.buckets}, tokens in flight {limits.tokens_in_flight},"
                f" {limits.seconds} s alone"
            )
            if not options["dry_run"]:
                pinning.write(
                    [
                        ([preset.name, "buckets"], limits.buckets),
                        ([preset.name, "seconds"], max(limits.seconds, 0.01)),
                        ([preset.name, "batch", "tokens_in_flight"], limits.tokens_in_flight),
                    ]
                )
                self.stdout.write(f"written to {presets.operators_file()}")
        except (benching.CannotBench, pinning.CannotWrite) as trouble:
            raise CommandError(str(trouble), returncode=2) from None

    # --- remove -------------------------------------------------------------------------------

    def do_remove(self, options: dict[str, Any]) -> None:
        """Delete what no other preset needs. Recipes made with it stay readable."""
        chosen = [self.named(name) for name in options["preset"]]
        others = [each for each in self.known.values() if each not in chosen]
        found = (folder for preset in chosen for folder in manifest.removable(preset, others))
        folders = list(dict.fromkeys(found))
        if not folders:
            self.stdout.write("There is nothing to remove.")
            return
        size = sum(map(manifest.size_of, folders))
        for folder in folders:
            self.stdout.write(f"{folder}: {gigabytes(manifest.size_of(folder))}")
        if not options["yes"] and not agreed(f"Delete {gigabytes(size)}? [y/N] "):
            raise CommandError("Nothing was removed.", returncode=2)
        needed = (source for each in chosen for source in sources(each))
        try:
            with locking.held(source.model for source in needed if not source.local):
                freed = manifest.remove(folders)
        except locking.Taken as taken:
            raise CommandError(str(taken), returncode=2) from None
        except (OSError, ValueError) as error:
            raise CommandError(f"Not removed: {error}.", returncode=2) from None
        self.stdout.write(f"{gigabytes(freed)} ({freed} bytes) freed.")


class Progress:
    """How far a fetch is: in place on a terminal, else a line every few seconds."""

    def __init__(self, command: BaseCommand) -> None:
        self._out = command.stdout
        self._begun = self._said = time.monotonic()
        self._first: int | None = None

    def __call__(self, there: int, all_: int) -> None:
        """`there` of `all_` bytes are here."""
        if self._first is None:
            self._first = there
        now = time.monotonic()
        over = there >= all_
        in_place = self._out.isatty()
        if not in_place and not over and now - self._said < SAY_EVERY:
            return
        self._said = now
        rate = (there - self._first) / max(now - self._begun, 0.001)
        words = f"{gigabytes(there)} of {gigabytes(all_)}, {gigabytes(rate)}/s"
        self._out.write(
            ("\r" if in_place else "") + words, ending="" if in_place and not over else "\n"
        )


def states() -> dict[str, switches.PresetState] | None:
    """Switches of the presets; None where the database does not answer."""
    roles.quietly()
    try:
        return switches.preset_states()
    except DatabaseError:
        return None


def switch_word(state: switches.PresetState) -> str:
    """An operator's switches in a word or two."""
    words = "yes" if state.enabled else "no"
    if state.is_default:
        words += ", default"
    return words + (", paused" if state.paused else "")


def weights_word(preset: Preset) -> str:
    """Whether weights are needed and all here, and at what the model is held."""
    needed = sources(preset)
    if not needed:
        return "not needed"
    return f"{'here' if manifest.present(preset) else 'missing'}, {needed[0].pin}"


def part_rows(preset: Preset) -> list[tuple[str, ...]]:
    """A line for each part of a preset: its role, whether it is here and at what, its licence."""
    return [
        (f"  {source.role}", "", "",
         f"{'here' if manifest.there(source) else 'missing'}, {source.pin}",
         source.licence or "as above", "", "", "")
        for source in sources(preset)
        if source.role != "model"
    ]  # fmt: skip


def note(preset: Preset) -> str:
    """What must be said beside a licence."""
    return "" if preset.commercial else " (not for commercial use)"


def agreed(question: str) -> bool:
    """Whether somebody at the terminal says yes."""
    try:
        return input(question).strip().lower() in ("y", "yes")
    except EOFError:
        return False
