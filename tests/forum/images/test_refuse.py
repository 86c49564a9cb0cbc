"""What means harm, or is no picture, is refused with a reason and leaves nothing behind."""

import io
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from forum.images import children, decoding, events, refusals, slots, storing
from forum.images import ingest as leading
from forum.images.ingest import ingest
from forum.images.models import Image as ImageRow
from forum.images.refusals import Refused
from tests.forum.images import hostile, odd
from tests.forum.images.hostile import EITHER, MAKERS
from tests.forum.images.odd import encoded, photograph

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).resolve().parents[3]
SLOWEST = 3.0  # seconds, goal B2


def refusal_of(data: bytes, member) -> Refused:
    with pytest.raises(Refused) as caught:
        ingest(io.BytesIO(data), member=member)
    return caught.value


@pytest.mark.parametrize("name", MAKERS)
def test_a_harmful_file_is_refused(name, lin, left_behind):
    data = MAKERS[name]()
    start = time.monotonic()
    refusal = refusal_of(data, lin)
    assert time.monotonic() - start < SLOWEST
    assert refusal.code in refusals.TABLE
    assert refusal.status == 422
    assert_plain(str(refusal.sentence))
    assert left_behind() == []


def assert_plain(sentence: str) -> None:
    """One sentence for people: no path, library, trace or unfilled place."""
    assert sentence.endswith(".")
    assert not [word for word in ("/", "PIL", "Error", "%(", "Traceback") if word in sentence]


@pytest.mark.parametrize("name", EITHER)
def test_a_doubtful_file_gets_a_clean_answer(name, lin, left_behind):
    start = time.monotonic()
    try:
        taken = ingest(io.BytesIO(EITHER[name]()), member=lin)
    except Refused as refusal:
        assert refusal.status == 422
        assert left_behind() == []
    else:
        assert len(taken.files) == 3
    assert time.monotonic() - start < SLOWEST


def test_the_floor_of_harmful_files():
    """A collapse means that makers are no longer found: do not lower this."""
    assert len(MAKERS) >= 75
    assert len(EITHER) >= 7


CODES = {
    "foreign_nothing": "empty",
    "foreign_html": "not_an_image",
    "foreign_svg_gzipped": "not_an_image",
    "foreign_svg": "kind_not_accepted",
    "foreign_tiff": "kind_not_accepted",
    "foreign_bmp": "kind_not_accepted",
    "png_of_one_pixel": "too_small",
    "png_claims_65536_squared": "too_many_pixels",
    "png_claims_121_megapixels": "too_many_pixels",
    "webp_flat_of_40_megapixels": "too_many_pixels",
    "png_wrong_checksum": "broken",
    "jpeg_header_alone": "broken",
}


@pytest.mark.parametrize("name", CODES)
def test_the_reason_is_the_right_one(name, lin):
    assert refusal_of(MAKERS[name](), lin).code == CODES[name]


def test_kinds_not_taken_are_told_which_are(lin):
    sentence = str(refusal_of(MAKERS["foreign_tiff"](), lin).sentence)
    assert all(kind in sentence for kind in ("JPEG", "PNG", "WebP", "AVIF", "GIF"))


WRONG = [("x.jpg", "image/jpeg"), ("x.png", "text/html"), ("x.svg", "image/svg+xml"), ("x", "")]
AWKWARD = [
    "../../etc/passwd", "/etc/passwd", "a\0b.jpg", "C:\\con", "对影.jpg", "‮gpj.exe", "." * 255, " ",
    "a" * 255 + ".jpg", "-rf", "%00.png", "<script>.png", "con", "a\nb.png", "🎑.webp", "'; DROP--",
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), WRONG)
def test_name_and_type_decide_nothing(name, kind, lin):
    assert ingest(SimpleUploadedFile(name, odd.png(), kind), member=lin).kind == "PNG"
    with pytest.raises(Refused, match="not_an_image"):
        ingest(SimpleUploadedFile(name, b"<html>", kind), member=lin)


@pytest.mark.parametrize("name", AWKWARD)
def test_an_awkward_name_is_part_of_no_path(name, lin, media):
    upload = SimpleUploadedFile("x", odd.png(), "image/png")
    upload._name = name
    taken = ingest(upload, member=lin)
    for each in taken.files:
        assert each.file.name.startswith("images/")
        assert (media / each.file.name).is_file()


