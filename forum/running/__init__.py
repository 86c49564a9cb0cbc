"""What keeps the house running: its database, its processes, its health. Imports no room."""
