"""Who the image runs as, and the account files that make it a user with a name and a home.

account = choose_account(user=None, inherited="", passwd=facts.passwd, group=facts.group)
account.user == "65532:65532"
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.errors import BaseImageError, ConfigError
from pycontainer.value import Value

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

# The number that distroless and Chainguard gave to `nonroot`; Kubernetes' `runAsNonRoot` needs a number.
NONROOT_ID: Final = 65532
_NONROOT_NAME: Final = "nonroot"
_MAX_ID: Final = 2**31 - 1  # more wraps to root in some runtimes (CVE-2024-40635)
_ROOT: Final = frozenset({"0", "root"})
_NUMBER = re.compile(r"[0-9]{1,10}")


class Account(Value, frozen=True, kw_only=True):
    """The user of an image.

    Attributes:
        user: `User` of the image config.
        uid: Its number; it owns home and working directory.
        gid: The number of its group.
        home: Its home directory, to be created, or none where the base has it.
        files: Absolute path → new content of the account files that must change.
    """

    user: str
    uid: int
    gid: int
    home: str | None
    files: Mapping[str, bytes]


def choose_account(*, user: str | None, inherited: str, passwd: bytes, group: bytes) -> Account:
    """Decide who the image runs as.

    What the options say, else what the base says, else `nonroot`: a base that says nothing would run as root.

    Args:
        user: `name`, `uid`, `name:group` or `uid:gid` of the options.
        inherited: `User` of the base image's config.
        passwd: The base's `/etc/passwd`; empty where it has none.
        group: The base's `/etc/group`.

    Raises:
        ConfigError: The options name a user or group that the base does not have.
        BaseImageError: The base names one that it does not have.
    """
    wanted = user or inherited or f"{NONROOT_ID}:{NONROOT_ID}"
    name, _, group_name = wanted.partition(":")
    if name in _ROOT:
        return Account(user=wanted, uid=0, gid=0, home=None, files={})
    error = ConfigError if user else BaseImageError
    users = {line[0]: line for line in _lines(passwd, fields=7)}
    known = users.get(name) or next((line for line in users.values() if line[2] == name), None)
    uid = _number(name if known is None else known[2], wanted, error)
    gid = _group_number(group_name, group, wanted, error) if group_name else int(known[3]) if known else uid
    if known is not None:
        return Account(user=wanted, uid=uid, gid=gid, home=None, files={})
    return _new_account(wanted, uid, gid, passwd, group, taken=users.keys())


def _new_account(wanted: str, uid: int, gid: int, passwd: bytes, group: bytes, *, taken: Collection[str]) -> Account:
    name = _NONROOT_NAME if uid == NONROOT_ID and _NONROOT_NAME not in taken else f"user{uid}"
    home = f"/home/{name}"
    files = {"/etc/passwd": _append(passwd, f"{name}:x:{uid}:{gid}:{name}:{home}:/sbin/nologin")}
    if not any(line[2] == str(gid) for line in _lines(group, fields=4)):
        files["/etc/group"] = _append(group, f"{name}:x:{gid}:")
    return Account(user=wanted, uid=uid, gid=gid, home=home, files=files)


def _group_number(name: str, group: bytes, wanted: str, error: type[ConfigError | BaseImageError]) -> int:
    known = next((line for line in _lines(group, fields=4) if line[0] == name), None)
    return _number(name if known is None else known[2], wanted, error)


def _number(text: str, wanted: str, error: type[ConfigError | BaseImageError]) -> int:
    if not _NUMBER.fullmatch(text):
        raise error(
            f"The base image has no user or group `{text}`",
            facts=[f"user: `{wanted}`"],
            hint="Set {user} to a number, such as `65532:65532`",
        )
    if int(text) > _MAX_ID:
        raise error(f"The user `{wanted}` is out of range", facts=[f"largest number: {_MAX_ID}"])
    return int(text)


def _lines(content: bytes, *, fields: int) -> Iterator[list[str]]:
    """The well-formed lines of `passwd(5)` or `group(5)`; others are skipped, as the C library does."""
    for line in content.decode("utf-8", "replace").splitlines():
        parts = line.split(":")
        if len(parts) == fields and not line.startswith(("#", "+", "-")) and parts[2].isdecimal():
            yield parts


def _append(content: bytes, line: str) -> bytes:
    if not content:
        root = "root:x:0:0:root:/root:/sbin/nologin" if line.count(":") == 6 else "root:x:0:"  # noqa: PLR2004
        content = f"{root}\n".encode()
    return content.rstrip(b"\n") + f"\n{line}\n".encode()
