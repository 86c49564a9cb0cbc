"""Batches on a real host process, without a database: who goes together, and when."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from generation.engines.base import Preset
from generation.engines.buckets import batch_key, most_for, size_for
from generation.prompts import planning
from generation.requests import EditRequest, ImageRef
from generation.worker import warming
from generation.worker.batching import Batcher, Closing
from generation.worker.devices import Device, found
from generation.worker.hosts import HostLost, HostSilent
from tests.generation.pictures import rings

BATCHES = Path(__file__).with_name("batches.toml")
SOURCE = ImageRef("0" * 64, "images/a.jpg", (640, 480))


@pytest.fixture(autouse=True)
def presets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORUM_PRESETS", str(BATCHES))


def asked(
    prompt: str = "4 x 0.05", *, seed: int = 1, preset: str = "together", **words: Any
) -> Any:
    return EditRequest(preset, prompt, seed, (SOURCE,), embed=(), **words)


# --- what belongs together ----------------------------------------------------------------------


def klein(**words: Any) -> Preset:
    return replace(planning.preset("klein"), **words)


@pytest.mark.parametrize(
    ("source", "size"),
    [((4000, 4000), (1024, 1024)), ((4032, 3024), (1184, 880)), ((1080, 1920), (768, 1360))],
)
def test_the_size_is_the_presets_whose_shape_is_nearest(source: Any, size: Any):
    preset = klein()
    sizes = [tuple(each) for each in preset.settings["sizes"]]
    request = replace(asked(), sources=(replace(SOURCE, size=source),))
    chosen = size_for(request, preset)
    assert chosen in sizes

    def apart(one: Any) -> float:
        ratio = one[0] * source[1] / (one[1] * source[0])
        return max(ratio, 1 / ratio)

    assert apart(chosen) == min(map(apart, sizes))
    assert size_for(replace(request, size=(512, 512)), preset) == (512, 512)
    assert size_for(replace(request, sources=()), preset) == sizes[0]


def test_only_what_an_engine_takes_once_a_call_keeps_requests_apart():
    preset = planning.preset("together")
    one = asked("a sepia cat", seed=1)
    same = [asked("a dog at night", seed=2), replace(one, sources=(replace(SOURCE, name="b"),))]
    assert {batch_key(each, preset) for each in same} == {batch_key(one, preset)}
    other = [
        asked(strength=0.9),
        asked(steps=9),
        asked(guidance=2.0),
        asked(negative="blur"),
        asked(size=(64, 64)),
        asked(bucket=2),
        asked(mask=SOURCE),
        replace(one, sources=(SOURCE, SOURCE)),
    ]
    assert len({batch_key(each, preset) for each in [one, *other]}) == 1 + len(other)


def test_as_many_go_together_as_bucket_and_tokens_allow():
    preset = klein(buckets=(1, 2, 4))
    limit = {**preset.settings, "batch": {"tokens_in_flight": 9000}}
    preset = replace(preset, settings=limit)
    assert most_for(asked(size=(1024, 1024)), preset) == 1  # 8,192 tokens each
    assert most_for(asked(size=(512, 512)), preset) == 4  # 2,048 tokens each
    assert most_for(asked(size=(1024, 1024), bucket=2), preset) == 2
    assert most_for(asked(), planning.preset("together")) == 4


def test_devices_are_found_without_torch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert found("") == ["cpu"]
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 0\necho 1\n")
    program.chmod(0o755)
    assert found("") == ["0", "1"]
    assert found("1") == ["1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert found("") == ["3"]
    assert planning.preset("together").on_device
    assert not planning.preset("darkroom").on_device


# --- on a real host -----------------------------------------------------------------------------


@dataclass
class Shop:
    """A device, its batcher, and jobs that go through them."""

    batcher: Batcher
    folder: Path
    source: Path
    #: Prompts in the order in which their jobs were finished.
    ends: list[str] = field(default_factory=list)

    @property
    def device(self) -> Device:
        return self.batcher.devices[0]

    async def make(self, request: EditRequest, *, alone: bool = False) -> dict[str, Any]:
        """One job, as an attempt would have it made."""
        preset = planning.preset(request.preset)
        key, most = batch_key(request, preset), most_for(request, preset)
        async with self.batcher.seat(key, preset.name, most, alone=alone) as seat:
            if alone:
                await seat.refresh()
            stem = uuid.uuid4().hex
            order = {
                "do": "edit", "id": stem, "request": request.as_json(), "preset": asdict(preset),
                "sources": [str(self.source)], "mask": None, "compare_to": None,
                "folder": str(self.folder), "stem": stem,
            }  # fmt: skip
            answer = await seat.run(order, lambda words, blob: None, 5.0)
        self.ends.append(request.prompt)
        return answer

    def start(self, *requests: EditRequest) -> "list[asyncio.Task[dict[str, Any]]]":
        return [asyncio.create_task(self.make(each)) for each in requests]


@pytest.fixture
def shop(tmp_path: Path) -> Callable[..., contextlib.AbstractAsyncContextManager[Shop]]:
    source = tmp_path / "a.jpg"
    rings().save(source, quality=90)

    @contextlib.asynccontextmanager
    async def opened(**words: Any) -> AsyncIterator[Shop]:
        batcher = Batcher([Device("cpu")], **words)
        made = Shop(batcher, tmp_path, source)
        await made.device.warm(asdict(planning.preset("together")))
        try:
            yield made
        finally:
            batcher.close()
            await made.device.close()

    return opened


def run(test: Awaitable[None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await test

    asyncio.run(bounded())


def sizes(answers: list[dict[str, Any]]) -> list[int]:
    return [answer["recipe"]["batch"] for answer in answers]


def test_jobs_of_many_members_share_batches_and_no_neighbour_changes_a_picture(shop: Any):
    async def test() -> None:
        async with shop() as made:
            first = made.start(asked("2 x 0.05"))
            await asyncio.sleep(0.02)
            four = made.start(*(asked(f"{n} 4 x 0.02", seed=n) for n in range(4)))
            alone = (await asyncio.gather(*first))[0]
            answers = await asyncio.gather(*four)
            assert sizes([alone]) == [1] and sizes(answers) == [4, 4, 4, 4]
            first = made.start(asked("2 x 0.05"))
            await asyncio.sleep(0.02)
            others = made.start(*(asked(f"{n} 4 x 0.02", seed=n) for n in (9, 8, 2, 7)))
            again = (await asyncio.gather(*others, *first))[2]
            assert dict(made.device.tally.batches) == {1: 2, 4: 2}
            assert again["file"]["sha256"] == answers[2]["file"]["sha256"]
            assert len({each["file"]["sha256"] for each in answers}) == 4
            assert made.device.facts["device"] == "a sleeper"

    run(test())


def test_a_full_batch_goes_at_once_and_a_partial_one_at_the_last_step(shop: Any):
    async def test() -> None:
        async with shop() as made:
            running = made.start(asked("4 x 0.2"))
            await asyncio.sleep(0.1)
            two = made.start(asked("5 2 x 0.02"), asked("6 2 x 0.02"))
            await asyncio.sleep(0.2)
            assert len(made.device.batches) == 1  # two might become four
            more = made.start(asked("7 2 x 0.02"), asked("8 2 x 0.02"))
            await asyncio.sleep(0.1)
            assert len(made.device.batches) == 2  # full: it waits at the host
            late = made.start(asked("9 2 x 0.02"))
            assert sizes(await asyncio.gather(*running, *two, *more)) == [1, 4, 4, 4, 4]
            assert sizes(await asyncio.gather(*late)) == [1]

            running = made.start(asked("4 x 0.3"))
            await asyncio.sleep(0.1)
            begun = time.monotonic()
            two = made.start(asked("5 2 x 0.02"), asked("6 2 x 0.02"))
            while len(made.device.batches) < 2:
                await asyncio.sleep(0.01)
            # Before the running batch has ended, and so that nobody waits longer than for that.
            assert not running[0].done() and time.monotonic() - begun > 0.3
            assert sizes(await asyncio.gather(*two)) == [2, 2]

    run(test())


def test_the_loaded_preset_goes_first_but_not_for_ever(shop: Any):
    async def test() -> None:
        async with shop(swap_after=0.6) as made:
            words = [asked(f"t{n} 4 x 0.05") for n in range(8)]
            running = made.start(words[0])
            await asyncio.sleep(0.02)
            other = made.start(asked("other 4 x 0.05", preset="other"))
            jobs = made.start(*words[1:])
            await asyncio.gather(*running, *other, *jobs)
            assert made.ends[-1] == "other 4 x 0.05"  # seven of the loaded one went before it

            made.ends.clear()
            stop = time.monotonic() + 2.5
            other = made.start(asked("late 4 x 0.05"))

            async def one_after_the_other() -> None:
                while time.monotonic() < stop:
                    await made.make(asked("stream 4 x 0.05", preset="other"))

            crowd = [asyncio.create_task(one_after_the_other()) for _ in range(8)]
            await asyncio.gather(*other, *crowd)
            assert "late 4 x 0.05" in made.ends[:-4]

    run(test())


def with_loads(seconds: float, memory: str, tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both presets take so long to load."""
    words = BATCHES.read_text("utf-8").replace(
        "patience = 5\n", f"patience = 5\nload_seconds = {seconds}\nvram_gb = 10\n"
    )
    (tmp / "slow.toml").write_text(words, "utf-8")
    monkeypatch.setenv("FORUM_PRESETS", str(tmp / "slow.toml"))
    monkeypatch.setenv("FORUM_STUDIO_MEMORY_GB", memory)


