"""The parser of a command's options, made from the table of options.

given = parse(option_parser("build", "…"), ["--tag", "myapp:1", "--push"])
given.options == {"tag": ["myapp:1"], "push": True}
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

from pycontainer.config.options import OPTIONS
from pycontainer.errors import ConfigError
from pycontainer.frontend.arguments import add_options, given_options
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# Of commands that read images: how registries are reached, and where the cache is.
READING: Final = (
    "platform",
    "username",
    "password_stdin",
    "anonymous_pull",
    "insecure_registries",
    "mirrors",
    "ca_file",
    "context_path",
    "config_file",
    "cache",
    "cache_dir",
    "verbose",
    "quiet",
    "progress",
)
_MAX_WIDTH: Final = 100
_NO_VALUE: Final = re.compile(r"argument (\S+): (expected|ignored)")


class Given(Value, frozen=True):
    """What a command line says.

    Attributes:
        options: Of the table, by name: the texts of the flag, or whether a boolean was turned on or off.
        others: What the command has besides the table.
    """

    options: Mapping[str, list[str] | bool]
    others: Mapping[str, Any]


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that looks the same under every Python: `-t, --tag REF` (3.13 does so, older ones repeat the value)."""

    def __init__(self, prog: str) -> None:
        width = min(shutil.get_terminal_size().columns, _MAX_WIDTH)
        super().__init__(prog, max_help_position=30, width=width)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {self._format_args(action, action.dest.upper())}"


class CommandParser(argparse.ArgumentParser):
    """A parser that raises instead of printing and exiting, and quotes no values: they may be secrets."""

    def __init__(self, command: str, description: str, usage: str = "[OPTIONS]") -> None:
        quirks: dict[str, Any] = {"color": False} if sys.version_info >= (3, 14) else {}
        super().__init__(
            prog=f"pycontainer {command}",
            usage=f"pycontainer {command} {usage}",
            description=description,
            formatter_class=_Formatter,
            allow_abbrev=False,  # an abbreviation that works today would be another option tomorrow
            add_help=False,
            **quirks,
        )

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print.

        Raises:
            ConfigError: Always.
        """
        match = _NO_VALUE.match(message)
        if match is None:
            raise ConfigError(f"The command line cannot be read: {message}", hint=self._see()) from None
        flag = match[1].rsplit("/", 1)[-1]
        needs = "needs a value" if match[2] == "expected" else "takes no value"
        raise ConfigError(f"`{flag}` {needs}", hint=self._see()) from None  # argparse quotes the value

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse all of the arguments.

        Raises:
            ConfigError: An option that does not exist, or arguments that no option takes.
        """
        namespace, rest = self.parse_known_args(list(arguments))
        unknown = [argument.partition("=")[0] for argument in rest if argument.startswith("-") and argument != "--"]
        if unknown:
            raise ConfigError(f"There is no option `{unknown[0][:40]}`", hint=self._nearest(unknown[0]))
        if rest:
            raise ConfigError(
                f"`{self.prog}` takes no arguments besides its options",
                facts=[f"found: {len(rest)} more, not shown since it may be a value"],
                hint=self._see(),
            )
        return namespace

    def _nearest(self, flag: str) -> str:
        import difflib  # noqa: PLC0415 - only for a mistake

        if flag == "--password":
            return "Use {password_stdin}: other users of this host can see arguments"
        near = difflib.get_close_matches(flag, self._option_string_actions, n=1)
        return f"Is `{near[0]}` meant?" if near else self._see()

    def _see(self) -> str:
        return f"`{self.prog} --help` lists the options"


def add_own(parser: argparse.ArgumentParser, json_help: str) -> Any:
    """Add what every command has, `--json` and `--help`, and return their group for what else it has."""
    group = parser.add_argument_group("This command")
    group.add_argument("--json", action="store_true", help=json_help)
    group.add_argument("-h", "--help", action="help", help="show this and exit")
    return group


def option_parser(
    command: str, description: str, only: Iterable[str] | None = None, *, usage: str = "[OPTIONS]"
) -> CommandParser:
    """The parser of a command that takes the options of the table, under their headings; or `only` some of them."""
    parser = CommandParser(command, description, usage)
    add_options(parser, OPTIONS if only is None else only)
    return parser


def parse_options(parser: CommandParser, arguments: Sequence[str]) -> Given:
    """Parse the arguments of a command.

    Raises:
        ConfigError: The command line is wrong.
    """
    found = parser.parse(arguments)
    return Given(given_options(found), {name: value for name, value in vars(found).items() if name not in OPTIONS})
