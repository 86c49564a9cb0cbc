"""Masks go when their reply, their image or their author goes, and when nothing came of them."""

import pytest
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.functions import Now

from forum.images import actions as images
from forum.images import audit as image_audit
from forum.masks import audit
from forum.masks.actions import PATIENCE, sweep_masks
from forum.masks.models import Mask
from forum.members.actions import leave
from forum.threads.actions import take_in
from forum.threads.models import Reply
from tests.factories import a_mask, ask, come_out

pytestmark = pytest.mark.django_db


def answered(member, image, mask, key="k"):
    """The derivative of a reply with a mask."""
    reply = ask(member, image, mask=mask, key=key)
    come_out(reply.job)
    return take_in(reply.job)


@pytest.fixture
def committed(django_capture_on_commit_callbacks):
    """Run something and what it left for the commit."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_with_the_image_it_was_painted_on(lin, ada, hill, committed):
    mask = a_mask(ada, hill)
    ask(ada, hill, mask=mask)
    with committed():
        images.withdraw(image=hill, by=lin)
    assert not Mask.objects.exists()
    assert not default_storage.exists(mask.name)
    assert Reply.objects.get().mask is None


def test_with_the_image_that_was_made_with_it(ada, hill, committed):
    mask = a_mask(ada, hill)
    image = answered(ada, hill, mask)
    with committed():
        images.withdraw(image=image, by=ada)
    assert not default_storage.exists(mask.name)
    assert list(audit.check()) == []


def test_not_while_another_reply_was_made_with_it(ada, hill, committed):
    mask = a_mask(ada, hill)
    image = answered(ada, hill, mask)
    other = answered(ada, hill, mask, key="other")
    with committed():
        images.withdraw(image=image, by=ada)
    assert default_storage.exists(mask.name)
    with committed():
        images.withdraw(image=other, by=ada)
    assert not default_storage.exists(mask.name)


def test_a_rollback_leaves_the_file(lin, ada, hill):
    mask = a_mask(ada, hill)
    with pytest.raises(RuntimeError), transaction.atomic():
        images.withdraw(image=hill, by=lin)
        raise RuntimeError
    assert default_storage.exists(mask.name)
    assert Mask.objects.get() == mask


def test_an_unused_one_is_swept_after_a_day(ada, hill, committed):
    old, used, young = (a_mask(ada, hill, rectangle=(0, 0, 0.1 * n, 1)) for n in (1, 2, 3))
    ask(ada, hill, mask=used)
    Mask.objects.exclude(pk=young.pk).update(created_at=Now() - PATIENCE)
    with committed():
        assert sweep_masks() == 1
    assert set(Mask.objects.all()) == {used, young}
    assert not default_storage.exists(old.name)
    assert default_storage.exists(used.name)


@pytest.mark.parametrize("keep", [True, False])
def test_who_leaves_takes_along_what_is_not_kept(ada, hill, committed, keep):
    used, unused = a_mask(ada, hill), a_mask(ada, hill, rectangle=(0, 0, 0.3, 1))
    answered(ada, hill, used)
    with committed():
        leave(member=ada, keep_images=keep)
    assert not default_storage.exists(unused.name)
    assert default_storage.exists(used.name) is keep
    assert list(audit.check()) == []


def test_masks_are_no_orphans(ada, hill, monkeypatch):
    from datetime import timedelta

    mask = a_mask(ada, hill)
    monkeypatch.setattr(image_audit, "YOUNG", timedelta(0))
    assert mask.name not in set(image_audit.orphans())


def test_the_audit_tells_what_is_wrong(ada, hill, plaza):
    from tests.factories import a_thread

    mask = a_mask(ada, hill)
    assert list(audit.check()) == []
    other = a_thread(plaza, ada).first_image
    reply = ask(ada, hill, mask=mask)
    Reply.objects.filter(pk=reply.pk).update(to=other)
    default_storage.delete(mask.name)
    told = " ".join(audit.check())
    assert "which is for another image" in told
    assert f"mask {mask.name} is missing" in told
    Mask.objects.update(sha256="0" * 64, created_at=Now() - 3 * PATIENCE)
    Reply.objects.update(mask=None)
    assert "waits for a reply since more than two days" in " ".join(audit.check())
