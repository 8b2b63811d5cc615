"""What `BuildConfig` checks: every value alone, then those that must agree. All before any network.

values, problems = check({"tag": "myapp:latest", "user": "-1"})
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from pycontainer.config.forms import form
from pycontainer.config.names import (
    check_archive,
    check_base_image,
    check_cache_registry,
    check_host,
    check_mirror,
    check_os_package,
    check_os_package_name,
    check_registry,
    check_snapshot,
    check_tag,
)
from pycontainer.config.options import OPTIONS
from pycontainer.config.policy import policies_of
from pycontainer.config.problems import Problem
from pycontainer.config.values import MAX_ID, Output, Port, check_image_path, show
from pycontainer.errors import ConfigError, PyContainerError
from pycontainer.oci import Platform
from pycontainer.sources.target import Libc, PythonVersion, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAX_VARIABLE: Final = 128 * 1024 - 1  # Linux refuses to start a program with a longer one (MAX_ARG_STRLEN)
_MAX_LAYERS: Final = 127  # overlay file systems take no more
_MAX_JOBS: Final = 256
_MAX_TIME: Final = 253402300799  # 9999-12-31T23:59:59Z, the last that RFC 3339 can say
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_SECONDS: Final = re.compile(r"[0-9]{1,12}", re.ASCII)
_FRACTION: Final = re.compile(r"\.[0-9]+")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_KEY: Final = re.compile(r"[!-<>-~]+", re.ASCII)  # printable, without space and `=`
_USER: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,31}\$?|[0-9]+", re.ASCII)
_SIGNAL: Final = re.compile(r"(?:SIG)?[A-Z][A-Z0-9]{1,9}(?:[+-][0-9]{1,2})?|[1-9]|[1-5][0-9]|6[0-4]", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)


def check(given: Mapping[str, object]) -> tuple[dict[str, Any], list[Problem]]:
    """Bring values into their stored form and check them.

    Args:
        given: By the name of the field; none where an option that allows it is not set.

    Returns:
        The values that are right, and what is wrong with the others.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in given.items():
        if value is None:
            continue
        try:
            values[name] = form(OPTIONS[name], value)
        except PyContainerError as error:
            problems.append(_problem(name, error))
    for name, one in _CHECKS.items():
        if name in values:
            problems += _check_each(name, values, one)
    problems += _disagreements(values)
    order = list(OPTIONS)
    return values, sorted(problems, key=lambda problem: order.index(problem.option))


def _check_each(name: str, values: dict[str, Any], one: Callable[[Any], Any]) -> list[Problem]:
    """Check a value, each item of a list, or each pair of a mapping, and store what the check returns."""
    problems: list[Problem] = []

    def checked(item: Any, key: str | None = None) -> Any:
        try:
            return one(item)
        except PyContainerError as error:
            problems.append(_problem(name, error, key))
            return item

    value = values[name]
    if isinstance(value, dict):
        for key, item in value.items():
            checked((key, item), key)
    elif isinstance(value, tuple) and name not in {"entrypoint", "cmd", "policy"}:
        values[name] = tuple(dict.fromkeys(checked(item) for item in value))
    else:
        values[name] = checked(value)
    return problems


def _problem(name: str, error: PyContainerError, key: str | None = None) -> Problem:
    return Problem(option=name, key=key, message=error.message, facts=error.facts, hint=error.hint)


# One value at a time: each check returns the value in its normal form, or raises.


def _platform(text: str) -> str:
    try:
        platform = Platform.parse(text)
    except PyContainerError as error:
        raise ConfigError(f"`{show(text)}` is not a platform", facts=["expected: such as `linux/arm64`"]) from error
    if platform.os != "linux":
        raise ConfigError(
            f"`{show(text)}` is not supported", facts=["supported: linux only; any host can build for it"]
        )
    try:
        Target(platform=platform, python=PythonVersion(3, 12), libc=Libc("glibc", 2, 36))
    except ConfigError as error:
        raise ConfigError(f"`{show(text)}` is not supported", facts=error.facts) from error
    return str(platform)


