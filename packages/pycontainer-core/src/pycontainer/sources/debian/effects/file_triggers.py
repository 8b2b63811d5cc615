"""What packages of the base would do because of other packages' files (deb-triggers(5)).

dpkg runs the `postinst` of a package that is interested in a folder when another one has files there. Where that does
nothing that a container misses, it is passed over; where it writes an index that is known here, that is written in its
place; otherwise the package with the files is refused. A package that is
being installed needs no trigger: its own `postinst` finds the files of all others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pycontainer.sources.debian.effects.actions import UpdateMimeDatabase, UpdatePixbufLoaders

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.sources.debian.effects.actions import Action
    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import DebSummary

_FILE: Final = "var/lib/dpkg/triggers/File"
# They write caches that are only caches, or serve a desktop, a manual, a boot or a running service.
_NOTHING: Final = (
    "/etc/init.d",
    "/etc/dbus-1",
    "/boot",
    "/lib/modules",
    "/lib/systemd",
    "/lib/udev",
    "/usr/lib/modules",
    "/usr/lib/systemd",
    "/usr/lib/udev",
    "/usr/lib/binfmt.d",
    "/usr/lib/sysctl.d",
    "/usr/lib/mime/packages",
    "/usr/lib/menu",
    "/usr/share/applications",
    "/usr/share/bug",
    "/usr/share/dbus-1",
    "/usr/share/doc",
    "/usr/share/doc-base",
    "/usr/share/emacs",
    "/usr/share/fonts",
    "/usr/share/gconf",
    "/usr/share/icons",
    "/usr/share/info",
    "/usr/share/initramfs-tools",
    "/usr/share/locale",
    "/usr/share/man",
    "/usr/share/menu",
    "/usr/share/mime-info",
    "/usr/share/omf",
    "/usr/share/polkit-1",
    "/usr/share/vim",
    "/usr/share/hunspell",
    "/usr/share/python3",
    "/usr/share/X11/xkb",
)
# What a package may activate by name: it is done for every request, or it does nothing here.
_NAMED: Final = frozenset({"ldconfig", "update-initramfs", "libc-upgrade", "mandb"})
# What is done in the place of the package that is interested.
_ANSWERS: Final[tuple[tuple[re.Pattern[str], Action], ...]] = (
    (re.compile("/usr/share/mime/packages"), UpdateMimeDatabase()),
    (re.compile(r"/usr/lib/(?:[^/]+/)?gdk-pixbuf-2\.0/2\.10\.0/loaders"), UpdatePixbufLoaders()),
)
_ACTIVATIONS: Final = frozenset({"activate", "activate-await", "activate-noawait"})


def judge_triggers(summary: DebSummary, state: DebianState) -> tuple[tuple[Action, ...], str]:
    """What is done because of the package's files, and why it needs a script of the base to run.

    The latter names the trigger and who is interested; it is empty where no script is needed.
    """
    actions: list[Action] = []
    for trigger in _activated(summary):
        interested = state.files.get(f"var/lib/dpkg/triggers/{trigger}", b"").split()
        if interested and trigger not in _NAMED:
            return (), f"trigger: `{trigger}` of `{_name(interested[0].decode('utf-8', 'replace'))}`"
    mine = {summary.package.name}
    paths = [f"/{packed.path}" for packed in summary.paths]
    for line in state.files.get(_FILE, b"").decode("utf-8", "replace").splitlines():
        trigger, _, package = line.rpartition(" ")
        if _is_below(trigger, _NOTHING) or _name(package) in mine or not trigger.startswith("/"):
            continue
        if any(path == trigger or path.startswith(trigger + "/") for path in paths):
            answers = [action for pattern, action in _ANSWERS if pattern.fullmatch(trigger)]
            if not answers:
                return (), f"trigger: `{trigger}` of `{_name(package)}`"
            actions += answers
    return tuple(actions), ""


def _activated(summary: DebSummary) -> Iterator[str]:
    for line in summary.triggers.splitlines():
        directive, _, trigger = line.partition("#")[0].strip().partition(" ")
        if directive in _ACTIVATIONS and "/" not in trigger:
            yield trigger.strip()


def _name(package: str) -> str:
    return package.partition("/")[0].partition(":")[0]


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)
