"""Follows a shell script without running it: which commands it would run, and with which arguments.

    Follower(commands=commands, surroundings=surroundings).run(script, ("configure", ""))

Conditions are true, false or not known. Where one is not known, both ways are followed, and neither may do anything:
`Commands` are told so by `certain`. A command that they do not know ends it all with `UnexplainedError`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from pycontainer.sources.debian.effects.shell.conditions import evaluate, negated
from pycontainer.sources.debian.effects.shell.expand import Expansion
from pycontainer.sources.debian.effects.shell.look import assigned, is_search, printed_text
from pycontainer.sources.debian.effects.shell.syntax import (
    AndOr,
    Case,
    For,
    Function,
    Group,
    If,
    Pipeline,
    Sequence,
    Simple,
    While,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.sources.debian.effects.shell.surroundings import Surroundings
    from pycontainer.sources.debian.effects.shell.syntax import Command, Redirection, Substitution, Word

# No script of Debian takes a hundredth of them.
_MAX_STEPS: Final = 20_000
_MAX_DEPTH: Final = 60
_SINKS: Final = frozenset({"/dev/null", "/dev/stdout", "/dev/stderr", "&1", "&2", "1", "2", "-"})


class UnexplainedError(Exception):
    """A command whose effect is not known. It never leaves this package."""

    def __init__(self, line: int, what: str = "") -> None:
        super().__init__(what)
        self.line = line


class Commands(Protocol):
    """What is known of programs."""

    def run(self, arguments: list[str | None], *, certain: bool) -> bool | None:
        """Note what a command does; whether it succeeds, none where nobody knows.

        Args:
            arguments: The name first; none for what nobody knows.
            certain: Whether it certainly runs.

        Raises:
            LookupError: It is not known, or not with these arguments.
        """
        ...

    def output(self, arguments: list[str | None]) -> str | None:
        """What a command prints; none where nobody knows."""
        ...

    def answers(self, arguments: list[str | None]) -> dict[str, str | None]:
        """The variables that a command sets: debconf's answers."""
        ...

    def write(self, path: str, content: str | None, *, append: bool, certain: bool) -> None:
        """Note that a command writes a file; `content` is none where nobody knows it.

        Raises:
            LookupError: This is not followed.
        """
        ...


class _ExitError(Exception):
    """`exit`; a failed one leaves a system that nobody has, so nothing follows from it."""

    def __init__(self, *, failed: bool) -> None:
        super().__init__()
        self.failed = failed


class _ReturnError(Exception):
    """`return`, with its status."""

    def __init__(self, status: bool | None) -> None:  # noqa: FBT001 - it carries a truth value
        super().__init__()
        self.status = status


class _LoopError(Exception):
    """`break` or `continue`."""

    def __init__(self, *, ends: bool) -> None:
        super().__init__()
        self.ends = ends