def _python(text: str) -> str:
    return str(PythonVersion.parse(text))


def _libc(text: str) -> str:
    return str(Libc.parse(text)).replace(" ", ":")


def _output(text: str) -> str:
    return str(Output.parse(text))


def _port(text: str) -> str:
    return str(Port.parse(text))


def _created(value: int | str) -> int:
    seconds = _seconds(value)
    if seconds is None or not 0 <= seconds <= _MAX_TIME:
        raise ConfigError(
            f"`{show(str(value))}` is not a time",
            facts=["expected: seconds since 1970 such as `1735689600`, or RFC 3339 such as `2025-01-01T00:00:00Z`"],
        )
    return seconds


def _seconds(value: int | str) -> int | None:
    if isinstance(value, int):
        return value
    if _SECONDS.fullmatch(value):
        return int(value)
    try:
        # Python 3.10 reads neither `Z` nor fractions of other lengths than three and six.
        moment = datetime.fromisoformat(_FRACTION.sub("", value.strip().replace("Z", "+00:00").replace("z", "+00:00")))
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(seconds=1) if moment.tzinfo else None


def rfc3339(seconds: int) -> str:
    """A time as OCI documents have it: `2025-01-01T00:00:00Z`."""
    return (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def _variable(pair: tuple[str, str]) -> None:
    name, value = pair
    if not _VARIABLE.fullmatch(name):
        raise ConfigError(
            f"`{show(name)}` is not the name of a variable", facts=["expected: letters, digits, `_`, `.` and `-`"]
        )
    if "\0" in value:
        raise ConfigError(f"The value of `{name}` holds a NUL character")
    size = len(f"{name}={value}".encode())
    if size > _MAX_VARIABLE:
        raise ConfigError(
            f"The value of `{show(name)}` is too long", facts=[f"size: {size} bytes", f"limit: {_MAX_VARIABLE} bytes"]
        )


def _label(pair: tuple[str, str]) -> None:
    key, value = pair
    if not _KEY.fullmatch(key):
        raise ConfigError(f"`{show(key)}` is not a key", facts=["expected: printable characters, no space and no `=`"])
    if any(ord(character) < ord(" ") or character == "\x7f" for character in value):
        raise ConfigError(
            f"The value of `{key}` holds a line break or another control character", facts=["expected: one line"]
        )


def _image_path(path: str) -> str:
    check_image_path(path)
    return "/" + "/".join(part for part in path.split("/") if part)


def _user(text: str) -> str:
    name, colon, group = text.partition(":")
    for part in (name, group) if colon else (name,):
        if not _USER.fullmatch(part):
            raise ConfigError(f"`{show(text)}` is not a user", facts=["expected: `name`, `uid` or `uid:gid`"])
        if part.isdecimal() and int(part[:11]) > MAX_ID:
            raise ConfigError(f"The user `{show(text)}` is out of range", facts=[f"largest number: {MAX_ID}"])
    return text


def _stop_signal(text: str) -> str:
    if not _SIGNAL.fullmatch(text):
        raise ConfigError(f"`{show(text)}` is not a signal", facts=["expected: such as `SIGTERM`, or 1 to 64"])
    return text if text.isdecimal() or text.startswith("SIG") else f"SIG{text}"


def _entrypoint(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0]:
        raise ConfigError("The command is empty", facts=['expected: such as `["python", "-m", "myapp"]`'])
    return words


def _inside(path: str) -> str:
    normal = path.replace("\\", "/")
    if normal.startswith("/") or re.match(r"[A-Za-z]:", normal) or ".." in normal.split("/") or "\0" in path:
        raise ConfigError(
            f"`{show(path)}` is outside the project",
            facts=["expected: a path relative to the project"],
            hint="Use {extra_files} for files from elsewhere",
        )
    return path


def _pattern(text: str) -> str:
    if "\0" in text or "\n" in text:
        raise ConfigError(f"`{show(text)}` is not a pattern", facts=["expected: one line of a `.gitignore`"])
    return text


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ConfigError(f"`{show(text)}` is not a name", facts=["expected: letters, digits, `-`, `_` and `.`"])
    return text


def _between(low: int, high: int) -> Callable[[int], int]:
    def checked(value: int) -> int:
        if not low <= value <= high:
            raise ConfigError(f"`{value}` is out of range", facts=[f"expected: {low} to {high}"])
        return value

    return checked


def _username(text: str) -> str:
    if ":" in text or not text.isprintable():
        raise ConfigError("The user name holds `:` or a control character", facts=["RFC 7617, section 2"])
    return text


def _password(password: Any) -> Any:
    if not password or any(character in password.reveal() for character in "\r\n\0"):
        raise ConfigError("The password is empty or has several lines")
    return password


def _index_url(text: str) -> str:
    from urllib.parse import urlsplit  # noqa: PLC0415 - rarely needed

    try:
        parts = urlsplit(text)
        hostname = parts.hostname
    except ValueError:
        hostname = None
    if not hostname or parts.scheme not in {"https", "http"} or not text.isprintable():
        raise ConfigError("The value is not the URL of a package index", facts=["expected: `https://…/simple`"])
    return text


_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "tag": check_tag,
    "output": _output,
    "annotations": _label,
    "created": _created,
    "base_image": check_base_image,
    "platform": _platform,
    "python": _python,
    "libc": _libc,
    "entrypoint": _entrypoint,
    "env": _variable,
    "labels": _label,
    "workdir": _image_path,
    "user": _user,
    "ports": _port,
    "volumes": _image_path,
    "stop_signal": _stop_signal,
    "include_paths": _inside,
    "exclude_paths": _pattern,
    "layer_budget": _between(1, _MAX_LAYERS),
    "extras": _name,
    "groups": _name,
    "package": _name,
    "build_sdists": _name,
    "lenient_wheels": _name,
    "index_url": _index_url,
    "os_packages": check_os_package,
    "os_exclude": check_os_package_name,
    "os_allow_upgrades": check_os_package_name,
    "os_unconfigured": check_os_package_name,
    "base_packages": check_os_package,
    "os_archive": check_archive,
    "os_snapshot": check_snapshot,
    "registry": check_registry,
    "username": _username,
    "password": _password,
    "sign_key_password": _password,
    "insecure_registries": check_host,
    "mirrors": check_mirror,
    "cache_registry": check_cache_registry,
    "allow_http": check_host,
    "policy": policies_of,
    "jobs": _between(1, _MAX_JOBS),
}


