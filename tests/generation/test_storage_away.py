"""A storage that does not answer costs a try, wherever that shows; a file that is gone ends the job."""

import io
import uuid
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from generation import queue
from generation.engines.base import SourceRefused
from generation.host import opening
from generation.host.troubles import of_storage
from generation.jobs import files
from generation.jobs.files import Bench, StorageGone
from generation.models import Job, Reason
from generation.requests import EditRequest, ImageRef
from generation.worker import attempts, ordering
from tests.generation.conftest import HOME
from tests.generation.elsewhere import Elsewhere
from tests.generation.pictures import rings


@pytest.fixture
def elsewhere(settings, monkeypatch: pytest.MonkeyPatch) -> type[Elsewhere]:
    """The default storage is an object storage."""
    backend = {"BACKEND": "tests.generation.elsewhere.Elsewhere"}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    monkeypatch.setattr(Elsewhere, "away", False)
    return Elsewhere


def an_edit(*sources: ImageRef) -> int:
    request = EditRequest("darkroom", "at night", 7, sources)
    return queue.submit(request, return_to=HOME)


def kept_picture() -> ImageRef:
    out = io.BytesIO()
    rings().save(out, "JPEG")
    name = default_storage.save("images/a.jpg", ContentFile(out.getvalue()))
    return ImageRef("0" * 64, name, rings().size)


@pytest.mark.django_db
def test_sources_elsewhere_are_tried_again_later(elsewhere: type[Elsewhere]) -> None:
    job = an_edit(kept_picture())
    elsewhere.away = True
    begun = attempts.begin(job, uuid.uuid4())
    assert begun is not None
    assert (begun.reason, begun.permanent) == (Reason.STORAGE_FULL, False)


@pytest.mark.django_db
def test_a_source_that_is_gone_elsewhere_ends_the_job(elsewhere: type[Elsewhere]) -> None:
    source = kept_picture()
    default_storage.delete(source.name)
    begun = attempts.begin(an_edit(source), uuid.uuid4())
    assert begun is not None
    assert (begun.reason, begun.permanent) == (Reason.SOURCE_REFUSED, True)


def test_results_elsewhere_are_no_error_of_the_engine(
    elsewhere: type[Elsewhere], tmp_path: Path
) -> None:
    made = tmp_path / "a.webp.part"
    made.write_bytes(b"picture")
    words = {"path": str(made), "mime": "image/webp", "bytes": 7, "sha256": "", "width": 1}
    with Bench(1, uuid.uuid4()) as bench:
        elsewhere.away = True
        with pytest.raises(StorageGone):
            bench.keep({**words, "height": 1})
        assert made.exists(), "it may still be put there"
        elsewhere.away = False
        assert default_storage.exists(bench.keep({**words, "height": 1}).name)


# --- a folder that is not mounted -------------------------------------------------------------


@pytest.mark.django_db
def test_nothing_is_written_where_a_disk_belongs(ask, studio) -> None:
    """What begins from nothing looks for no source, and would write under the mount."""
    ask("at night")
    studio.work()
    media = Path(default_storage.path(""))
    media.rename(media.with_name("unmounted"))
    media.mkdir()
    begun = attempts.begin(an_edit(), uuid.uuid4())
    assert begun is not None
    assert (begun.reason, begun.permanent) == (Reason.STORAGE_FULL, False)
    assert list(media.iterdir()) == []


@pytest.mark.django_db
def test_the_first_picture_of_all_needs_no_folder() -> None:
    assert not files.storage_is_there()
    begun = attempts.begin(an_edit(), uuid.uuid4())
    assert begun is not None and begun.reason == ""
    assert Path(begun.order["folder"]).is_dir()


def test_a_file_that_cannot_be_read_now_may_be_read_later(tmp_path: Path) -> None:
    """The device opens sources long after they were looked for."""
    with pytest.raises(FileNotFoundError) as away:
        opening.opened(str(tmp_path / "gone.jpg"), 100)
    assert of_storage(away.value)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8no picture")
    with pytest.raises(SourceRefused) as broken:
        opening.opened(str(tmp_path / "broken.jpg"), 100)
    assert not of_storage(broken.value)


@pytest.mark.django_db
def test_a_lost_attempt_does_not_mind_a_storage_that_is_away(elsewhere: type[Elsewhere]) -> None:
    """Its files go with the hourly sweep then."""
    job = an_edit(kept_picture())
    begun = attempts.begin(job, uuid.uuid4())
    assert begun is not None and ordering.KINDS[Job.objects.get(pk=job).task]
    elsewhere.away = True
    attempts.Attempt(begun, None, None)._clear()  # type: ignore[arg-type]
