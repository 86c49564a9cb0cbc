"""What is dear is counted, in one statement, for everybody who asks."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from forum.members.actions import Spent, give_back, spend
from forum.members.models import Allowance

pytestmark = pytest.mark.django_db


@pytest.fixture
def three(settings):
    """At most three edits in an hour."""
    settings.FORUM_EDITS_PER_HOUR = 3


def use(times: int, who: str = "member:7") -> None:
    for _ in range(times):
        spend(who=who, what="envision")


def test_up_to_the_limit_passes_and_one_more_does_not(three):
    use(3)
    with pytest.raises(Spent) as refusal:
        use(1)
    assert 3590 <= refusal.value.retry_after <= 3600


def test_refused_uses_do_not_prolong_the_wait(three):
    use(3)
    for _ in range(5):
        with pytest.raises(Spent):
            use(1)
    assert Allowance.objects.get().spent == 4
    Allowance.objects.update(since=timezone.now() - timedelta(minutes=50))
    with pytest.raises(Spent) as refusal:
        use(1)
    assert 590 <= refusal.value.retry_after <= 600


def test_the_window_starts_anew_when_it_is_over(three):
    use(3)
    Allowance.objects.update(since=timezone.now() - timedelta(minutes=60))
    use(3)
    with pytest.raises(Spent):
        use(1)


def test_each_has_a_purse_of_their_own(three):
    use(3)
    use(3, who="member:8")
    spend(who="member:7", what="upload")


def test_what_came_to_nothing_is_given_back(three):
    use(3)
    with pytest.raises(Spent):
        use(1)
    give_back(who="member:7", what="envision")
    use(1)
    with pytest.raises(Spent):
        use(1)


def test_giving_back_never_goes_below_nothing(three):
    use(1)
    for _ in range(3):
        give_back(who="member:7", what="envision")
    assert Allowance.objects.get().spent == 0


def test_an_unknown_thing_is_a_mistake_of_ours():
    with pytest.raises(KeyError):
        spend(who="member:7", what="miracles")


def test_what_is_rolled_back_was_not_spent(three):
    with pytest.raises(RuntimeError), transaction.atomic():
        use(2)
        raise RuntimeError
    use(3)


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_do_not_pass_together(three):
    def attempt(_: int) -> bool:
        try:
            use(1)
        except Spent:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(10))) == 3
