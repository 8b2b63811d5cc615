"""Commands that add users and groups of the system: `adduser --system`, `useradd --system`, and those for groups."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.actions import AddGroup, AddUser, ChangeAttributes, MakeDirectory

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.effects.overlay import Overlay

_NAME = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_TEXT = re.compile(r"[^:\n]{0,200}")
_VALUED: Final = frozenset(
    [
        "--home",
        "--home-dir",
        "-d",
        "--gecos",
        "--comment",
        "-c",
        "--shell",
        "-s",
        "--ingroup",
        "--gid",
        "-g",
        "--uid",
        "-u",
    ]
)
_PLAIN: Final = frozenset(
    [
        "--system",
        "-r",
        "--quiet",
        "-q",
        "--group",
        "--no-create-home",
        "-M",
        "--disabled-password",
        "--disabled-login",
        "--force-badname",
        "--allow-bad-names",
        "--force",
        "-f",
        "--no-log-init",
        "--no-user-group",
        "-N",
        "--user-group",
        "-U",
    ]
)


def run_account_command(name: str, arguments: Sequence[str | None], overlay: Overlay) -> tuple[bool, list[Action]]:
    """The status of a command and what it adds: nothing where the name is there already.

    Raises:
        LookupError: It is not such a command, or not followed with these arguments.
    """
    if name not in {"adduser", "addgroup", "useradd", "groupadd"}:
        raise LookupError(name)
    options, names = _parted(name, arguments)
    if len(names) != 1 or not _NAME.fullmatch(names[0]) or not options.keys() & {"--system", "-r"}:
        raise LookupError(name)
    is_group = name in {"addgroup", "groupadd"}
    exists = overlay.account("group" if is_group else "passwd", names[0])
    if exists is None:
        raise LookupError(name)
    if exists:
        return True, []
    descending = name in {"useradd", "groupadd"}
    if is_group:
        return True, [AddGroup(name=names[0], gid=_id(options, "--gid", "-g"), descending=descending)]
    return True, _user(names[0], options, overlay, descending=descending)


def _user(name: str, options: dict[str, str], overlay: Overlay, *, descending: bool) -> list[Action]:
    home = _one(options, "--home", "--home-dir", "-d") or "/nonexistent"
    shell = _one(options, "--shell", "-s") or ("/bin/sh" if descending else "/usr/sbin/nologin")
    group = _one(options, "--ingroup", "--gid", "-g")
    if not descending and not group and "--group" not in options:
        group = "nogroup"
    if group and not overlay.account("group", group):
        raise LookupError(f"group {group}")
    actions: list[Action] = []
    creates = not {"--no-create-home", "-M"} & options.keys() and home != "/nonexistent" and not descending
    if creates and overlay.find(home) is None:
        actions = [MakeDirectory(path=home), ChangeAttributes(path=home, user=name, group=group or name)]
    gecos = _one(options, "--gecos", "--comment", "-c")
    if not all(_TEXT.fullmatch(text) for text in (home, shell, gecos)):
        raise LookupError(name)
    uid = _id(options, "--uid", "-u")
    user = AddUser(name=name, uid=uid, group=group, home=home, shell=shell, gecos=gecos, descending=descending)
    return [user, *actions]


def _parted(name: str, arguments: Sequence[str | None]) -> tuple[dict[str, str], list[str]]:
    options: dict[str, str] = {}
    names: list[str] = []
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        option, equals, value = (word or "").partition("=")
        if word is None:
            raise LookupError(name)
        if not word.startswith("-"):
            names.append(word)
        elif option in _VALUED:
            given = value if equals else (rest.pop(0) if rest else None)
            if given is None:
                raise LookupError(name)
            options[option] = given
        elif word in _PLAIN:
            options[word] = ""
        else:
            raise LookupError(name)
    return options, names


def _one(options: dict[str, str], *names: str) -> str:
    return next((options[name] for name in names if name in options), "")


def _id(options: dict[str, str], *names: str) -> int | None:
    text = _one(options, *names)
    if not text:
        return None
    if not text.isdigit() or int(text) >= 1 << 16:
        raise LookupError(f"number {text}")
    return int(text)
