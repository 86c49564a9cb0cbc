"""Members, their tokens, invitations and allowances."""

import hashlib
import secrets
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import models
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from forum.announce import announce
from forum.prepared import prepared


class Role(models.TextChoices):
    """What a member may do in the whole house."""

    MEMBER = "member", _("member")
    MODERATOR = "moderator", _("moderator")
    OWNER = "owner", _("owner")


class Theme(models.TextChoices):
    """Light or dark; empty follows the system."""

    SYSTEM = "", _("as my system")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


@prepared
def _numbered(pk: int) -> "models.QuerySet[Member]":
    return Member.objects.filter(pk=pk)


class MemberManager(UserManager["Member"]):
    def get(self, *args: Any, **words: Any) -> "Member":
        """By number, as every request of somebody signed in asks, with SQL written once."""
        # Managers of relations descend from this one and give some members only.
        plain = type(self) is MemberManager and not args and words.keys() == {"pk"}
        if not plain or not isinstance(words["pk"], int):
            return super().get(*args, **words)
        if not (rows := _numbered(words["pk"])):
            raise Member.DoesNotExist
        return rows[0]

    def get_by_natural_key(self, username: str | None) -> "Member":
        """Names are compared without case, so that Lin and lin are one person."""
        return self.get(username__iexact=username)


class Member(AbstractUser):
    """A person with an account; may be a pupil with a pseudonym and no e-mail."""

    # AbstractUser's names and address are more than a forum of minors should ask for.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    email = models.EmailField(_("e-mail"), blank=True)
    username = models.CharField(
        _("user name"), max_length=40, unique=True, validators=[UnicodeUsernameValidator()]
    )
    #: Shown beside what they say; empty shows the user name.
    name = models.CharField(_("name"), max_length=60, blank=True)
    about = models.CharField(_("about"), max_length=1000, blank=True)
    role = models.CharField(_("role"), max_length=12, choices=Role.choices, default=Role.MEMBER)
    language = models.CharField(_("language"), max_length=10, blank=True)
    theme = models.CharField(_("theme"), max_length=5, choices=Theme.choices, blank=True)
    #: Single-key shortcuts; off for those whom they disturb.
    keys = models.BooleanField(_("single-key shortcuts"), default=True)
    #: Set when the person left and only a pseudonym stays beside their images.
    left_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[MemberManager] = MemberManager()
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("username"), name="one_member_per_name_whatever_case"),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def save(self, *args: Any, **words: Any) -> None:
        """Write the row; where the password or the right to be here may have changed, say so.

        Open sockets are not asked again by any request: they listen for this.
        """
        known = not self._state.adding
        super().save(*args, **words)
        changed = words.get("update_fields")
        if known and (changed is None or {"password", "is_active"} & set(changed)):
            announce("access", "session", id=self.pk)

    @property
    def is_moderator(self) -> bool:
        """May moderate every board."""
        return self.role in {Role.MODERATOR, Role.OWNER}

    @property
    def is_owner(self) -> bool:
        """Runs the instance."""
        return self.role == Role.OWNER


class Token(models.Model):
    """A key for the API. Only its hash is kept, so a stolen database opens nothing."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    #: Hex SHA-256 of the token; tokens are 32 random bytes, so no slow hash is needed.
    digest = models.CharField(max_length=64, unique=True)
    #: The first characters, to recognise it in a list.
    hint = models.CharField(max_length=12)
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)

    PREFIX = "gb_"

    def __str__(self) -> str:
        return f"{self.hint}…"

    @classmethod
    def digest_of(cls, secret: str) -> str:
        """What is kept of a token."""
        return hashlib.sha256(secret.encode()).hexdigest()

    @classmethod
    def make(cls, *, member: Member, name: str) -> tuple["Token", str]:
        """A new token and its secret, which is shown once and never again."""
        secret = cls.PREFIX + secrets.token_urlsafe(32)
        kept = cls.objects.create(
            member=member, name=name, digest=cls.digest_of(secret), hint=secret[:8]
        )
        return kept, secret


class Invitation(models.Model):
    """A code that lets somebody sign up where sign-up is by invitation."""

    code = models.CharField(max_length=40, unique=True)
    made_by = models.ForeignKey(Member, models.CASCADE, related_name="invitations")
    note = models.CharField(max_length=100, blank=True)
    uses_left = models.PositiveIntegerField(default=1)
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.code

    @classmethod
    def usable(cls) -> models.QuerySet["Invitation"]:
        """Those that let somebody in."""
        living = models.Q(expires_at__isnull=True) | models.Q(expires_at__gt=Now())
        return cls._default_manager.filter(living, uses_left__gt=0)


class Allowance(models.Model):
    """The ledger of what is dear: how often somebody did a thing in the running window."""

    #: "member:7" or "address:2001:db8::/64".
    who = models.CharField(max_length=64)
    #: What is counted, such as "envision" or "upload".
    what = models.CharField(max_length=20)
    #: When the window began that `spent` counts.
    since = models.DateTimeField()
    spent = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["who", "what"], name="one_allowance_per_who_and_what")
        ]

    def __str__(self) -> str:
        return f"{self.who} {self.what}: {self.spent}"


class IdempotencyKey(models.Model):
    """What a member's program asked under a key, and what it was answered."""

    member = models.ForeignKey(Member, models.CASCADE, related_name="idempotency_keys")
    #: Hex SHA-256 of the key.
    key = models.CharField(max_length=64)
    #: Hex SHA-256 of what was asked: address and body.
    content = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    #: The body and the Location header of the answer.
    answer = models.JSONField()
    location = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["member", "key"], name="one_answer_per_member_and_key")
        ]

    def __str__(self) -> str:
        return f"{self.member_id} {self.key[:8]}"
