"""Boards: places with their own visibility, membership, rules and defaults."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forum.members.models import Member
from generation import queue


class Visibility(models.TextChoices):
    """Who may see a board."""

    PUBLIC = "public", _("everybody")
    MEMBERS = "members", _("signed-in members")
    PRIVATE = "private", _("only those who belong to it")


class Licence(models.TextChoices):
    """What others may do with an image. SPDX identifiers where they exist."""

    ALL_RIGHTS = "all-rights-reserved", _("all rights reserved")
    CC0 = "CC0-1.0", _("CC0: no rights reserved")
    CC_BY = "CC-BY-4.0", _("CC BY: with credit")
    CC_BY_SA = "CC-BY-SA-4.0", _("CC BY-SA: with credit, under the same licence")
    CC_BY_NC = "CC-BY-NC-4.0", _("CC BY-NC: with credit, not for money")
    PUBLIC_DOMAIN = "public-domain", _("public domain")


class BoardQuerySet(models.QuerySet["Board"]):
    def visible_to(self, member: Member | None) -> "BoardQuerySet":
        """Boards this person may look into; None is a visitor."""
        if member is None or not member.is_active:
            return self.filter(visibility=Visibility.PUBLIC)
        if member.is_moderator:
            return self
        return self.filter(
            Q(visibility__in=[Visibility.PUBLIC, Visibility.MEMBERS])
            | Q(pk__in=Membership.objects.filter(member=member).values("board"))
        )

    def open_to(self, member: Member | None) -> "BoardQuerySet":
        """Boards this person may post in: visible, not archived, and only for members."""
        if member is None or not member.is_active:
            return self.none()
        return self.visible_to(member).filter(archived_at__isnull=True)

    def editable_by(self, member: Member | None) -> "BoardQuerySet":
        """Boards this person may change: the house's moderators, and the board's own."""
        if member is None or not member.is_active:
            return self.none()
        if member.is_moderator:
            return self
        mine = Membership.objects.filter(member=member, role=Membership.Role.MODERATOR)
        return self.filter(pk__in=mine.values("board"))


class Board(models.Model):
    """A place with its own visibility, rules, engines allowed and licence default."""

    slug = models.CharField(
        _("address"),
        max_length=50,
        unique=True,
        validators=[
            RegexValidator(r"^[a-z0-9][a-z0-9-]*\Z", _("Small letters, digits and hyphens."))
        ],
    )
    title = models.CharField(_("title"), max_length=100)
    description = models.CharField(_("what it is for"), max_length=2000, blank=True)
    visibility = models.CharField(
        _("who may see it"), max_length=10, choices=Visibility.choices, default=Visibility.PUBLIC
    )
    licence = models.CharField(
        _("licence of new images"), max_length=30, choices=Licence.choices, default=Licence.CC_BY
    )
    #: Name of the preset that answers here unless another is chosen; empty is the house's usual one.
    preset = models.CharField(_("preset"), max_length=40, blank=True, default="")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="boards_made"
    )
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="boards"
    )
    #: Since when everybody's first derivative here goes before anybody's second; empty: not so.
    turns_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    #: Nothing new is said in an archived board; all of it can still be read.
    archived_at = models.DateTimeField(null=True, blank=True)

    objects = BoardQuerySet.as_manager()

    class Meta:
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title

    @property
    def circle(self) -> str:
        """The name of those who take turns here, for the studio; "" where turns are not counted.

        Another name each time it is switched on, so that counting begins anew.
        """
        since = self.turns_since
        return f"board.{self.pk}.{int(since.timestamp())}" if since else ""

    @property
    def usual(self) -> str:
        """Name of the preset that answers here now unless another is chosen."""
        return self.preset or queue.usual()

    @property
    def is_archived(self) -> bool:
        """Whether nothing new may be said here."""
        return self.archived_at is not None


class Membership(models.Model):
    """Somebody belongs to a board."""

    class Role(models.TextChoices):
        MEMBER = "member", _("member")
        MODERATOR = "moderator", _("moderator")

    board = models.ForeignKey(Board, models.CASCADE, related_name="memberships")
    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["board", "member"], name="one_membership_per_board_and_member"
            )
        ]

    def __str__(self) -> str:
        return f"{self.member} in {self.board}"


class DecisionKind(models.TextChoices):
    """What somebody who moderates did."""

    HIDDEN = "hidden", _("hid an image")
    SHOWN = "shown", _("showed an image again")
    MOVED = "moved", _("moved a thread")


class Office(models.TextChoices):
    """In whose name somebody decided."""

    BOARD = "board", _("a moderator of this board")
    HOUSE = "house", _("a moderator of the whole forum")


class DecisionQuerySet(models.QuerySet["Decision"]):
    def visible_to(self, member: Member | None) -> "DecisionQuerySet":
        """Decisions on boards that this person moderates, at either end of a move."""
        mine = Board.objects.editable_by(member)
        return self.filter(Q(board__in=mine) | Q(to_board__in=mine))

    def with_names(self) -> "DecisionQuerySet":
        """With what a list shows of them, newest first."""
        return self.select_related("by", "board", "to_board", "image", "thread").order_by("-pk")


class Decision(models.Model):
    """What somebody who moderates decided, and why: the audit trail. Never changed, only added to."""

    board = models.ForeignKey(Board, models.CASCADE, related_name="decisions")
    #: Where a thread was moved to.
    to_board = models.ForeignKey(Board, models.CASCADE, null=True, related_name="+")
    kind = models.CharField(max_length=10, choices=DecisionKind.choices)
    image = models.ForeignKey("forum.Image", models.SET_NULL, null=True, related_name="decisions")
    thread = models.ForeignKey("forum.Thread", models.SET_NULL, null=True, related_name="decisions")
    #: Empty when they left and wished no name to stay.
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    office = models.CharField(max_length=10, choices=Office.choices)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["board", "-id"], name="decision_by_board")]

    def __str__(self) -> str:
        return f"{self.kind} on {self.board_id}"


class WordQuerySet(models.QuerySet["Word"]):
    def heard_on(self, board: Board) -> "WordQuerySet":
        """Words that hold on a board: the house's, then its own, which go before them."""
        return self.filter(Q(board=board) | Q(board__isnull=True)).order_by(
            models.F("board").asc(nulls_first=True), "pk"
        )


class Word(models.Model):
    """A word that a community taught the darkroom: it stands for operations that exist."""

    #: Where it holds; empty is everywhere.
    board = models.ForeignKey(Board, models.CASCADE, null=True, blank=True, related_name="words")
    term = models.CharField(_("word"), max_length=60)
    #: The term in small letters with single spaces: no two words of a board may share it.
    folded = models.CharField(max_length=60, editable=False)
    #: What it means, in words that the darkroom knows.
    means = models.CharField(_("it means"), max_length=200)
    #: The same as read when it was taught: [{"name": ..., "settings": {...}}], in order.
    steps = models.JSONField(default=list)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(null=True, blank=True)

    objects = WordQuerySet.as_manager()

    class Meta:
        ordering = ["folded"]
        constraints = [
            models.UniqueConstraint(
                fields=["board", "folded"], name="one_word_per_board", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return self.term
