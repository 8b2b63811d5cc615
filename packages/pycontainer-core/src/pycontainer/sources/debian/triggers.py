r"""Who wants to be told of what: dpkg's lists of interested packages, in `/var/lib/dpkg/triggers`.

interested(state, summaries)        # {"File": "/usr/share/icons/hicolor hicolor-icon-theme/noawait\n…"}

No trigger is activated here: what the next dpkg run does for later packages is all that these lists are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import DebSummary

_FOLDER: Final = "var/lib/dpkg/triggers"
_INTERESTS: Final = {"interest": "", "interest-await": "", "interest-noawait": "/noawait"}


def interested(state: DebianState, summaries: Sequence[DebSummary]) -> dict[str, str]:
    """The files in `triggers` that change, by name: `File` for paths, one for each other trigger."""
    anew = {summary.package.name for summary in summaries}
    wanted = [wish for summary in summaries for wish in _interests(summary)]
    names = dict.fromkeys("File" if trigger.startswith("/") else trigger for trigger, _ in wanted)
    changed: dict[str, str] = {}
    for name in names:
        old = state.files.get(f"{_FOLDER}/{name}", b"").decode("utf-8", "replace").splitlines()
        kept = [line for line in old if line.rpartition(" ")[2].partition("/")[0].partition(":")[0] not in anew]
        mine = [
            f"{trigger} {who}" if name == "File" else who
            for trigger, who in wanted
            if (trigger.startswith("/") and name == "File") or trigger == name
        ]
        changed[name] = "".join(f"{line}\n" for line in [*kept, *mine])
    return changed


def _interests(summary: DebSummary) -> Iterator[tuple[str, str]]:
    """Trigger and who is told, for each that a package is interested in (deb-triggers(5))."""
    package = summary.package
    name = f"{package.name}:{package.architecture}" if package.multi_arch == "same" else package.name
    for line in summary.triggers.splitlines():
        directive, _, trigger = line.partition("#")[0].strip().partition(" ")
        trigger = trigger.strip()
        if directive in _INTERESTS and trigger and (trigger.startswith("/") or "/" not in trigger):
            yield trigger, f"{name}{_INTERESTS[directive]}"
