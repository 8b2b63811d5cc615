"""dpkg's own commands that maintainer scripts call: what each does to an image (dpkg(1) and those beside it)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.actions import Alternative, Divert, Ldconfig
from pycontainer.sources.debian.effects.file_commands import run_file_command

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.effects.overlay import Overlay

Arguments = list["str | None"]
Outcome = tuple["bool | None", "list[Action]"]

_TRIGGERS: Final = frozenset({"ldconfig", "update-initramfs", "update-ca-certificates", "mandb", "cracklib-update"})
_COMPARED: Final = 4
_DIVERT_FLAGS: Final = frozenset({"--quiet", "--rename", "--no-rename", "--add", "--remove"})


def run_dpkg_command(name: str, arguments: Arguments, overlay: Overlay) -> Outcome:
    """The status of a command and what it does.

    Raises:
        LookupError: It is not followed with these arguments.
    """
    return _COMMANDS[name](arguments, overlay)


def _dpkg(arguments: Arguments, overlay: Overlay) -> Outcome:
    del overlay
    if arguments[:1] == ["--compare-versions"] and len(arguments) == _COMPARED:
        return _compared(arguments[1], arguments[2], arguments[3]), []
    if arguments[:1] in (["--print-architecture"], ["-s"], ["-l"], ["-L"], ["-S"], ["--status"], ["--list"]):
        return None, []
    if arguments and (arguments[0] or "").startswith("--assert-"):
        return True, []
    raise LookupError("dpkg")


def _alternatives(arguments: Arguments, overlay: Overlay) -> Outcome:
    words = [word for word in arguments if word not in {"--quiet", "--force", "--verbose"}]
    match words:
        case ["--install", str(link), str(name), str(path), str(priority), *rest]:
            if overlay.find(path) is None:
                raise LookupError(f"{path} is missing")
            slaves = _slaves(rest)
            value = _number(priority)
            return True, [Alternative(name=name, link=link, path=path, priority=value, slaves=slaves)]
        case ["--remove", str(name), _] | ["--remove-all" | "--auto", str(name)]:
            if overlay.find(f"/etc/alternatives/{name.rpartition('/')[2]}", follow=False) is None:
                return None, []
        case ["--list" | "--query" | "--display" | "--get-selections", *_]:
            return None, []
    raise LookupError("update-alternatives")


def _trigger(arguments: Arguments, overlay: Overlay) -> Outcome:
    del overlay
    names = [word for word in arguments if word is None or not word.startswith("--")]
    if len(names) == 1 and names[0] in _TRIGGERS:
        return True, [Ldconfig()] if names[0] == "ldconfig" else []
    if arguments == ["--check-supported"]:
        return True, []
    raise LookupError("dpkg-trigger")


def _overrides(arguments: Arguments, overlay: Overlay) -> Outcome:
    if "--list" in arguments:
        return False, []
    words = [word for word in arguments if word not in {"--update", "--add", "--quiet", "--force"}]
    match words:
        case [str(user), str(group), str(mode), str(path)] if "--add" in arguments:
            status, actions = run_file_command("chown", [f"{user}:{group}", path], overlay)
            more = run_file_command("chmod", [mode, path], overlay)[1]
            return status, [*actions, *more]
    raise LookupError("dpkg-statoverride")


def _diversions(arguments: Arguments, overlay: Overlay) -> Outcome:
    if arguments[:1] in (["--list"], ["--truename"], ["--listpackage"]):
        return None, []
    values: dict[str, str] = {}
    flags = set()
    words = list(arguments)
    while words:
        word = words.pop(0)
        if word in {"--package", "--divert"} and words and words[0] is not None:
            values[word] = words.pop(0) or ""
        elif word is None or (word.startswith("-") and word not in _DIVERT_FLAGS):
            raise LookupError("dpkg-divert")
        elif word.startswith("-"):
            flags.add(word)
        else:
            values["path"] = word
    path = values.get("path", "")
    if "--remove" in flags and overlay.is_diverted(path) is False:
        return True, []
    if "--no-rename" in flags and "--remove" not in flags and values.keys() == {"--package", "--divert", "path"}:
        return True, [Divert(path=path, other=values["--divert"], package=values["--package"])]
    raise LookupError("dpkg-divert")


def _compared(left: str | None, operator: str | None, right: str | None) -> bool | None:
    """`dpkg --compare-versions` where a version is empty: earlier than any other, later for operators with `-nl`."""
    if left is None or operator is None or right is None:
        return None
    if left and right:
        return None
    before, after = bool(right), bool(left)
    if operator.endswith("-nl"):
        before, after = after, before
        operator = operator.removesuffix("-nl")
    known = {
        "lt": before, "le": not after, "eq": not before and not after,
        "ne": before or after, "ge": not before, "gt": after,
    }  # fmt: skip
    return known.get(operator)


def _slaves(words: Arguments) -> tuple[tuple[str, str, str], ...]:
    slaves = []
    while words:
        match words:
            case ["--slave", str(link), str(name), str(path), *words]:
                slaves.append((link, name, path))
            case _:
                raise LookupError("update-alternatives")
    return tuple(slaves)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise LookupError(f"{text} is no number") from error


_COMMANDS: Final[dict[str, Callable[[Arguments, Overlay], Outcome]]] = {
    "dpkg": _dpkg,
    "update-alternatives": _alternatives,
    "dpkg-trigger": _trigger,
    "dpkg-statoverride": _overrides,
    "dpkg-divert": _diversions,
}
DPKG_COMMANDS: Final = frozenset(_COMMANDS)
