#!/usr/bin/env python3
"""Doors for operators: `manage.py help` lists them."""

import os
import sys

#: Commands that begin to serve, or prepare for it: wrongly set they end in one line.
SERVING = ("migrate", "owner", "worker", "studio", "demo")


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
    import django
    from django.core.management import execute_from_command_line

    from forum.running.switches import REFUSES, WronglySet

    try:
        if sys.argv[1:2] and sys.argv[1] in SERVING:
            django.setup()
            from forum.checks import refuse_if_wrong

            refuse_if_wrong()
        execute_from_command_line(sys.argv)
    except WronglySet as wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(REFUSES)


if __name__ == "__main__":
    main()
