"""Worker entrances. Light: the web process imports them too."""
