"""The one exception whose text is meant for the person who runs the house."""


class Trouble(Exception):
    """Something an operator can put right. Its text is one or two sentences, never a traceback."""
