"""Threads, replies with their states, and readings."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.expressions import ArraySubquery
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Board, Visibility
from forum.images.models import File, FileRole, Image
from forum.members.models import Member
from forum.states import Graph, graph

#: How many of its newest answers a thread's card shows.
GLIMPSES = 5


class ThreadQuerySet(models.QuerySet["Thread"]):
    def visible_to(self, member: Member | None) -> "ThreadQuerySet":
        """Threads of boards this person may look into that still show something.

        Where the first image was withdrawn or hidden, what others answered stays.
        """
        return self.filter(
            Q(first_image__in=Image.objects.visible_to(member)) | Q(reply_count__gt=0),
            board__in=Board.objects.visible_to(member),
        )

    def for_cards(self) -> list["Thread"]:
        """With everything `_card.html` shows, in four queries: `glimpses` are its newest answers."""
        done = Reply.objects.filter(thread=OuterRef("pk")).done().shown_to_all()
        forming = Reply.objects.filter(thread=OuterRef("pk")).forming()
        threads: list[Any] = list(
            self.select_related("board", "first_image__author")
            .prefetch_related("first_image__files")
            .annotate(
                newest=ArraySubquery(done.order_by("-pk").values("image_id")[:GLIMPSES]),
                is_moving=Exists(forming),
            )
        )
        wanted = {pk for thread in threads for pk in thread.newest}
        images = Image.objects.prefetch_related("files").in_bulk(wanted)
        for thread in threads:
            thread.glimpses = [images[pk] for pk in thread.newest if pk in images]
        return threads


class Thread(models.Model):
    """A first image and all that answers it: a tree by reply."""

    board = models.ForeignKey(Board, models.PROTECT, related_name="threads")
    #: Empty only inside the transaction that makes both.
    first_image = models.OneToOneField(
        Image, models.PROTECT, null=True, related_name="opens", db_constraint=True
    )
    title = models.CharField(_("title"), max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: When something last came into being here.
    moved_at = models.DateTimeField(auto_now_add=True, db_index=True)
    #: Counters, kept by the verbs and recounted by `manage.py audit`. Images that began here, grey
    #: places too; replies that are done; members who stand behind either.
    image_count = models.PositiveIntegerField(default=0)
    reply_count = models.PositiveIntegerField(default=0)
    voice_count = models.PositiveIntegerField(default=0)

    objects = ThreadQuerySet.as_manager()
    #: Set by `for_cards`, beside the annotations `newest` (ids) and `is_moving`.
    glimpses: list[Image]

    class Meta:
        indexes = [models.Index(fields=["board", "-moved_at"], name="thread_by_board")]

    def __str__(self) -> str:
        return self.title or f"thread {self.pk}"

    def get_absolute_url(self) -> str:
        """Its page: the tree."""
        return reverse("thread", args=[self.pk])

    @property
    def topic(self) -> str:
        """The name under which its changes are announced."""
        return f"thread.{self.pk}"


class ReplyKind(models.TextChoices):
    """How somebody answered."""

    PROMPT = "prompt", _("by prompt")
    UPLOAD = "upload", _("by upload")
    LINK = "link", _("by pointing")


class ReplyState(models.TextChoices):
    """What people read of a reply's state."""

    WAITING = "waiting", _("waiting")
    RUNNING = "running", _("envisioning")
    DONE = "done", _("done")
    FAILED = "failed", _("did not come out")
    CANCELLED = "cancelled", _("stopped")


FORMING = (ReplyState.WAITING, ReplyState.RUNNING)


#: Columns that `_reply.html` shows: of the reply, its author, and the image it became.
SHOWN = (
    "thread", "to", "author", "kind", "prompt", "language", "image", "job", "preset", "state",
    "reason", "reason_detail", "created_at",
    "author__username", "author__name", "author__left_at",
    "image__state", "image__kind", "image__origin", "image__title", "image__alt",
    "image__language", "image__recipe", "image__board", "image__thread",
)  # fmt: skip
#: And of the image it answers, which stands in for a frame that is not there yet.
SHOWN_TO = tuple(f"to__{name}" for name in ("state", "kind", "origin", "title", "alt", "recipe"))