class Follower:
    """A run of a script that does not happen.

    Args:
        commands: Who knows programs.
        surroundings: Who knows files and accounts.
        variables: The environment.
    """

    def __init__(
        self, *, commands: Commands, surroundings: Surroundings, variables: dict[str, str | None] | None = None
    ) -> None:
        self._commands = commands
        self._surroundings = surroundings
        self._variables = dict(variables or {})
        self._parameters: tuple[str | None, ...] = ()
        self._functions: dict[str, Command] = {}
        self._doubts = 0
        self._depth = 0
        self._steps = 0
        self._line = 1
        # What the commands of a substitution print; none outside of one.
        self._printed: list[str | None] | None = None

    def run(self, script: Sequence, parameters: tuple[str, ...]) -> None:
        """Follow the script from its beginning.

        Raises:
            UnexplainedError: At the first command that is not known.
        """
        self._parameters = parameters
        try:
            self._follow(script)
        except (_ExitError, _ReturnError, _LoopError):
            return

    def _follow(self, command: Command) -> bool | None:
        self._steps += 1
        self._line = command.line
        if self._steps > _MAX_STEPS or self._depth > _MAX_DEPTH:
            raise UnexplainedError(self._line, "too many commands")
        self._depth += 1
        try:
            return self._dispatch(command)
        finally:
            self._depth -= 1

    def _dispatch(self, command: Command) -> bool | None:  # noqa: PLR0911 - one return a construct
        if isinstance(command, Simple):
            return self._simple(command)
        if isinstance(command, Sequence):
            return self._sequence(command)
        if isinstance(command, AndOr):
            return self._and_or(command)
        if isinstance(command, If):
            return self._if(command)
        if isinstance(command, Case):
            return self._case(command)
        if isinstance(command, Pipeline):
            return self._pipeline(command)
        if isinstance(command, Group):
            return self._group(command)
        if isinstance(command, Function):
            self._functions[command.name] = command.body
            return True
        return self._for(command) if isinstance(command, For) else self._while(command)

    def _sequence(self, sequence: Sequence) -> bool | None:
        status: bool | None = True
        for command in sequence.commands:
            status = self._follow(command)
        return status

    def _and_or(self, command: AndOr) -> bool | None:
        left = self._follow(command.left)
        if left is None:
            return self._in_doubt(command.right)
        return self._follow(command.right) if left is (command.operator == "&&") else left

    def _if(self, command: If) -> bool | None:
        doubtful = False
        for condition, body in command.branches:
            truth = self._in_doubt(condition, keep_status=True) if doubtful else self._follow(condition)
            if truth is True and not doubtful:
                return self._follow(body)
            if truth is not False:
                doubtful = True
                self._in_doubt(body)
        return self._in_doubt(command.otherwise) if doubtful else self._follow(command.otherwise)

    def _case(self, command: Case) -> bool | None:
        word = self._expansion.text(command.word)
        doubtful = False
        for patterns, body in command.branches:
            compiled = [self._expansion.pattern(pattern) for pattern in patterns]
            if word is not None and not doubtful and any(each and each.match(word) for each in compiled):
                return self._follow(body)
            if word is None or None in compiled or any(each and each.match(word) for each in compiled):
                doubtful = True
                self._in_doubt(body)
        return None if doubtful else True

    def _pipeline(self, command: Pipeline) -> bool | None:
        if len(command.commands) == 1:
            return negated(self._follow(command.commands[0]))
        outer = self._printed
        for each in command.commands:
            piped, self._printed = self._printed, []
            self._subshell(each)
        self._printed = outer
        self._print(None)
        # Nothing is found in nothing.
        return False if piped is not None and not any(piped) and None not in piped and is_search(each) else None

    def _group(self, command: Group) -> bool | None:
        self._redirect(command.redirections, None)
        return self._subshell(command.body) if command.subshell else self._follow(command.body)

    def _subshell(self, body: Command) -> bool | None:
        """Follow commands whose variables are their own."""
        kept = dict(self._variables), self._doubts
        try:
            return self._follow(body)
        except (_ExitError, _ReturnError, _LoopError):
            return None
        finally:
            self._variables, self._doubts = kept

    def _for(self, command: For) -> bool | None:
        words = [*self._parameters] if command.words is None else list(self._fields(command.words))
        doubts = self._doubts
        for word in words:
            self._variables[command.name] = word
            try:
                if word is None:
                    self._in_doubt(command.body)
                else:
                    self._follow(command.body)
            except _LoopError as error:
                if error.ends:
                    break
        # A `continue` in doubt is over with the loop.
        self._doubts = doubts
        return True

    def _while(self, command: While) -> bool | None:
        truth = self._follow(command.condition)
        if truth is command.until:
            return True
        # How often it runs is not known, nor what its variables are after the first time.
        for name in assigned(command.body):
            self._variables[name] = None
        self._in_doubt(command.body)
        return None

    def _in_doubt(self, command: Command, *, keep_status: bool = False) -> bool | None:
        """Follow what may run or not: it must do nothing, and what it sets is not known afterwards."""
        before = dict(self._variables)
        doubts = self._doubts
        self._doubts += 1
        left = False
        status = None
        try:
            status = self._follow(command)
        except (_ReturnError, _LoopError):
            left = True
        except _ExitError as error:
            left = not error.failed
        self._doubts = doubts
        for name in self._variables.keys() | before.keys():
            if name not in before or self._variables.get(name) != before[name]:
                self._variables[name] = None
        # What comes after a script that may have ended is in doubt itself.
        self._doubts += left
        return status if keep_status else None

    # Simple commands

    def _simple(self, command: Simple) -> bool | None:
        arguments = list(self._fields(command.words))
        status: bool | None = True
        values = [(name, self._expansion.text(word)) for name, word in command.assignments]
        if not arguments:
            self._variables.update(values)
            if any(value is None for _, value in values):
                status = None
            self._redirect(command.redirections, "")
            return status
        try:
            status = self._command(arguments)
            text = printed_text(arguments)
            self._redirect(command.redirections, text, is_copy=arguments == ["cat"])
            self._print_of(command, arguments, text)
        except LookupError as error:
            raise UnexplainedError(command.line, str(error)) from error
        return status

    def _command(self, arguments: list[str | None]) -> bool | None:  # noqa: C901, PLR0911, PLR0912 - one a builtin
        name = arguments[0]
        rest = arguments[1:]
        if name in self._functions:
            return self._call(name, rest)
        match name:
            case ":" | "true" | "umask":
                return True
            case "set":
                return self._set(rest)
            case "break" | "continue" if not rest:
                raise _LoopError(ends=name == "break")
            case "false":
                return False
            case "exit":
                raise self._exit(rest)
            case "return":
                raise _ReturnError(self._status(rest))
            case "test":
                return evaluate(rest, self._surroundings)
            case "[":
                return evaluate(rest[:-1], self._surroundings) if rest and rest[-1] == "]" else None
            case "shift":
                self._parameters = self._parameters[int(rest[0] or 1) if rest else 1 :]
                return True
            case "export" | "local" | "readonly" | "unset":
                return self._declare(name, rest)
            case "read":
                self._variables.update(dict.fromkeys(filter(None, rest)))
                return None
            case "echo" | "printf":
                return True
            case "exec" if not rest:
                return True
            case _:
                status = self._commands.run(arguments, certain=not self._doubts)
                self._variables.update(self._commands.answers(arguments))
                return status

    def _call(self, name: str, arguments: list[str | None]) -> bool | None:
        kept = self._parameters
        self._parameters = tuple(arguments)
        doubts = self._doubts
        try:
            return self._follow(self._functions[name])
        except _ReturnError as returned:
            return returned.status
        finally:
            self._parameters = kept
            # A function that may have returned early is over now in any case.
            self._doubts = doubts

    def _exit(self, arguments: list[str | None]) -> _ExitError:
        failed = bool(arguments) and arguments[0] not in {"0", None}
        if failed and not self._doubts:
            raise LookupError("exit")
        return _ExitError(failed=failed)

    def _status(self, arguments: list[str | None]) -> bool | None:
        if not arguments:
            return True
        return None if arguments[0] is None else arguments[0] == "0"

    def _set(self, arguments: list[str | None]) -> bool:
        if "--" in arguments:
            self._parameters = tuple(arguments[arguments.index("--") + 1 :])
        return True

    def _declare(self, name: str, arguments: list[str | None]) -> bool:
        for argument in arguments:
            if argument is None:
                raise LookupError(name)
            variable, equals, value = argument.partition("=")
            if name == "unset":
                self._variables.pop(variable, None)
            elif equals:
                self._variables[variable] = value
            elif name == "local":
                self._variables[variable] = ""
        return True

    # Words and redirections

    @property
    def _expansion(self) -> Expansion:
        return Expansion(self._variables, self._parameters, self._output, self._surroundings.is_empty)

    def _fields(self, words: tuple[Word, ...]) -> Iterator[str | None]:
        for word in words:
            yield from self._expansion.fields(word)

    def _output(self, substitution: Substitution) -> str | None:
        """What commands print, which they must do without doing anything else."""
        outer, self._printed = self._printed, []
        self._doubts += 1
        try:
            self._subshell(substitution.body)
            pieces = self._printed
        finally:
            self._doubts -= 1
            self._printed = outer
        known = [piece for piece in pieces if piece is not None]
        return "".join(known).rstrip("\n") if len(known) == len(pieces) else None

    def _print_of(self, command: Simple, arguments: list[str | None], text: str | None) -> None:
        """Note what a command prints into the substitution that it stands in."""
        if self._printed is None or arguments[0] in self._functions:
            return
        if any(each.operator in {">", ">>", ">|"} and each.descriptor in {"", "1"} for each in command.redirections):
            return
        self._print(text if text is not None else self._commands.output(arguments))

    def _print(self, text: str | None) -> None:
        if self._printed is not None:
            self._printed.append(text)

    def _redirect(self, redirections: tuple[Redirection, ...], printed: str | None, *, is_copy: bool = False) -> None:
        document = None
        for redirection in redirections:
            if redirection.operator == "<<":
                document = self._expansion.text(redirection.target)
        for redirection in redirections:
            if redirection.operator in {"<", "<<", "<&"}:
                self._expansion.text(redirection.target)
                continue
            target = self._expansion.text(redirection.target)
            if target in _SINKS:
                continue
            content = document if is_copy else printed
            if target is None or redirection.descriptor not in {"", "1"}:
                content = None
            append = redirection.operator == ">>"
            try:
                self._commands.write(target or "", content, append=append, certain=not self._doubts)
            except LookupError as error:
                raise UnexplainedError(self._line, str(error)) from error
