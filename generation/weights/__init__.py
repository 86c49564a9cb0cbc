"""Weights of engines on this machine: fetched, pinned, checked, measured, removed. For operators only."""
