"""Why weights are not loaded."""

from generation.engines.base import EngineError


class NotLoaded(EngineError):
    """The weights of this preset could not be loaded here."""

    permanent = True
