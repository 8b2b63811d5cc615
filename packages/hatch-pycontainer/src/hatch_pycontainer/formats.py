"""Formats of images, which Hatch calls the versions of a target, and the files of each in the build directory.

outputs(["oci-layout", "registry"], Path("dist"), "app-1.0") == {"oci-layout": "oci:dist/app-1.0.oci"}
clean(Path("dist"), "app", warn=app.display_warning)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

TARGET: Final = "container"
DEFAULT: Final = "oci-layout"
REGISTRY: Final = "registry"
# Format → how the core calls it, and the ending of its file or directory; engines and registries have none.
FORMATS: Final = {
    "oci-layout": ("oci", ".oci"),
    "oci-archive": ("oci-archive", ".oci.tar"),
    "docker-archive": ("docker-archive", ".docker.tar"),
    "docker": ("docker", None),
    "podman": ("podman", None),
    REGISTRY: (None, None),
}


def outputs(formats: Sequence[str], directory: Path, project_id: str) -> dict[str, str]:
    """What the core is asked to write, by format, in the order of `formats`; a push is no output.

    Args:
        formats: Names of `FORMATS`.
        directory: Where files go.
        project_id: `name-version`, the beginning of their names.
    """
    asked = {}
    for name in formats:
        output, ending = FORMATS[name]
        if output is not None:
            asked[name] = output if ending is None else f"{output}:{directory / (project_id + ending)}"
    return asked


def clean(directory: Path, project: str, *, warn: Callable[[str], object]) -> None:
    """Remove the images of a project, of any version, and their bills of materials from the build directory.

    Anything else that has such a name stays: a link, a directory that is no layout of ours.

    Args:
        directory: May be missing.
        project: The name as file names have it: `my_app`.
        warn: Told what stays.
    """
    image, sbom = r"-\d[\w.+!]*\.(oci|oci\.tar|docker\.tar)", r"(-[\w-]+)?\.(spdx|cdx)\.json"
    name = re.compile(f"{re.escape(project)}{image}({sbom})?")
    found = sorted(directory.iterdir()) if directory.is_dir() else []
    for path in found:
        if name.fullmatch(path.name) and not path.is_symlink() and (reason := _remove(path)):
            warn(f"{path} stays: {reason}")


def _remove(path: Path) -> str | None:
    """Remove an image; why not, where it stays."""
    from pycontainer.destinations.layout import LayoutDestination  # noqa: PLC0415 - only where there is one
    from pycontainer.errors import StoreError  # noqa: PLC0415 - as above

    try:
        if path.is_dir():
            LayoutDestination(path).remove()
        else:
            path.unlink()
    except StoreError as error:
        return "; ".join(error.facts)
    except OSError as error:
        return error.strerror or str(error)
    return None
