"""What upper rooms do when an image comes or goes. They register; this room imports none of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forum.images.ingest import Ingested
    from forum.images.models import Image

#: Called inside the transaction that withdraws an image, after its file rows are gone.
on_withdrawn: list[Callable[["Image"], None]] = []

#: Called inside the transaction that hides an image, or shows it again; `image.state` says which.
on_hidden: list[Callable[["Image"], None]] = []

#: Called inside the transaction in which an image is described anew.
on_described: list[Callable[["Image"], None]] = []

#: Called with every picture that passed ingest, before anybody sees it; raises Refused to stop it.
on_ingested: list[Callable[["Ingested"], None]] = []
