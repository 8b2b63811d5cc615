"""`pycontainer`: finds the command, runs it, and turns what it raises into a message and an exit code.

Commands are imported when they are run, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from pycontainer.frontend import exit_codes
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.errors import PyContainerError


class Command(Value, frozen=True):
    """A command: the module whose `run(arguments)` it is, and what it does."""

    module: str
    summary: str


COMMANDS: Final = {
    "build": Command("build", "Build the image of a project, and push it where asked"),
    "lock": Command("lock_image", "Write down the base image and the operating system packages in `pycontainer.lock`"),
    "outdated": Command("show_outdated", "Show what is newer than `pycontainer.lock` says"),
    "verify": Command("verify_image", "Check an image's digests, and who signed it and what is attached to it"),
    "reproduce": Command("reproduce_image", "Build an image again from its provenance and source, and compare"),
    "inspect": Command("inspect_image", "Show what an image holds: config, layers, packages, sizes"),
    "diff": Command("compare_images", "Show what differs between two images, and what a node would pull"),
    "explain": Command("explain_part", "Show why a package or a file is in an image, and what it weighs"),
    "config": Command("show_config", "Show the configuration and where each value comes from, or its JSON Schema"),
    "auth explain": Command("explain_auth", "Show which credentials are used at a registry, without showing them"),
    "cache info": Command("show_cache", "Show how much the cache holds"),
    "cache prune": Command("prune_cache", "Remove from the cache what has not been used for an hour"),
    "cache verify": Command("verify_cache", "Hash all that the cache holds, and remove what is damaged"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code.

    Raises:
        KeyboardInterrupt: It was interrupted; everything is in order, and nobody has been told.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a terminal that cannot show a name is no reason to fail
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain about the same pipe once more when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.BROKEN_PIPE
    return code


def _run(words: list[str]) -> int:
    from pycontainer.errors import PyContainerError  # noqa: PLC0415 - after streams are in order

    try:
        return _dispatch(words)
    except PyContainerError as error:
        _tell(error, words)
        return exit_codes.exit_code(error)
    except (BrokenPipeError, KeyboardInterrupt, SystemExit) as stop:
        if isinstance(stop, SystemExit) and stop.code == exit_codes.OK:  # argparse after `--help`
            return exit_codes.OK
        raise
    except Exception as error:  # noqa: BLE001 - the last line of defence: no traceback reaches a user
        from pycontainer.frontend.errors import foreseen  # noqa: PLC0415 - only for an error

        _tell(foreseen(error), words)
        return exit_codes.FAILED


def _dispatch(words: list[str]) -> int:
    name = next((name for name in COMMANDS if words[: len(name.split())] == name.split()), None)
    if name is not None:
        module = import_module(f"pycontainer_cli.{COMMANDS[name].module}")
        return int(module.run(words[len(name.split()) :]))
    if words and words[0] in {"-h", "--help", "help"}:
        sys.stdout.write(overview())
        return exit_codes.OK
    if words and words[0] in {"-V", "--version"}:
        from pycontainer import __version__  # noqa: PLC0415 - no other command needs it

        sys.stdout.write(f"pycontainer {__version__}\n")
        return exit_codes.OK
    raise _no_command(words)


def _no_command(words: list[str]) -> PyContainerError:
    import difflib  # noqa: PLC0415 - only for a mistake

    from pycontainer.errors import ConfigError  # noqa: PLC0415 - as above

    asked = " ".join(word for word in words[:2] if not word.startswith("-"))
    hint = "`pycontainer --help` lists the commands"
    if not asked:
        return ConfigError("No command is given", facts=[f"commands: {', '.join(COMMANDS)}"], hint=hint)
    near = [name for name in COMMANDS if name.startswith(f"{words[0]} ")] or difflib.get_close_matches(
        words[0], COMMANDS, n=1
    )
    if near:
        hint = f"Is {' or '.join(f'`pycontainer {name}`' for name in near)} meant?"
    return ConfigError(f"There is no command `{asked[:40]}`", facts=[f"commands: {', '.join(COMMANDS)}"], hint=hint)


def overview() -> str:
    """What `pycontainer --help` says."""
    width = max(map(len, COMMANDS)) + 2
    lines = [
        "Usage: pycontainer COMMAND [OPTIONS]",
        "",
        "From a Python project and its lock file to an OCI image, without Docker",
        "",
        "Commands:",
        *(f"  {name:<{width}}{command.summary}" for name, command in COMMANDS.items()),
        "",
        "Options:",
        f"  {'-h, --help':<{width}}Show this, or with a command its options, and exit",
        f"  {'-V, --version':<{width}}Show the version and exit",
        "",
        "Begin with `pycontainer build --tag myapp:latest` in the directory of a project.",
    ]
    return "\n".join(lines) + "\n"


def _tell(error: PyContainerError, words: list[str]) -> None:
    from pycontainer_cli.render import Style, render_error  # noqa: PLC0415 - only for an error

    if os.environ.get("PYCONTAINER_DEBUG") == "1":
        import traceback  # noqa: PLC0415 - only for whoever debugs

        traceback.print_exception(error)
    sys.stdout.flush()
    if "--json" in words:
        from pycontainer.frontend.errors import error_json  # noqa: PLC0415 - only for programs
        from pycontainer_cli.output import write_json  # noqa: PLC0415 - as above
        from pycontainer_cli.render import flag  # noqa: PLC0415 - as above

        write_json(error_json(error, spell=flag))
    sys.stderr.write(render_error(error, Style.of(sys.stderr, os.environ)) + "\n")
