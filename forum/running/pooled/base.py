"""Waiting for a connection in short spells: for one in use as long as before, for a dead server not."""

import time
from typing import Any

from django.db.backends.postgresql import base
from psycopg_pool import PoolClosed, PoolTimeout

from forum.running.presence import presence

#: Seconds for which a connection is waited for while all are in use.
LONGEST = 10.0
#: Seconds before another look at a pool that is being replaced.
SOON = 0.05


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection. Raises PoolTimeout or PoolClosed, within a spell once the database is away.

        A spell is as long as the option `timeout` of the pool says.
        """
        end = time.monotonic() + LONGEST
        while True:
            try:
                return super().get_new_connection(conn_params)
            except (PoolTimeout, PoolClosed):
                if presence.away or time.monotonic() > end:
                    raise
            time.sleep(SOON)
