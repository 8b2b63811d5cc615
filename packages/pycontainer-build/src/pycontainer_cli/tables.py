"""Rows as aligned columns: words to the left, sizes to the right.

for line in columns([["numpy", "2.1.0", "18 MB"]], right={2}): write_line(line)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pycontainer.frontend.messages import clean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence


def columns(rows: Sequence[Sequence[str]], *, right: Collection[int] = (), indent: str = "  ") -> Iterator[str]:
    """The rows as lines, without control characters and trailing blanks."""
    texts = [[clean(text) for text in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for text in texts:
        parts = [
            f"{part:>{width}}" if number in right else f"{part:<{width}}"
            for number, (part, width) in enumerate(zip(text, widths, strict=True))
        ]
        yield f"{indent}{'  '.join(parts)}".rstrip()


def shortened(text: str, limit: int) -> str:
    """The beginning of a text that is too long for its place."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def amount(number: int, noun: str) -> str:
    """`1 file`, `3,421 files`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
