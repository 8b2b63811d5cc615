"""What goes to standard output: for programs JSON, for people and shells plain lines."""

from __future__ import annotations

import json
import sys


def write_json(value: object) -> None:
    """One JSON value, indented, in ASCII so that every terminal and pipe takes it."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def write_line(text: str) -> None:
    """One line of text."""
    sys.stdout.write(f"{text}\n")