class ReplyQuerySet(models.QuerySet["Reply"]):
    def visible_to(self, member: Member | None) -> "ReplyQuerySet":
        """Replies this person may see: the thread is visible, and so is what answers."""
        return self.filter(thread__in=Thread.objects.visible_to(member)).filter(
            Q(image__isnull=True) | Q(image__in=Image.objects.visible_to(member))
        )

    def shown_to_all(self) -> "ReplyQuerySet":
        """What everybody who sees the thread sees of it, so that one rendering serves them all.

        Left out are links to images of boards that are closed to some of them. A withdrawn or
        hidden image keeps its place, grey.
        """
        inner = [Visibility.MEMBERS, Visibility.PRIVATE]
        return self.filter(
            Q(image__isnull=True)
            | Q(image__board=F("thread__board"))
            | Q(image__board__visibility=Visibility.PUBLIC)
            | Q(image__board__visibility=Visibility.MEMBERS, thread__board__visibility__in=inner)
        )

    def answers_to(self, image: Image) -> "ReplyQuerySet":
        """Replies to an image that everybody who sees it sees: `shown_to_all` for a known board."""
        open_to_all = [Visibility.PUBLIC]
        if image.board.visibility != Visibility.PUBLIC:
            open_to_all.append(Visibility.MEMBERS)
        return self.filter(
            Q(image__isnull=True)
            | Q(image__board=image.board_id)
            | Q(image__board__visibility__in=open_to_all),
            to=image,
            thread=image.thread_id,
        )

    def as_which(self, image: Image) -> "ReplyQuerySet":
        """The reply that an uploaded image is, for those who see the image: one board, one thread."""
        return self.filter(image=image, thread=image.thread_id, kind=ReplyKind.UPLOAD)

    def holding(self) -> "ReplyQuerySet":
        """Those by which an image no longer waits: done, or coming into being."""
        return self.filter(state__in=[*FORMING, ReplyState.DONE])

    def forming(self) -> "ReplyQuerySet":
        """Those that still come into being."""
        return self.filter(state__in=FORMING)

    def done(self) -> "ReplyQuerySet":
        """Those that became an image."""
        return self.filter(state=ReplyState.DONE)

    def stoppable_by(self, member: Member | None) -> "ReplyQuerySet":
        """Replies this person may stop or try again: their own; moderators any."""
        if member is None or not member.is_active:
            return self.none()
        seen = self.visible_to(member)
        return seen if member.is_moderator else seen.filter(author=member)

    def for_card(self) -> "ReplyQuerySet":
        """With the rows that `_reply.html` shows, in two queries: thumbs are all it shows."""
        thumbs = File.objects.filter(role=FileRole.THUMB)
        rows = self.select_related("author", "image", "to").only(*SHOWN, *SHOWN_TO)
        return rows.prefetch_related(
            Prefetch("image__files", thumbs), Prefetch("to__files", thumbs)
        )


