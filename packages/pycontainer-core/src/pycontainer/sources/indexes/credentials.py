"""Who we are to an index: its address, the variables of uv and Poetry, Poetry's file, netrc, keyring; in this order.

Where a front end's tool can be asked, it goes before all of them but the address.

    credentials = IndexCredentials(settings, environment=os.environ)
    credentials.headers("https://index.example/simple/numpy/")       # {"Authorization": "Basic …"} or {}

Credentials of an index go to its own scheme, host and port, nowhere else.
"""

from __future__ import annotations

import itertools
import netrc
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pycontainer.events import Warned, ignore
from pycontainer.sources.indexes.model import User
from pycontainer.sources.tables import read_toml, table, text
from pycontainer.transports.http import Origin
from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pycontainer.events import Emit
    from pycontainer.sources.indexes.model import Index, IndexSettings

_KEYRING_TIMEOUT = 30.0


class IndexCredentials:
    """Looks up who we are to an index; each index is looked up once.

    Args:
        settings: The indexes, with the user parts of their addresses.
        environment: Variables; also where `NETRC`, `HOME` and `PATH` are read.
        emit: Hears of files that were passed over.
    """

    def __init__(self, settings: IndexSettings, *, environment: Mapping[str, str], emit: Emit = ignore) -> None:
        self._settings = settings
        self._environment = environment
        self._emit = emit
        self._lock = threading.Lock()
        self._known: dict[tuple[Origin, str | None], User | None] = {}
        self._netrc: netrc.netrc | None = None
        self._netrc_read = False

    def headers(self, url: str) -> dict[str, str]:
        """What a request for this URL has to carry; empty where it has a user part of its own, or nobody knows one."""
        if urlsplit(url).scheme not in {"http", "https"} or "@" in urlsplit(url).netloc:
            return {}
        origin = Origin.of(url)
        index = self._nearest(url, origin)
        key = (origin, index.url if index else None)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._find(origin, index)
            user = self._known[key]
        return {"Authorization": user.header} if user else {}

    def secrets(self) -> frozenset[str]:
        """The passwords that were looked up or stated: what no output of another program may show."""
        found = {user.password.reveal() for user in self._known.values() if user}
        found |= {index.password.reveal() for index in self._settings.everything if index.password}
        return frozenset(found | variable_secrets(self._environment))

    def _nearest(self, url: str, origin: Origin) -> Index | None:
        """The index on this very origin whose address shares most of its path with the URL."""
        same = [
            index
            for index in self._settings.everything
            if urlsplit(index.url).scheme in {"http", "https"} and Origin.of(index.url) == origin
        ]
        return max(same, key=lambda index: _shared(index.url, url), default=None)

    def _find(self, origin: Origin, index: Index | None) -> User | None:
        username = index.username if index is not None else None
        if index is not None and index.password is not None:
            return User(name=username or "", password=index.password)
        if self._settings.ask is not None:
            told = self._settings.ask(index.url if index is not None else f"{origin.scheme}://{origin.authority}/")
            if told is not None:
                return told
        if index is not None:
            for named in self._by_name(index):
                if username in {None, named.name}:
                    return named
        user = self._from_netrc(origin, username)
        if user is None and index is not None and username and self._settings.keyring:
            user = self._from_keyring(index, origin, username)
        # A token that stands where the user's name would: `https://token@host/`.
        return user or (User(name=username, password=Redacted("")) if username else None)

    def _by_name(self, index: Index) -> Iterator[User]:
        if index.name is None:
            return
        key = re.sub(r"[^A-Za-z0-9]", "_", index.name).upper()
        for prefix in ("UV_INDEX_", "POETRY_HTTP_BASIC_"):
            name = self._environment.get(f"{prefix}{key}_USERNAME")
            password = self._environment.get(f"{prefix}{key}_PASSWORD")
            if name is not None or password is not None:
                yield User(name=name or index.username or "", password=Redacted(password or ""))
        stored = table(read_toml(_poetry_folder(self._environment) / "auth.toml") or {}, "http-basic", index.name)
        if (name := text(stored, "username")) is not None:
            yield User(name=name, password=Redacted(text(stored, "password") or ""))

    def _from_netrc(self, origin: Origin, username: str | None) -> User | None:
        found = self._read_netrc()
        entry = found.authenticators(origin.host) if found is not None else None
        if entry is None or (username and entry[0] != username):
            return None
        return User(name=entry[0], password=Redacted(entry[2] or ""))

    def _read_netrc(self) -> netrc.netrc | None:
        if not self._netrc_read:
            self._netrc_read = True
            path = _netrc_path(self._environment)
            try:
                self._netrc = netrc.netrc(str(path)) if path else None
            except (OSError, UnicodeDecodeError, netrc.NetrcParseError):
                # Its own message may quote a password.
                self._emit(Warned(message=f"`{path}` cannot be read; it is passed over"))
        return self._netrc

    def _from_keyring(self, index: Index, origin: Origin, username: str) -> User | None:
        program = shutil.which("keyring", path=self._environment.get("PATH"))
        if program is None:
            self._emit(Warned(message="`keyring` is asked for but not installed", facts=(f"index: {index}",)))
            return None
        for service in (index.url, origin.authority):
            try:
                done = subprocess.run(  # noqa: S603 - an absolute path, and what the user's settings name
                    [program, "get", service, username],
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_KEYRING_TIMEOUT,
                    check=False,
                    env=dict(self._environment),
                )
            except (OSError, subprocess.TimeoutExpired):
                self._emit(Warned(message="`keyring` did not answer", facts=(f"index: {index}",)))
                return None
            password = done.stdout.decode("utf-8", "replace").strip()
            if done.returncode == 0 and password:
                return User(name=username, password=Redacted(password))
        return None


def _shared(one: str, other: str) -> int:
    """How many segments two addresses begin with in common."""
    pairs = zip(one.rstrip("/").split("/"), other.split("/"), strict=False)
    return sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))


def variable_secrets(environment: Mapping[str, str]) -> frozenset[str]:
    """The passwords that stand in variables of uv, pip and Poetry, whole or inside of addresses."""
    found: set[str] = set()
    for name, value in environment.items():
        if not name.startswith(("UV_", "PIP_", "POETRY_")):
            continue
        if name.endswith(("_PASSWORD", "_TOKEN")) or "_TOKEN_" in name:
            found.add(value)
        for match in re.finditer(r"://([^/\s]*)@", value):
            found.update({match[1], match[1].partition(":")[2]})
    return frozenset(found - {""})


def _netrc_path(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get("NETRC"):
        return Path(named)
    home = Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - a home that is absent is no error
    names = ("_netrc", ".netrc") if sys.platform == "win32" else (".netrc",)
    return next((home / name for name in names if (home / name).is_file()), None)


def _poetry_folder(environment: Mapping[str, str]) -> Path:
    if named := environment.get("POETRY_CONFIG_DIR"):
        return Path(named)
    home = Path(environment.get("HOME") or os.path.expanduser("~"))  # noqa: PTH111 - as above
    if sys.platform == "win32":
        return Path(environment.get("APPDATA") or home / "AppData" / "Roaming") / "pypoetry"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "pypoetry"
    return Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pypoetry"