def _disagreements(values: Mapping[str, Any]) -> list[Problem]:
    """Values that are right alone and wrong together."""
    problems = []
    if "password" in values and "username" not in values:
        problems.append(
            Problem(option="password", message="There is a password and no user name", hint="Set {username}")
        )
    if "username" in values and "password" not in values:
        problems.append(
            Problem(option="username", message="There is a user name and no password", hint="Set {password_stdin}")
        )
    if values.get("sign") and "sign_key" in values:
        problems.append(Problem(option="sign_key", message="An image is signed with a key or as an identity, not both"))
    if values.get("no_build") and values.get("build_sdists"):
        problems.append(Problem(option="build_sdists", message="Nothing may be built", facts=("no-build is set",)))
    if values.get("only_groups") and not (values.get("groups") or values.get("all_groups")):
        problems.append(
            Problem(option="only_groups", message="No groups are chosen", hint="Set {groups} or {all_groups}")
        )
    if values.get("base_packages") and not str(values.get("base_image", "")).startswith("deb:"):
        problems.append(
            Problem(
                option="base_packages",
                message="Only a base that is made of packages has them",
                hint="Set {base_image} to one, such as `deb:bookworm`, or name packages to add in {os_packages}",
            )
        )
    if values.get("quiet") and values.get("verbose"):
        problems.append(Problem(option="quiet", message="Quiet and verbose exclude each other"))
    return problems
