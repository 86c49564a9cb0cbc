"""What begins and ends with the web process."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from forum.live.hubs import hubs
from forum.running import health
from forum.running.presence import presence

Message = MutableMapping[str, Any]


class Lifespan:
    """Starts the bridge and the watch over the database with the server, before anybody looks."""

    async def __call__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """Answer the server's two questions."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                hubs.bridge.ensure()
                presence.ensure()
                await send({"type": "lifespan.startup.complete"})
            else:
                await hubs.bridge.stop()
                await presence.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


health.register("bus", hubs.bridge.trouble)
presence.on_back.append(hubs.bridge.hurry)