def runs_of(ends: list[str]) -> list[str]:
    """First words of prompts, each run once."""
    words = [each.split()[0] for each in ends]
    return [each for n, each in enumerate(words) if n == 0 or words[n - 1] != each]


async def ask_for_ever(made: Shop, preset: str, until: float, times: list[float]) -> None:
    """One member who asks again as soon as there is an answer."""
    while time.monotonic() < until:
        begun = time.monotonic()
        await made.make(asked(f"{preset} 2 x 0.02", preset=preset))
        times.append(time.monotonic() - begun)


def test_two_presets_asked_for_without_end_are_served_in_runs(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A load of 0.25 s is paid once for a run of a second, not for each batch; and nobody starves."""
    with_loads(0.25, "12", tmp_path, monkeypatch)

    async def test() -> None:
        async with shop(swap_after=0.3) as made:
            waits: dict[str, list[float]] = {"together": [], "other": []}
            stop = time.monotonic() + 6
            crowd = [(name, stop, waits[name]) for name in waits for _ in range(5)]
            await asyncio.gather(*(ask_for_ever(made, *each) for each in crowd))
            runs = runs_of(made.ends)
            # Six seconds hold five such runs, and at most one swap for each 0.25 + 1 s of them.
            assert 3 <= len(runs) <= 7, runs
            assert len(made.ends) > 6 * len(runs)
            assert made.device.facts["evicted"] >= len(runs) - 2
            assert max(map(max, waits.values())) < 3.5, "whoever waits has a turn"

    run(test())


def test_presets_asked_alternately_by_two_people_do_not_thrash(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A swap waits as long as it costs, so that whoever goes on asking is served once more before it."""
    with_loads(0.5, "12", tmp_path, monkeypatch)

    async def test() -> None:
        async with shop() as made:
            await made.make(asked("other 1 x 0.01", preset="other"))  # its load is measured
            await made.make(asked("together 1 x 0.01"))
            made.ends.clear()
            waits: dict[str, list[float]] = {"together": [], "other": []}
            stop = time.monotonic() + 4
            await asyncio.gather(*(ask_for_ever(made, n, stop, waits[n]) for n in waits))
            runs = runs_of(made.ends)
            assert len(made.ends) >= 5 * len(runs), runs

    run(test())


def test_a_lone_wish_for_another_preset_is_served_at_once(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with_loads(0.4, "12", tmp_path, monkeypatch)

    async def test() -> None:
        async with shop() as made:
            await made.make(asked("other 1 x 0.01", preset="other"))
            await made.make(asked("together 1 x 0.01"))
            await asyncio.sleep(0.5)
            begun = time.monotonic()
            other = made.start(asked("other 1 x 0.01", preset="other"))
            await asyncio.sleep(0.05)
            assert made.device.batches, "nobody was served for as long as the load takes"
            await asyncio.gather(*other)
            assert time.monotonic() - begun > 0.35

    run(test())


def test_presets_that_fit_together_are_not_swapped(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with_loads(0.5, "20", tmp_path, monkeypatch)

    async def test() -> None:
        async with shop() as made:
            await warming.the_rest(made.device, [planning.preset(n) for n in ("together", "other")])
            assert made.device.resident == {"together", "other"}
            begun = time.monotonic()
            for name in ("other", "together") * 4:
                await made.make(asked("1 x 0.01", preset=name))
            assert time.monotonic() - begun < 4
            assert made.device.facts["evicted"] == 0

    run(test())


def test_what_does_not_fit_is_not_warmed_and_nobody_goes_for_it(
    shop: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with_loads(0.01, "12", tmp_path, monkeypatch)

    async def test() -> None:
        async with shop() as made:
            await warming.the_rest(made.device, [planning.preset("other")])
            assert made.device.resident == {"together"} and made.device.facts["evicted"] == 0

    run(test())


def test_a_preset_that_cannot_be_loaded_does_not_keep_a_device_from_the_others():
    async def test() -> None:
        device = Device("cpu")
        broken = planning.preset("other")
        broken = replace(
            broken, settings={**broken.settings, "load_fails": "its files are damaged"}
        )
        try:
            await warming.until_ready(device, [broken, planning.preset("together")])
            assert device.ready and device.resident == {"together"}
        finally:
            await device.close()

    run(test())


def test_an_idle_device_waits_for_who_is_at_the_door_and_not_for_long(shop: Any):
    async def test() -> None:
        async with shop() as made:
            begun = time.monotonic()
            with made.batcher.at_the_door():
                first = made.start(asked("1 2 x 0.02"))
                await asyncio.sleep(0.005)
                assert not made.device.batches
                more = made.start(asked("2 2 x 0.02"))
            assert sizes(await asyncio.gather(*first, *more)) == [2, 2]
            begun = time.monotonic()
            with made.batcher.at_the_door():  # somebody who takes long to be read
                slow = made.start(asked("3 2 x 0.02"))
                while not made.device.batches:
                    await asyncio.sleep(0.002)
                assert time.monotonic() - begun < 0.2
                await asyncio.gather(*slow)
            begun = time.monotonic()
            [alone] = made.start(asked("4 2 x 0.02"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert made.device.batches, "with nobody at the door, one goes at once"
            await alone

    run(test())


@pytest.mark.parametrize(("trouble", "error"), [("crash", HostLost), ("hang", HostSilent)])
def test_a_lost_batch_says_so_and_what_waited_behind_it_is_made(
    shop: Any, trouble: str, error: Any
):
    async def test() -> None:
        async with shop() as made:
            jobs = made.start(asked(f"{trouble} 4 x 0.1"))
            await asyncio.sleep(0.05)
            behind = made.start(*(asked(f"{n} 4 x 0.02") for n in range(4)))
            ended = await asyncio.gather(*jobs, return_exceptions=True)
            assert isinstance(ended[0], error)
            assert sizes(await asyncio.gather(*behind)) == [4, 4, 4, 4]
            assert made.device.tally.restarts == 1

    run(test())


def test_what_was_tried_before_runs_alone(shop: Any):
    async def test() -> None:
        async with shop() as made:
            running = made.start(asked("4 x 0.1"))
            await asyncio.sleep(0.05)
            again = asyncio.create_task(made.make(asked("again 4 x 0.02"), alone=True))
            await asyncio.sleep(0)
            more = made.start(*(asked(f"{n} 4 x 0.02") for n in range(4)))
            most = 0
            while not again.done():
                if any(batch.alone for batch in made.device.batches):
                    most = max(most, len(made.device.batches))
                await asyncio.sleep(0.005)
            assert most == 1
            assert sizes([again.result()]) == [1]
            assert sizes(await asyncio.gather(*running, *more)) == [1, 4, 4, 4, 4]

    run(test())


def test_who_leaves_harms_no_neighbour(shop: Any):
    async def test() -> None:
        async with shop() as made:
            first = made.start(asked("2 x 0.1"))
            await asyncio.sleep(0.02)
            four = made.start(*(asked(f"{n} 6 x 0.1", seed=n) for n in range(4)))
            await asyncio.gather(*first)
            await asyncio.sleep(0.3)
            four[1].cancel()
            ended = await asyncio.gather(*four, return_exceptions=True)
            assert isinstance(ended[1], asyncio.CancelledError)
            assert [each["say"] for n, each in enumerate(ended) if n != 1] == ["made"] * 3
            assert made.device.tally.restarts == 0

    run(test())


def test_an_error_in_the_middle_is_everybodys_and_an_items_own_is_its_own(shop: Any):
    async def test() -> None:
        async with shop() as made:
            answers = await asyncio.gather(*made.start(asked("raise 3 x 0.02")))
            assert answers[0]["reason"] == "engine_error" and "RuntimeError" in answers[0]["at"]
            assert made.device.spoilt
            first = made.start(asked("2 x 0.1"))
            await asyncio.sleep(0.02)
            four = made.start(asked("oom 3 x 0.02"), *(asked(f"{n} 3 x 0.02") for n in range(3)))
            await asyncio.gather(*first)
            ended = await asyncio.gather(*four)
            assert [each.get("reason") for each in ended] == ["out_of_memory", None, None, None]

    run(test())


def test_a_closing_worker_sends_back_who_has_no_seat(shop: Any):
    async def test() -> None:
        async with shop() as made:
            running = made.start(asked("4 x 0.1"))
            await asyncio.sleep(0.05)
            waiting = made.start(asked("5 4 x 0.1"))
            await asyncio.sleep(0.05)
            made.batcher.close()
            ended = await asyncio.gather(*waiting, return_exceptions=True)
            assert isinstance(ended[0], Closing)
            assert (await asyncio.gather(*running))[0]["say"] == "made"

    run(test())


def test_a_busy_device_is_kept_busy(shop: Any):
    """Of the time from the first batch's start to the last one's end, the device works for most."""

    async def share(made: Shop) -> float:
        jobs = made.start(*(asked(f"{n} 4 x 0.05") for n in range(48)))
        answers = await asyncio.gather(*jobs)
        assert sizes(answers).count(4) >= 40
        runs = {tuple(answer["recipe"]["ran"]) for answer in answers}
        busy = sum(end - begin for begin, end in runs)
        return busy / (max(end for _, end in runs) - min(begin for begin, _ in runs))

    async def test() -> None:
        async with shop() as made:
            best = 0.0
            for _ in range(3):
                best = max(best, await share(made))
                if best >= 0.8:
                    break
            assert best >= 0.8, best

    run(test())
