"""What the database knows of jobs: their moves, turns, messages, files, previews, and what operators see.

Light: no engine is touched here.
"""
