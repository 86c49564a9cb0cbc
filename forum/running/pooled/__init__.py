"""Django's PostgreSQL backend, whose callers do not wait for a server that is known to be gone."""
