"""Keys for the API: made, recognised, taken back."""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from forum.members.models import Member, Token

#: How many keys one member may hold.
MOST = 20


class TooManyTokens(Exception):
    """The member holds as many keys as one may."""


def make(*, member: Member, name: str) -> tuple[Token, str]:
    """A new token and its secret, which is shown once. Raises TooManyTokens."""
    if member.tokens.count() >= MOST:
        raise TooManyTokens
    return Token.make(member=member, name=name)


def member_of(secret: str) -> Member | None:
    """Whose key this is; None for an unknown one and for those who may not act.

    Its last use is noted, at most once a minute.
    """
    if not secret.startswith(Token.PREFIX) or len(secret) > 100 or not secret.isascii():
        return None
    digest = Token.digest_of(secret)
    token = Token.objects.select_related("member").filter(digest=digest).first()
    if token is None or not token.member.is_active:
        return None
    note_use(token)
    return token.member


def note_use(token: Token) -> None:
    """Write down that the token was used, unless that was less than a minute ago."""
    stale = Q(used_at__isnull=True) | Q(used_at__lt=Now() - timedelta(minutes=1))
    Token.objects.filter(stale, pk=token.pk).update(used_at=Now())
