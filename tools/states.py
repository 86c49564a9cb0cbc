"""Writes docs/reference/states.md from the graphs in the code: `python tools/states.py`.

A test compares the file with what `page()` gives.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "states.md"


def page() -> str:
    """The page as it should be. Django must be set up."""
    from forum.beginnings.models import Beginning
    from forum.drafts.models import Take
    from forum.films.models import Film
    from forum.images.models import Image
    from forum.reruns.models import Rerun
    from forum.states import graph
    from forum.threads.models import Reply
    from generation.models import Job, State

    jobs = graph(State.WAITING, Job.MOVES, [State.DONE])
    return f"""# States

Written by `tools/states.py` from the code; a test compares them.

## Job: what the machine does

Every move is a compare-and-set on the database's clock (`generation/models.py`). *running* to
*running* is the claim of a job whose worker fell silent.

```mermaid
{jobs.mermaid()}
```

## Reply: what people read

```mermaid
{Reply.MOVES.mermaid()}
```

## Image: whether it can be seen

*hidden* and back are decisions of those who moderate, each with its reason (`forum.boards.Decision`).

```mermaid
{Image.MOVES.mermaid()}
```

## Rerun: a derivative made again

```mermaid
{Rerun.MOVES.mermaid()}
```

## Film

```mermaid
{Film.MOVES.mermaid()}
```

## Take: a candidate in a draft

```mermaid
{Take.MOVES.mermaid()}
```

## Beginning: a first image from words alone

```mermaid
{Beginning.MOVES.mermaid()}
```
"""


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
    import django

    django.setup()
    PAGE.write_text(page(), "utf-8")
