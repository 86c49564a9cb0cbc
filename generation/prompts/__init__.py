"""Words of a person on their way to an engine: the lexicon, the grammar, what is read, looks, the open program.

Light: the web process imports it.
"""
