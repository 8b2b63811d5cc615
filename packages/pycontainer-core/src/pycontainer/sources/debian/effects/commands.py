"""The programs that maintainer scripts call: what each does to an image, or that it does nothing there.

A program that stands in no table here is not explained, and neither is one with arguments that nobody can know.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.account_commands import run_account_command
from pycontainer.sources.debian.effects.actions import (
    Ldconfig,
    MakeFile,
    UpdateCaCertificates,
    UpdateMimeDatabase,
    UpdatePixbufLoaders,
)
from pycontainer.sources.debian.effects.dpkg_commands import DPKG_COMMANDS, run_dpkg_command
from pycontainer.sources.debian.effects.file_commands import FILE_COMMANDS, run_file_command
from pycontainer.sources.debian.effects.mime_database import FOLDER as MIME_FOLDER
from pycontainer.sources.debian.effects.odbc import run_odbcinst
from pycontainer.sources.debian.effects.shell.surroundings import Unknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.effects.overlay import Overlay

Arguments = list["str | None"]

# They start services, write caches that are only caches, or serve a desktop, a boot or a manual: a container has none.
_NOTHING: Final = frozenset(
    [
        "update-rc.d",
        "invoke-rc.d",
        "systemctl",
        "deb-systemd-helper",
        "deb-systemd-invoke",
        "service",
        "initctl",
        "start",
        "stop",
        "udevadm",
        "systemd-hwdb",
        "journalctl",
        "dpkg-maintscript-helper",
        "py3compile",
        "py3clean",
        "pypy3compile",
        "pycompile",
        "pyclean",
        "update-desktop-database",
        "gtk-update-icon-cache",
        "update-icon-caches",
        "fc-cache",
        "install-info",
        "update-menus",
        "update-mime",
        "update-initramfs",
        "mandb",
        "logger",
        "sync",
        "sleep",
        "kill",
        "killall",
        "pkill",
        "start-stop-daemon",
        "update-python-modules",
        "dh_pycentral",
        "apt-config",
        "gtk-update-icon-cache-3.0",
        "update-fonts-dir",
        "update-fonts-scale",
        "update-fonts-alias",
        "dbus-send",
        "dbus-uuidgen",
        "systemd-machine-id-setup",
        "ucfr",
        "update-binfmts",
        "deb-systemd-helper-user",
    ]
)
# They print what they find, and change nothing.
_READERS: Final = frozenset(
    [
        "grep",
        "egrep",
        "fgrep",
        "cut",
        "head",
        "tail",
        "sort",
        "uniq",
        "wc",
        "tr",
        "cat",
        "basename",
        "dirname",
        "readlink",
        "realpath",
        "stat",
        "ls",
        "getcap",
        "expr",
        "seq",
        "date",
        "hostname",
        "uname",
        "mountpoint",
        "ischroot",
        "pidof",
        "pgrep",
        "cmp",
        "diff",
        "dpkg-query",
        "getent",
        "id",
        "which",
        "command",
        "type",
        "hash",
        "tty",
        "md5sum",
        "sha256sum",
        "dpkg-architecture",
        "arch",
        "nproc",
        "ucfq",
    ]
)
_PROGRAMS: Final = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
# Where a file is written that no container reads.
_SCRATCH: Final = ("/tmp/", "/var/tmp/", "/var/log/", "/run/", "/var/run/", "/var/cache/")  # noqa: S108 - in an image
_REPEATABLE: Final = (Ldconfig, UpdateCaCertificates, UpdateMimeDatabase, UpdatePixbufLoaders)
_WORD: Final = re.compile(r"\w+")
_CONFMODULE: Final = "/usr/share/debconf/confmodule"


class KnownCommands:
    """Notes what the commands of one package's scripts do.

    Args:
        overlay: The system, which the noted actions change.
        templates: The answers to debconf's questions, which scripts may change; none for one that nobody knows.
    """

    def __init__(self, overlay: Overlay, templates: dict[str, str | None]) -> None:
        self._overlay = overlay
        self._templates = templates

    def run(self, arguments: Arguments, *, certain: bool) -> bool | None:  # noqa: C901 - one branch a kind of command
        """What `Commands.run` says."""
        name, *rest = arguments
        if name is None:
            raise LookupError("a command that is not known")
        name = name.rpartition("/")[2] if name.startswith("/") else name
        if name in _NOTHING:
            return None if "was-enabled" in rest or "is-enabled" in rest else True
        if name == "db_set":
            self._answer(rest, certain=certain)
        if name.startswith("db_") or (name == "." and rest == [_CONFMODULE]):
            return True
        if name == "ucf" and rest[:1] in (["-p"], ["--purge"]):
            return True  # it only forgets a file
        if name.startswith("python3") and any((word or "").endswith("/py_compile.py") for word in rest):
            return True
        if name in _READERS:
            return self._reader(name, rest)
        special = self._special.get(name)
        if special is not None:
            status, actions = special(self, rest)
        elif name == "odbcinst":
            status, actions = run_odbcinst(rest, self._overlay)
        elif name in DPKG_COMMANDS:
            status, actions = run_dpkg_command(name, rest, self._overlay)
        elif name in FILE_COMMANDS:
            status, actions = run_file_command(name, rest, self._overlay)
        else:
            status, actions = run_account_command(name, rest, self._overlay)
        self._note(actions, certain=certain, name=name)
        return status

    def output(self, arguments: Arguments) -> str | None:  # noqa: PLR0911 - one return a program
        """What `Commands.output` says: the paths of programs."""
        match arguments:
            case ["command", "-v", str(program)] | ["which", str(program)]:
                path = self._program(program)
                return path + "\n" if path else path
            case ["getcap", str(path)] if self._overlay.find(path) is not None:
                return ""  # no package can carry capabilities
            case ["dpkg", "--print-architecture"]:
                return self._overlay.architecture + "\n"
            case ["dpkg-query", *rest] if (name := _queried(rest)) and self._overlay.is_installed(name) is False:
                return ""
            case ["dpkg-divert", "--truename", str(path)] if self._overlay.is_diverted(path) is False:
                return path + "\n"
            case [str(name), *_] if name.rpartition("/")[2] in _NOTHING:
                return ""
            case _:
                return None

    def answers(self, arguments: Arguments) -> dict[str, str | None]:
        """What `Commands.answers` says: debconf's answers, which are the defaults where nobody is asked."""
        match arguments:
            case ["db_get", str(question)]:
                return {"RET": self._templates.get(question)}
            case [str(name), *_] if name.startswith("db_"):
                return {"RET": None}
            case _:
                return {}

    def write(self, path: str, content: str | None, *, append: bool, certain: bool) -> None:
        """What `Commands.write` says: a new file whose content is in the script, or one that no container reads."""
        if path.startswith(_SCRATCH):
            return
        if not path or content is None or not path.startswith("/"):
            raise LookupError(f"a file is written: {path or 'which one is not known'}")
        if self._overlay.find(path) is not None:
            raise LookupError(f"{path} is {'extended' if append else 'replaced'}")
        self._note([MakeFile(path=path, content=content)], certain=certain, name=path)

    def _note(self, actions: list[Action], *, certain: bool, name: str) -> None:
        for action in actions:
            # These say the same however often, and whether or not, they are run.
            if not certain and not isinstance(action, _REPEATABLE):
                raise LookupError(f"whether {name} runs is not known")
            self._overlay.add(action)

    def _answer(self, arguments: Arguments, *, certain: bool) -> None:
        """A script answers a question itself."""
        question = arguments[0] if arguments else None
        if question is None:
            self._templates.update(dict.fromkeys(self._templates))
        else:
            self._templates[question] = arguments[1] if certain and len(arguments) > 1 else None

    def _program(self, name: str) -> str | None:
        """The path of a program, empty where there is none, none where nobody knows."""
        for path in [name] if name.startswith("/") else [f"{folder}/{name}" for folder in _PROGRAMS]:
            there = self._overlay.find(path)
            if isinstance(there, Unknown):
                return None
            if there is not None:
                return path
        return ""

    def _reader(self, name: str, arguments: Arguments) -> bool | None:  # noqa: PLR0911 - one return a program
        match name, arguments:
            case ("command", ["-v", str(program)]) | ("which" | "type" | "hash", [str(program)]):
                path = self._program(program)
                return None if path is None else bool(path)
            case "getent", [str(database), str(entry)] if database in {"passwd", "group"}:
                return self._overlay.account(database, entry)
            case "id", [*options, str(entry)] if not entry.startswith("-"):
                del options
                return self._overlay.account("passwd", entry)
            case "grep", [*options, str(pattern), str(path)] if options in ([], ["-q"]) and _WORD.fullmatch(pattern):
                content = self._overlay.content(path)
                return None if content is None else pattern.encode() in content
            case "cmp" | "diff", [*_, str(left), str(right)] if (
                self._overlay.find(left) is None or self._overlay.find(right) is None
            ):
                return False
            case "ls", [*_, str(path)] if path.startswith("/"):
                there = self._overlay.find(path)
                return None if isinstance(there, Unknown) else there is not None
            case "dpkg-query", rest if (package := _queried(rest)) and self._overlay.is_installed(package) is False:
                return False
            case "command", [str(program), *rest] if not program.startswith("-"):
                return self.run([program, *rest], certain=False)
            case _:
                return None

    def _schemas(self, arguments: Arguments) -> tuple[bool | None, list[Action]]:
        """Glib's compilers of folders: where there is no such folder, they do nothing."""
        folder = next((word for word in arguments if word is not None and word.startswith("/")), None)
        if folder is None or self._overlay.is_empty(folder) is not True:
            raise LookupError("schemas or modules of GLib")
        return None, []

    def _sed(self, arguments: Arguments) -> tuple[bool | None, list[Action]]:
        if any(word is None or word.startswith(("-i", "--in-place", "-ni", "-si", "-ri", "-Ei")) for word in arguments):
            raise LookupError("sed")
        scripts = [word for word in arguments if word is not None and not word.startswith("-")]
        # The commands `w` and `e`, and the flags of `s` of the same names, write files and run programs.
        if any("w /" in script or script.rstrip().endswith(("/e", "/w")) or "\ne" in script for script in scripts):
            raise LookupError("sed")
        return None, []

    def _awk(self, arguments: Arguments) -> tuple[bool | None, list[Action]]:
        if any(word is None or any(sign in word for sign in ("system", "|", ">", "getline")) for word in arguments):
            raise LookupError("awk")
        return None, []

    def _find(self, arguments: Arguments) -> tuple[bool | None, list[Action]]:
        tests = {"-name", "-type", "-maxdepth", "-mindepth", "-print", "-path", "-L", "-H", "-xdev", "-iname"}
        if any(word is None or (word.startswith("-") and word not in tests) for word in arguments):
            raise LookupError("find")
        return None, []

    def _ldconfig(self, arguments: Arguments) -> tuple[bool | None, list[Action]]:
        match arguments:
            case [] | ["-r", "/"] | ["--verbose", "-r", "/"]:
                return True, [Ldconfig()]
        raise LookupError("ldconfig")

    def _certificates(self, arguments: Arguments) -> tuple[bool | None, list[Action]]:
        if arguments:
            raise LookupError("update-ca-certificates")
        return True, [UpdateCaCertificates()]

    def _mime_types(self, arguments: Arguments) -> tuple[bool | None, list[Action]]:
        if [word for word in arguments if word != "-n"] != [MIME_FOLDER]:
            raise LookupError("update-mime-database")
        return True, [UpdateMimeDatabase()]

    _special: Final[dict[str, Callable[[KnownCommands, Arguments], tuple[bool | None, list[Action]]]]] = {
        "sed": _sed,
        "awk": _awk,
        "mawk": _awk,
        "gawk": _awk,
        "find": _find,
        "glib-compile-schemas": _schemas,
        "gio-querymodules": _schemas,
        "ldconfig": _ldconfig,
        "update-ca-certificates": _certificates,
        "update-mime-database": _mime_types,
    }


def _queried(arguments: Arguments) -> str:
    """The one package that `dpkg-query` is asked for, without its architecture; empty where it is not that."""
    words = [word for word in arguments if word is not None]
    names = [word for word in words if not word.startswith("-") and "$" not in word and word != "postrm"]
    one = len(names) == 1 and len(words) == len(arguments) and not set("*?[") & set(names[0])
    return names[0].partition(":")[0] if one else ""
