"""Errors that nobody foresaw, as errors of ours: no traceback reaches a user. And all of them for programs.

try:
    …
except Exception as error:
    message = Message.of(foreseen(error), spell=flag)
    print(json.dumps(error_json(foreseen(error), spell=flag)))
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycontainer.errors import PyContainerError, StoreError

if TYPE_CHECKING:
    from pycontainer.frontend.messages import Spell


def foreseen(error: Exception) -> PyContainerError:
    """The error itself where it is one of ours, else one that says where it happened.

    The text of a foreign error may hold anything, a password even, so it is not shown, but for what the system says.
    """
    if isinstance(error, PyContainerError):
        return error
    if isinstance(error, OSError) and error.strerror:
        where = [f"path: {error.filename}"] if error.filename else []
        wrapped: PyContainerError = StoreError(error.strerror, facts=where)
    else:
        import traceback  # noqa: PLC0415 - only for this
        from pathlib import Path  # noqa: PLC0415 - as above

        frames = traceback.extract_tb(error.__traceback__)
        wrapped = PyContainerError(
            f"pycontainer failed with `{type(error).__name__}`, which is a mistake of its own",
            facts=[f"at: {Path(frames[-1].filename).name}, line {frames[-1].lineno}"] if frames else [],
            hint="Set `PYCONTAINER_DEBUG=1` to see where, and report it",
        )
    wrapped.__cause__ = error
    return wrapped


def error_json(error: PyContainerError, *, spell: Spell) -> dict[str, Any]:
    """An error as `--json` shows it."""
    from pycontainer.frontend.exit_codes import exit_code  # noqa: PLC0415 - only for programs
    from pycontainer.frontend.messages import Message  # noqa: PLC0415 - as above

    message = Message.of(error, spell=spell)
    return {
        "error": {
            "kind": type(error).__name__,
            "message": message.text,
            "facts": list(message.facts),
            "hint": "\n".join(message.hints) or None,
            "exit_code": exit_code(error),
        }
    }
