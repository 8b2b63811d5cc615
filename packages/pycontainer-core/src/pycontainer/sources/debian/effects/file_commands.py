"""Commands that change files: those whose effect a layer can show without knowing the content of a packaged file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.layers.entries import Kind
from pycontainer.sources.debian.effects.actions import ChangeAttributes, MakeDirectory, MakeFile, MakeLink, Remove
from pycontainer.sources.debian.effects.shell.surroundings import There, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.effects.overlay import Overlay

Outcome = tuple["bool | None", "list[Action]"]

_OCTAL = re.compile(r"[0-7]{3,4}")
_OWNER = re.compile(r"([a-z_][a-z0-9_-]*|[0-9]+)?(?:[:.]([a-z_][a-z0-9_-]*|[0-9]+))?")
_ROOT: Final = frozenset({"root", "0"})
# What is in them is not part of an image that people build on: nobody misses what is removed.
_SCRATCH: Final = ("/tmp/", "/var/tmp/", "/var/cache/", "/run/", "/var/run/")  # noqa: S108 - in an image


# A file that a script wrote there was not written either.
_LOGS: Final = "/var/log/"


def run_file_command(name: str, arguments: Sequence[str | None], overlay: Overlay) -> Outcome:
    """The status of a command and what it does.

    Raises:
        LookupError: It is not followed with these arguments.
    """
    options, words = _parted(name, arguments)
    return _COMMANDS[name][1](options, words, overlay)


def _mkdir(options: dict[str, str], paths: list[str], overlay: Overlay) -> Outcome:
    mode = _mode(options.get("-m", "755"))
    actions: list[Action] = []
    for path in paths:
        missing = [path]
        while "-p" in options and _absent(overlay, missing[0].rpartition("/")[0]):
            missing.insert(0, missing[0].rpartition("/")[0])
        if _absent(overlay, path):
            actions += [MakeDirectory(path=each, mode=mode if each == path else 0o755) for each in missing]
    return True, actions


def _install(options: dict[str, str], paths: list[str], overlay: Overlay) -> Outcome:
    if "-d" not in options:
        raise LookupError("install")
    _, actions = _mkdir({"-p": "", "-m": options.get("-m", "755")}, paths, overlay)
    user, group = options.get("-o"), options.get("-g")
    mode = _mode(options["-m"]) if "-m" in options else None
    return True, [*actions, *(ChangeAttributes(path=path, mode=mode, user=user, group=group) for path in paths)]


def _touch(options: dict[str, str], paths: list[str], overlay: Overlay) -> Outcome:
    del options
    return True, [MakeFile(path=path) for path in paths if _absent(overlay, path)]


def _ln(options: dict[str, str], words: list[str], overlay: Overlay) -> Outcome:
    match words:
        case [target, path] if "-s" in options:
            there = overlay.find(path, follow=False)
            if there is None:
                return True, [MakeLink(path=path, target=target)]
            if not isinstance(there, Unknown) and there.kind is Kind.SYMLINK and there.target == target:
                return True, []
    raise LookupError("ln")


def _rm(options: dict[str, str], paths: list[str], overlay: Overlay) -> Outcome:
    actions: list[Action] = []
    for path in paths:
        there = overlay.find(path, follow=False)
        if path != "/" and (there is None or path.startswith(_SCRATCH)):
            continue
        # A link can be taken away again; what else is lost, nobody knows.
        if not isinstance(there, There) or there.kind is not Kind.SYMLINK or there.of_base or "-r" in options:
            raise LookupError("rm")
        actions.append(Remove(path=path))
    return True, actions


def _rmdir(options: dict[str, str], paths: list[str], overlay: Overlay) -> Outcome:
    match paths:
        case [path] if not options:
            there = overlay.find(path, follow=False)
            is_packaged = isinstance(there, There) and there.kind is Kind.DIRECTORY and not there.of_base
            if is_packaged and overlay.is_empty(path):
                return True, [Remove(path=path)]
    return _rm(options, paths, overlay)


def _copy(options: dict[str, str], words: list[str], overlay: Overlay) -> Outcome:
    """A file whose content is known, to where nothing is."""
    match words:
        case [source, path] if not options.keys() - {"-p", "-f", "-a"}:
            there, content = overlay.find(source), overlay.content(source)
            target = overlay.find(path)
            if isinstance(target, There) and target.kind is Kind.DIRECTORY:
                path = f"{path}/{source.rpartition('/')[2]}"
            if isinstance(there, There) and there.kind is Kind.FILE and content is not None and _absent(overlay, path):
                return True, [MakeFile(path=path, content=_text(content), mode=there.mode or 0o644)]
    return _move(options, words, overlay)


def _move(options: dict[str, str], words: list[str], overlay: Overlay) -> Outcome:
    """`mv` and `cp` of what is not there fail, and do nothing."""
    del options
    if any(overlay.find(path, follow=False) is not None for path in words[:-1]):
        raise LookupError("mv")
    return False, []


def _chmod(options: dict[str, str], words: list[str], overlay: Overlay) -> Outcome:
    if options.keys() - {"-f"} or len(words) < 2:  # noqa: PLR2004 - a mode and a path
        raise LookupError("chmod")
    mode, *paths = words
    value = _mode(mode)
    return True, [ChangeAttributes(path=path, mode=value) for path in paths if not _is_so(overlay, path, mode=value)]


def _chown(options: dict[str, str], words: list[str], overlay: Overlay) -> Outcome:
    owner, *paths = words
    match = _OWNER.fullmatch(owner)
    if options.keys() - {"-f", "-h"} or not match or not paths:
        raise LookupError("chown")
    is_root = (match[1] or "root") in _ROOT and (match[2] or "root") in _ROOT
    changed = [path for path in paths if not _is_so(overlay, path, is_root=is_root)]
    return True, [ChangeAttributes(path=path, user=match[1], group=match[2]) for path in changed]


def _chgrp(options: dict[str, str], words: list[str], overlay: Overlay) -> Outcome:
    return _chown(options, [f":{words[0]}", *words[1:]], overlay)


# Name → the options that take a value, and what reads the rest.
_COMMANDS: Final[dict[str, tuple[str, Callable[[dict[str, str], list[str], Overlay], Outcome]]]] = {
    "mkdir": ("m", _mkdir),
    "install": ("mog", _install),
    "touch": ("", _touch),
    "ln": ("", _ln),
    "rm": ("", _rm),
    "rmdir": ("", _rmdir),
    "mv": ("", _move),
    "cp": ("", _copy),
    "chmod": ("", _chmod),
    "chown": ("", _chown),
    "chgrp": ("", _chgrp),
}
FILE_COMMANDS: Final = frozenset(_COMMANDS)
_LONG: Final = {"--parents": "-p", "--mode": "-m", "--force": "-f", "--directory": "-d", "--owner": "-o",
                "--group": "-g", "--symbolic": "-s", "--no-dereference": "-h", "--verbose": "-v",
                "--ignore-fail-on-non-empty": "-f"}  # fmt: skip


def _parted(name: str, arguments: Sequence[str | None]) -> tuple[dict[str, str], list[str]]:
    """Options and words; `chmod`'s and `chown`'s paths, and all others, must be known and absolute where they name."""
    valued = _COMMANDS[name][0]
    options: dict[str, str] = {}
    words: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word is None:
            raise LookupError(name)
        if word == "--":
            words += [each for each in rest if each is not None]
            break
        if word.startswith("--"):
            long, _, value = word.partition("=")
            if long not in _LONG:
                raise LookupError(name)
            options[_LONG[long]] = value
        elif word.startswith("-") and len(word) > 1:
            _short(name, word, valued, rest, options)
        else:
            words.append(word)
    named = words[1:] if name in {"chmod", "chown", "chgrp", "ln"} else words
    if not words or not all(path.startswith("/") and "/../" not in path for path in named):
        raise LookupError(name)
    return options, [word.rstrip("/") or "/" for word in words]


def _short(name: str, word: str, valued: str, rest: list[str | None], options: dict[str, str]) -> None:
    for index, letter in enumerate(word[1:], 1):
        if letter in valued:
            value = word[index + 1 :] or (rest.pop(0) if rest else None)
            if value is None:
                raise LookupError(name)
            options["-" + letter] = value
            return
        options["-" + letter] = ""


def _text(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise LookupError("no text") from error


def _absent(overlay: Overlay, path: str) -> bool:
    there = overlay.find(path)
    if isinstance(there, Unknown):
        raise LookupError(path)  # noqa: TRY004 - an answer, not a type
    return bool(path) and there is None


def _is_so(overlay: Overlay, path: str, *, mode: int | None = None, is_root: bool = False) -> bool:
    """Whether the attributes are those already; when not, they must be those of what needs no content from a package.

    Raises:
        LookupError: It is a packaged file, and only its package knows the content.
    """
    there = overlay.find(path)
    if there is None and path.startswith(_LOGS):
        return True
    if there is None or isinstance(there, Unknown):
        raise LookupError(f"{path} is not known")
    if (there.kind is Kind.DIRECTORY and not there.of_base) or there.made:
        return False
    if (mode is not None and there.mode == mode) or (is_root and there.owner == (0, 0)):
        return True
    raise LookupError(f"{path} is a packaged file")


def _mode(text: str) -> int:
    if not _OCTAL.fullmatch(text):
        raise LookupError(f"mode {text}")
    return int(text, 8)
