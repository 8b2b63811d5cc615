"""The questions that packages ask through debconf, and the answers where nobody is asked (debconf-devel(7))."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pycontainer.sources.debian.summary import DebSummary


def default_answers(summary: DebSummary) -> dict[str, str | None]:
    """Question → its default; none for each where a `config` script could answer something else."""
    answers: dict[str, str | None] = {}
    is_scripted = "config" in summary.scripts
    question = ""
    for line in summary.members.get("templates", "").splitlines():
        field, colon, value = line.partition(":")
        if not colon or line.startswith((" ", "\t")):
            continue
        if field.lower() == "template":
            question = value.strip()
            answers[question] = None if is_scripted else ""
        elif field.lower() == "default" and not is_scripted:
            answers[question] = value.strip()
    return answers
