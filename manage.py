#!/usr/bin/env python3
"""Doors for operators: `manage.py help` lists them."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "forum.settings")
    from django.core.management import execute_from_command_line

    from forum.running.switches import REFUSES, WronglySet

    try:
        execute_from_command_line(sys.argv)
    except WronglySet as wrong:
        sys.stderr.write(f"{wrong}\n")
        sys.exit(REFUSES)


if __name__ == "__main__":
    main()