@pytest.mark.parametrize("part", range(1, 20))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_cut_off_is_refused(kind, part, lin, left_behind):
    whole = encoded(photograph(), kind)
    assert refusal_of(whole[: len(whole) * part // 20], lin).status == 422
    assert left_behind() == []


def test_every_forbidden_loader_is_out_of_reach():
    """An allow-list with a misspelt name lets everything through: ask Pillow itself."""
    for name in ("BMP", "TIFF", "PPM", "ICO", "TGA", "PCX", "EPS", "DDS", "PSD"):
        assert name not in leading.KINDS
    with pytest.raises(Image.UnidentifiedImageError):
        Image.open(io.BytesIO(MAKERS["foreign_tiff"]()), formats=["JPEG"])


def test_an_upload_over_the_limit_is_too_large(lin, settings, left_behind):
    settings.FORUM_UPLOAD_MB = 1
    refusal = refusal_of(b"\xff\xd8\xff" + b"\0" * 1024**2, lin)
    assert (refusal.code, refusal.status) == ("too_large", 413)
    assert str(refusal.sentence) == "This file is larger than 1 MB."
    assert left_behind() == []


def test_an_upload_that_hides_its_size_is_measured(lin, settings):
    settings.FORUM_UPLOAD_MB = 1

    class Unsized(io.BytesIO):
        size = None

    with pytest.raises(Refused, match="too_large"):
        ingest(Unsized(b"\xff\xd8\xff" + b"\0" * 1024**2), member=lin)


def test_pixels_are_counted_by_the_setting(lin, settings):
    settings.FORUM_UPLOAD_MEGAPIXELS = 1
    assert refusal_of(encoded(photograph((1100, 1000)), "PNG"), lin).code == "too_many_pixels"
    # A JPEG is unpacked at a reduced scale, so it may have twice as many.
    assert ingest(io.BytesIO(encoded(photograph((1100, 1000)), "JPEG")), member=lin).width == 1100
    assert refusal_of(encoded(photograph((2100, 1000)), "JPEG"), lin).code == "too_many_pixels"


def test_a_full_store_of_a_member_is_told(lin, settings, plaza, original):
    original(plaza, lin)
    settings.FORUM_MEMBER_STORAGE_MB = 0
    refusal = refusal_of(odd.png(), lin)
    assert (refusal.code, refusal.status) == ("quota_full", 422)


def test_a_full_disk_is_told_before_anything_is_written(lin, settings, left_behind):
    settings.FORUM_FREE_MB = 10**9
    refusal = refusal_of(odd.png(), lin)
    assert (refusal.code, refusal.status) == ("storage_full", 507)
    assert left_behind() == []


def test_a_disk_that_fills_up_while_writing(lin, media, left_behind):
    """A real limit of the kernel: this process may write files of 2 kB only, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    data = encoded(photograph(), "PNG")
    resource.setrlimit(resource.RLIMIT_FSIZE, (2048, hard))
    try:
        refusal = refusal_of(data, lin)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
    assert (refusal.code, refusal.status) == ("storage_full", 507)
    assert left_behind() == []


def test_a_storage_that_is_away_removes_what_was_written(lin, media, left_behind):
    """The folder of media is a file: the storage can make nothing in it."""
    media.write_bytes(b"in the way")
    refusal = refusal_of(odd.png(), lin)
    assert (refusal.code, refusal.status, refusal.retry_after) == ("storage_away", 503, 30)
    assert not list((media.parent / "incoming").iterdir())


HOLD = """
import sys, time
from pathlib import Path
from forum.images.slots import slot
with slot(Path(sys.argv[1]), wait=5, count=1):
    print("held", flush=True)
    time.sleep(60)
"""


def test_all_slots_taken_by_another_process(lin, media, monkeypatch, left_behind):
    monkeypatch.setattr(leading, "PATIENCE", 0.3)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    folder = media.parent / "slots"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == b"held\n"
        refusal = refusal_of(odd.png(), lin)
        assert (refusal.code, refusal.status, refusal.retry_after) == ("busy", 503, 5)
        assert left_behind() == []
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    # The lock was the kernel's: it fell with its holder.
    assert ingest(io.BytesIO(odd.png()), member=lin).kind == "PNG"


def test_slots_are_as_many_as_asked(tmp_path):
    with (
        slots.slot(tmp_path, wait=0, count=2),
        slots.slot(tmp_path, wait=0, count=2),
        pytest.raises(slots.NoSlot),
        slots.slot(tmp_path, wait=0.05, count=2),
    ):
        pass
    with slots.slot(tmp_path, wait=0, count=1):
        pass


def kill_the_child(number: int, found: list[int]) -> None:
    """Send a signal to the first decoding child that appears."""
    from multiprocessing import forkserver

    server = forkserver._forkserver._forkserver_pid
    for _ in range(2000):
        children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        if children:
            found.append(int(children[0]))
            os.kill(found[0], number)
            return
        time.sleep(0.002)


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the child")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_child_that_dies_costs_nothing_but_its_picture(number, lin, left_behind):
    ingest(io.BytesIO(odd.png()), member=lin)  # the fork server runs
    before = set(left_behind())
    data = encoded(photograph((3000, 2500)), "PNG", compress_level=1)
    found: list[int] = []
    killer = threading.Thread(target=kill_the_child, args=(number, found))
    killer.start()
    refusal = refusal_of(data, lin)
    killer.join()
    assert found
    assert refusal.code == "too_costly"
    assert set(left_behind()) == before
    assert ingest(io.BytesIO(odd.png()), member=lin).kind == "PNG"


def tight(**words: int) -> decoding.Limits:
    return decoding.Limits(50_000_000, 24_000_000, 100_000_000, **words)


def test_memory_is_bounded(tmp_path):
    source = tmp_path / "big"
    source.write_bytes(encoded(Image.new("RGB", (6000, 6000)), "PNG", compress_level=1))
    limits = tight(memory_bytes=120 * 1024**2)
    answer = children.decode_apart(source, tmp_path, "PNG", limits)
    assert answer["refused"] == "too_costly"


def test_time_is_bounded(tmp_path):
    source = tmp_path / "big"
    source.write_bytes(encoded(photograph((9000, 5500)), "PNG", compress_level=1))
    start = time.monotonic()
    with pytest.raises(
        children.ChildLost, match="exit -9"
    ):  # no machine decodes fifty megapixels as fast as that
        children.decode_apart(source, tmp_path, "PNG", tight(cpu_seconds=1, wall_seconds=0.05))
    assert time.monotonic() - start < 3


def test_the_fork_server_comes_back(lin):
    """Whoever kills it, on purpose or for want of memory: the next upload starts a new one."""
    from multiprocessing import forkserver

    ingest(io.BytesIO(odd.png()), member=lin)
    os.kill(forkserver._forkserver._forkserver_pid, signal.SIGKILL)
    time.sleep(0.2)
    assert ingest(io.BytesIO(odd.png()), member=lin).kind == "PNG"


def test_a_child_has_no_secrets(tmp_path):
    """Its environment is empty, its open files are few, and it may dump no core."""
    code = (
        "import os, resource; from forum.images.decoding import Limits, confine; "
        "confine(Limits(1, 1, 1)); "
        "print(len(os.environ), resource.getrlimit(resource.RLIMIT_NOFILE)[0], "
        "resource.getrlimit(resource.RLIMIT_CORE)[0])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.split() == ["0", "64", "0"], done.stderr


def test_a_registered_check_can_refuse(lin, left_behind):
    """Upper rooms bring block lists; what they refuse leaves nothing behind."""

    def no(ingested):
        raise Refused("not_accepted_here", "This picture is not accepted here.", 422)

    events.on_ingested.append(no)
    try:
        assert refusal_of(odd.png(), lin).code == "not_accepted_here"
    finally:
        events.on_ingested.remove(no)
    assert not [name for name in left_behind() if Path(name).is_file()]
    assert not ImageRow.objects.exists()


def test_a_link_is_never_followed(tmp_path):
    """A child that a picture took over might leave a link where a rendition should be."""
    (tmp_path / "display.webp").symlink_to("/etc/hostname")
    with pytest.raises(OSError, match="symbolic"):
        storing.hash_and_flush(tmp_path / "display.webp")


def test_memory_of_this_process_stays_flat(lin):
    """The web process never unpacks a picture: thirty hostile ones leave it as it was."""
    data = [MAKERS[name]() for name in ("png_claims_121_megapixels", "png_pixels_end_early")]
    data += [hostile.EITHER["png_pixels_unpack_far_beyond_their_size"]()]
    refusal_of(data[0], lin)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for each in data * 10:
        try:
            ingest(io.BytesIO(each), member=lin)
        except Refused:
            continue
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000
