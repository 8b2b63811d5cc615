"""Events as people see them: bars on a terminal, plain lines everywhere else.

with reporting(loaded, sys.stderr, os.environ) as emit:
ImageBuilder(config, emit=emit).build()
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from pycontainer.events import Emit, Warned
from pycontainer_cli.lines import Lines
from pycontainer_cli.render import Style

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pycontainer.config.load import Loaded


@contextmanager
def reporting(loaded: Loaded, stream: TextIO, environment: Mapping[str, str]) -> Iterator[Emit]:
    """What tells events on this stream: bars where it is a terminal and they are wanted, else lines."""
    config = loaded.config
    style = Style.of(stream, environment)
    lines = Lines(stream, style, quiet=config.quiet, verbose=config.verbose)
    for warning in loaded.warnings:
        lines(Warned(message=warning))
    if config.progress and not config.quiet and stream.isatty() and environment.get("TERM") != "dumb":
        from pycontainer_cli.bars import Bars  # noqa: PLC0415 - rich takes 100 ms, and only terminals need it

        with Bars(stream, lines, colour=style.colour) as bars:
            yield bars
    else:
        yield lines
