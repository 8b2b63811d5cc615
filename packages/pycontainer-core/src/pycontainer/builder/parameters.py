"""What provenance says of a build's inputs: the options, the source, the lock.

external_parameters(plan)["configuration"]      # {"base-image": "python:3.12-slim", "platform": ["linux/amd64"]}
source_resources(plan)                          # the commit, uv.lock, pycontainer.lock

Enough to build the same image again, and nothing that is secret or of this host alone: how to reach registries, where
the cache is and where the image goes are left out, addresses have no credentials, and values that the image itself has
(`env`, `labels`, the command) stay there, where only those read them who may read the image.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pycontainer.attest.provenance import Resource
from pycontainer.config import BuildConfig
from pycontainer.config.option import Group
from pycontainer.config.options import OPTIONS
from pycontainer.oci import Digest
from pycontainer.sources.locks.addresses import public_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pycontainer.plan import BuildPlan

_NOT_OF_THE_IMAGE: Final = frozenset({Group.TRUST, Group.POLICY, Group.REGISTRY, Group.BUILD, Group.REPORT})
_ELSEWHERE: Final = frozenset(
    {"tag", "context_path", "output", "push", "generate_sbom", "provenance", "locked", "base_image", "platform"}
)
# What the image's config and manifest have: the names are told, not the values.
_IN_IMAGE: Final = frozenset({"entrypoint", "cmd", "env", "labels", "annotations"})
_ADDRESSES: Final = frozenset({"index_url", "os_archive", "os_snapshot"})
_REVISION: Final = re.compile(r"([0-9a-f]{40}(?:[0-9a-f]{24})?)(-dirty)?")
_REVISION_NAME: Final = "org.opencontainers.image.revision"
_SOURCE_NAME: Final = "org.opencontainers.image.source"


def external_parameters(plan: BuildPlan) -> dict[str, Any]:
    """The options that are not the default, by the names that they have in files; what the base and the platforms are.

    The project's directory is told relative to that of its repository.
    """
    project = {"name": plan.metadata.name, "version": plan.metadata.version, "directory": _directory(plan.config.root)}
    return {
        "configuration": {
            "base-image": _base_image(plan.config.base_image or plan.platforms[0].base.reference),
            "platform": [str(platform.platform) for platform in plan.platforms],
            **dict(_options(plan.config)),
        },
        "inImage": sorted(_in_image(plan.config)),
        "project": {key: value for key, value in project.items() if value},
    }


def internal_parameters(plan: BuildPlan) -> dict[str, Any]:
    """What was found out of each platform's base."""
    return {
        "platforms": {
            str(platform.platform): {"python": str(platform.target.python), "libc": str(platform.target.libc)}
            for platform in plan.platforms
        },
        "created": plan.created,
    }


def source_resources(plan: BuildPlan) -> Iterator[Resource]:
    """The commit that the project is of, where it is in a checkout, and the lock files.

    A checkout with changes to tracked files is `dirty`; its commit then is not what was built.
    """
    revision = _REVISION.fullmatch(plan.annotations.get(_REVISION_NAME, ""))
    if revision is not None:
        url = plan.annotations.get(_SOURCE_NAME)
        yield Resource(
            name="source",
            uri=f"git+{url}@{revision[1]}" if url and url.startswith(("https://", "http://")) else None,
            digest={"gitCommit": revision[1]},
            annotations={"dirty": True} if revision[2] else None,
        )
    lock = plan.lock_file
    if lock is not None:
        # A resolution of this build has no file in the project; what was chosen stands among the dependencies.
        annotations = {"file": "none, resolved now" if lock.is_resolved else lock.path.name}
        yield Resource(name="lock", digest={lock.digest.algorithm: lock.digest.hex}, annotations=annotations)
    image_lock = plan.config.root / "pycontainer.lock"
    if image_lock.is_file():
        digest = Digest.of(image_lock.read_bytes())
        yield Resource(name="image lock", digest={digest.algorithm: digest.hex}, annotations={"file": image_lock.name})


def _options(config: BuildConfig) -> Iterator[tuple[str, Any]]:
    defaults = BuildConfig().as_dict()
    for name, value in config.as_dict().items():
        option = OPTIONS[name]
        told_elsewhere = option.group in _NOT_OF_THE_IMAGE or name in _ELSEWHERE | _IN_IMAGE
        if not told_elsewhere and value != defaults[name]:
            yield option.toml_key, _without_secrets(value) if name in _ADDRESSES else _plain(value)


def _base_image(text: str) -> str:
    """The base as it was asked for; the path of one that lies on this host is nobody else's business."""
    kind, colon, path = text.partition(":")
    return f"{kind}:{Path(path).name}" if colon and Path(path).is_absolute() else text


def _in_image(config: BuildConfig) -> Iterator[str]:
    for name in _IN_IMAGE:
        value, key = getattr(config, name), OPTIONS[name].toml_key
        if isinstance(value, dict):
            yield from (f"{key}.{item}" for item in value)
        elif value:
            yield key


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, (bool, int, str)) else str(value)


def _without_secrets(value: Any) -> Any:
    """Addresses without credentials and queries; `URI SUITE COMPONENT…` has one, among other words."""
    if isinstance(value, (list, tuple)):
        return [_without_secrets(item) for item in value]
    return " ".join(public_url(word) if "://" in word else word for word in str(value).split())


def _directory(root: Path) -> str | None:
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), None)
    return root.relative_to(top).as_posix() if top else None
