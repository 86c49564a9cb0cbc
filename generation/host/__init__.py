"""The child process that owns a device: it loads engines and carries orders out. No Django, no database."""
