"""What this room does when an image is withdrawn, hidden or described anew."""

from forum.images import events
from forum.images.models import Image
from forum.threads.models import Reply, ReplyKind, Thread
from generation import queue


def forget_words(image: Image) -> None:
    """What was asked goes with what was made of it: the prompt, and the studio's record of both.

    The reply keeps its place, grey, because others may have answered it.
    """
    asked = Reply.objects.filter(image=image, kind=ReplyKind.PROMPT)
    jobs = [pk for pk in asked.values_list("job", flat=True) if pk is not None]
    # Its mask goes by the masks room's own hook, unless another reply was made with it.
    asked.update(prompt="", language="", job=None)
    queue.forget(jobs)


def retitle(image: Image) -> None:
    """A thread is called as its first image is, for as long as that may be seen."""
    Thread.objects.filter(first_image=image).update(title=image.title if image.is_shown else "")


for hooks in (events.on_withdrawn, events.on_hidden, events.on_described):
    if retitle not in hooks:
        hooks.append(retitle)
if forget_words not in events.on_withdrawn:
    events.on_withdrawn.append(forget_words)
