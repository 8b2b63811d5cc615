"""What packages of the base would do because of other packages' files (deb-triggers(5)).

dpkg runs the `postinst` of a package that is interested in a folder when another one has files there. Where that does
nothing that a container misses, it is passed over; otherwise the package with the files is refused. A package that is
being installed needs no trigger: its own `postinst` finds the files of all others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

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
_ACTIVATIONS: Final = frozenset({"activate", "activate-await", "activate-noawait"})


def unanswered_trigger(summary: DebSummary, state: DebianState) -> str:
    """Why the package needs a script of the base to run: the trigger and who is interested; empty where it does not."""
    for trigger in _activated(summary):
        interested = state.files.get(f"var/lib/dpkg/triggers/{trigger}", b"").split()
        if interested and trigger not in _NAMED:
            return f"trigger: `{trigger}` of `{_name(interested[0].decode('utf-8', 'replace'))}`"
    mine = {summary.package.name}
    paths = [f"/{packed.path}" for packed in summary.paths]
    for line in state.files.get(_FILE, b"").decode("utf-8", "replace").splitlines():
        trigger, _, package = line.rpartition(" ")
        if _is_below(trigger, _NOTHING) or _name(package) in mine or not trigger.startswith("/"):
            continue
        if any(path == trigger or path.startswith(trigger + "/") for path in paths):
            return f"trigger: `{trigger}` of `{_name(package)}`"
    return ""


def _activated(summary: DebSummary) -> Iterator[str]:
    for line in summary.triggers.splitlines():
        directive, _, trigger = line.partition("#")[0].strip().partition(" ")
        if directive in _ACTIVATIONS and "/" not in trigger:
            yield trigger.strip()


def _name(package: str) -> str:
    return package.partition("/")[0].partition(":")[0]


def _is_below(path: str, folders: tuple[str, ...]) -> bool:
    return any(path == folder or path.startswith(folder + "/") for folder in folders)
