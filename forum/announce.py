"""Tell open browsers that a thing changed. PostgreSQL is the bus; only ids travel."""

import json

from django.db import connection

#: The one channel every web process listens to; payloads say what they are about.
CHANNEL = "changes"


def announce(topic: str, kind: str, **ids: int | str) -> None:
    """Say that `kind` changed in `topic`. It leaves at commit; a rollback is silence.

    `topic` is a group such as "thread.7"; `ids` name rows, never their content.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps({"topic": topic, "k": kind, **ids})]
        )
