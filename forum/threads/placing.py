"""Where a thing that comes into being stands in the queue: what every card says of it alike."""

from generation.queue import Standing


class Placed:
    """Something with a job, for `_position.html` and its progress."""

    __slots__ = ()
    standing: Standing | None

    @property
    def step(self) -> int:
        """Steps done."""
        return self.standing.step if self.standing else 0

    @property
    def total(self) -> int:
        """Steps expected; 0 while that is not known."""
        return self.standing.total if self.standing else 0

    @property
    def before(self) -> int:
        """Jobs that will be taken before this one."""
        return self.standing.before if self.standing else 0

    @property
    def seconds(self) -> int:
        """Expected whole seconds until it is done, at least 1."""
        return max(1, round(self.standing.seconds)) if self.standing else 0

    @property
    def is_impossible(self) -> bool:
        """No worker that is at work takes such jobs: nobody knows when one will."""
        return self.standing is not None and not self.standing.workers

    @property
    def is_paused(self) -> bool:
        """An operator lets it wait."""
        return self.standing is not None and self.standing.paused

    @property
    def frame_step(self) -> int:
        """Step of the newest frame; 0 while there is none."""
        return self.standing.frame_step if self.standing and self.standing.has_frame else 0