class Reply(models.Model):
    """The act of answering one image; what it becomes is `image`."""

    MOVES: ClassVar[Graph] = graph(
        ReplyState.WAITING,
        [
            (ReplyState.WAITING, ReplyState.RUNNING),
            (ReplyState.WAITING, ReplyState.DONE),
            (ReplyState.WAITING, ReplyState.FAILED),
            (ReplyState.WAITING, ReplyState.CANCELLED),
            (ReplyState.RUNNING, ReplyState.WAITING),
            (ReplyState.RUNNING, ReplyState.DONE),
            (ReplyState.RUNNING, ReplyState.FAILED),
            (ReplyState.RUNNING, ReplyState.CANCELLED),
            (ReplyState.FAILED, ReplyState.WAITING),
            (ReplyState.CANCELLED, ReplyState.WAITING),
        ],
        ends=[ReplyState.DONE],
    )

    thread = models.ForeignKey(Thread, models.PROTECT, related_name="replies")
    #: The image that is answered.
    to = models.ForeignKey(Image, models.PROTECT, related_name="replies")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="replies"
    )
    kind = models.CharField(max_length=10, choices=ReplyKind.choices)
    #: What the member typed. Kept word for word: it is a quotation, not a setting.
    prompt = models.CharField(max_length=2000, blank=True)
    #: BCP 47 tag of the prompt, guessed from its script.
    language = models.CharField(max_length=10, blank=True)
    #: What the reply became, or the image it points to.
    image = models.ForeignKey(
        Image, models.PROTECT, null=True, blank=True, related_name="answers_as"
    )
    #: The studio's job; empty when a person uploaded or pointed.
    job = models.BigIntegerField(null=True, blank=True, unique=True)
    preset = models.CharField(max_length=40, blank=True)
    seed = models.PositiveBigIntegerField(null=True, blank=True)
    strength = models.FloatField(null=True, blank=True)
    #: Where the image may change; empty is everywhere.
    mask = models.ForeignKey(
        "forum.Mask", models.SET_NULL, null=True, blank=True, related_name="replies"
    )
    #: Further source images beside the one that is answered, in order.
    further_sources = models.ManyToManyField(
        Image, through="ReplySource", related_name="also_used_by", blank=True
    )
    state = models.CharField(max_length=10, choices=ReplyState.choices, default=ReplyState.WAITING)
    #: A stable word for why it did not come out, such as "nothing_understood"; pages say the sentence.
    reason = models.CharField(max_length=40, blank=True)
    #: What the engine said about it, for people; English.
    reason_detail = models.CharField(max_length=300, blank=True)
    #: The form's own key, so that a double click makes one reply.
    key = models.CharField(max_length=64)
    #: SHA-256 of what was asked, to tell a repeated request from another one under the same key.
    content = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ReplyQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "replies"
        constraints = [
            models.UniqueConstraint(fields=["author", "key"], name="one_reply_per_author_and_key"),
            models.CheckConstraint(
                name="reply_has_job_or_image",
                condition=Q(job__isnull=False) | Q(image__isnull=False),
            ),
            models.CheckConstraint(
                name="done_reply_has_image",
                condition=~Q(state=ReplyState.DONE) | Q(image__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["to", "-id"], name="reply_by_image"),
            models.Index(fields=["thread", "-id"], name="reply_by_thread"),
            models.Index(fields=["author", "-id"], name="reply_by_author"),
            models.Index(fields=["-id"], condition=Q(state__in=FORMING), name="reply_forming"),
        ]

    def __str__(self) -> str:
        return f"reply {self.pk}"

    @property
    def is_forming(self) -> bool:
        """Still coming into being."""
        return self.state in FORMING


class ReplySource(models.Model):
    """A further source image of a reply, in order."""

    reply = models.ForeignKey(Reply, models.CASCADE)
    image = models.ForeignKey(Image, models.PROTECT)
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["reply", "image"], name="one_source_per_reply_and_image"
            )
        ]

    def __str__(self) -> str:
        return f"{self.image_id} in reply {self.reply_id}"


class ReadingQuerySet(models.QuerySet["Reading"]):
    def about(self, image: Image) -> "ReadingQuerySet":
        """Readings of one image, for those who see it, with their authors."""
        return self.filter(image=image).select_related("author")

    def visible_to(self, member: Member | None) -> "ReadingQuerySet":
        """Readings of images this person may look at."""
        return self.filter(image__in=Image.objects.visible_to(member))

    def editable_by(self, member: Member | None) -> "ReadingQuerySet":
        """Readings this person may take back: their own; moderators any."""
        if member is None or not member.is_active:
            return self.none()
        seen = self.visible_to(member)
        return seen if member.is_moderator else seen.filter(author=member)


class Reading(models.Model):
    """Text about an image: what somebody sees in it."""

    image = models.ForeignKey(Image, models.CASCADE, related_name="readings")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="readings"
    )
    text = models.CharField(_("reading"), max_length=2000)
    language = models.CharField(max_length=10, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReadingQuerySet.as_manager()

    class Meta:
        ordering = ["created_at"]
        indexes = [models.Index(fields=["image", "created_at"], name="reading_by_image")]

    def __str__(self) -> str:
        return self.text[:60]
