"""The README lists the options that there are."""

from __future__ import annotations

import os
import re
from pathlib import Path

from poetry_pycontainer.command import BuildContainerCommand

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- options: begin -->\n", "<!-- options: end -->\n"


def listed() -> str:
    lines = []
    for option in BuildContainerCommand.options:
        text = re.sub(r"</?c1>", "`", option.description)
        if not text.startswith("Undo "):
            short = f" (`-{option.shortcut}`)" if option.shortcut else ""
            lines.append(f"* `--{option.name}`{short}: {text}\n")
    return "".join(lines)


def test_the_readme_lists_every_option() -> None:
    before, rest = README.read_text("utf-8").split(BEGIN)
    now, after = rest.split(END)
    if os.environ.get("UPDATE_SNAPSHOTS") == "1":
        README.write_text(f"{before}{BEGIN}{listed()}{END}{after}", "utf-8")
        now = listed()

    assert now == listed(), "UPDATE_SNAPSHOTS=1 writes it anew"
