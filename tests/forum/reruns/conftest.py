"""A derivative that the real darkroom made."""

import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from forum.images.models import FileRole, Image
from forum.reruns import actions
from forum.reruns.models import Rerun
from generation.models import Job
from tests.factories import a_thread, ask
from tests.generation.pictures import rings


@pytest.fixture
def hill(plaza, lin) -> Image:
    """An original of a size that the darkroom takes, on a public board."""
    image = a_thread(plaza, lin).first_image
    out = io.BytesIO()
    rings().save(out, "JPEG", quality=90)
    file = image.file(FileRole.DISPLAY)
    file.name = default_storage.save("images/hill.jpg", ContentFile(out.getvalue()))
    file.width, file.height = rings().size
    file.save()
    return Image.objects.get(pk=image.pk)


@pytest.fixture
def derivative(hill, lin, studio) -> Image:
    """What the real darkroom made of it."""
    reply = ask(lin, hill, "heavy snow at night, as an impressionist painting", key="first")
    studio.work()
    reply.refresh_from_db()
    assert reply.image is not None, Job.objects.get(pk=reply.job).detail
    return Image.objects.with_files().get(pk=reply.image_id)


def rerun(image: Image, by, studio) -> Rerun:
    """Run again to its end."""
    made = actions.run_again(image=image, by=by)
    studio.work()
    made.refresh_from_db()
    return made
