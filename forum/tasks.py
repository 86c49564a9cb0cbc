"""Door for results: what to do when the studio answers. Imports no torch."""
