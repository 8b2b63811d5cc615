"""What a newer version of a package of the base leaves behind: files of the old one that nobody has any more.

for path in vanished_files(state, summaries):
    writer.whiteout(path)

They have to go last, in a layer above those of all packages: a file that moved from one package to another is among
the old files of the one and the new files of the other.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pycontainer.sources.debian.database import old_conffiles
from pycontainer.sources.debian.state import owners

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pycontainer.sources.debian.state import DebianState
    from pycontainer.sources.debian.summary import DebSummary


def vanished_files(state: DebianState, summaries: Sequence[DebSummary]) -> tuple[str, ...]:
    """Canonical paths of the base that belong only to packages that come anew, and to no new version.

    Configuration files stay, as dpkg leaves them.
    """
    anew = {summary.package.name for summary in summaries}
    brought = {state.tree.canonical(packed.path) for summary in summaries for packed in summary.paths}
    settings = {
        state.tree.canonical(line.split()[0].strip("/"))
        for stanza in re.split(r"\n[ \t]*\n", state.status)
        for line in old_conffiles(stanza)
    }
    return tuple(
        sorted(
            path
            for path, found in owners(state).items()
            if {owner.name for owner in found} <= anew
            and path not in brought
            and path not in settings
            and state.tree.kind(path) is not None
        )
    )
