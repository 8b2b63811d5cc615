"""The questions that packages ask through debconf, and the answers where nobody is asked (debconf-devel(7))."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pycontainer.sources.debian.summary import DebSummary


def default_answers(summary: DebSummary) -> dict[str, str | None]:
    """Question → its default, as the package's templates have it; its `config` script may still change it."""
    answers: dict[str, str | None] = {}
    question = ""
    for line in summary.members.get("templates", "").splitlines():
        field, colon, value = line.partition(":")
        if not colon or line.startswith((" ", "\t")):
            continue
        if field.lower() == "template":
            question = value.strip()
            answers[question] = ""
        elif field.lower() == "default":
            answers[question] = value.strip()
    return answers
