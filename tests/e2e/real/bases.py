"""Base images: Debian with Python, for two architectures, made once a machine by `tools/base_image.py`.

layout = base_layout(tmp_path, ["amd64", "arm64"])      # an OCI layout with one index, tagged `3.11-slim`
"""

from __future__ import annotations

import json
import shutil
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from real.programs import run

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(__file__).parents[3] / "tools" / "base_image.py"
TAG = "3.11-slim"
TAGS = {"bookworm": TAG, "trixie": "3.13-slim"}
INDEX = "application/vnd.oci.image.index.v1+json"
MAKE_SECONDS = 1200


def cached_base(architecture: str, suite: str = "bookworm") -> Path:
    """The OCI layout of one base image, from the cache or made now."""
    options = ("--arch", architecture, "--suite", suite)
    return Path(run(sys.executable, SCRIPT, *options, seconds=MAKE_SECONDS).stdout.strip())


def base_layout(target: Path, architectures: Sequence[str]) -> Path:
    """Write a layout with one index that holds the bases of all `architectures`."""
    manifests = [_add(target, cached_base(architecture), architecture) for architecture in architectures]
    content = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode()
    digest = sha256(content).hexdigest()
    (target / "blobs" / "sha256" / digest).write_bytes(content)
    named = {"org.opencontainers.image.ref.name": TAG}
    entry = {"mediaType": INDEX, "digest": f"sha256:{digest}", "size": len(content), "annotations": named}
    (target / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    return target


def _add(target: Path, base: Path, architecture: str) -> dict[str, Any]:
    shutil.copytree(base, target, dirs_exist_ok=True)
    (descriptor,) = json.loads((base / "index.json").read_text())["manifests"]
    variant = {"variant": "v8"} if architecture == "arm64" else {}
    platform = {"os": "linux", "architecture": architecture, **variant}
    return {key: descriptor[key] for key in ("mediaType", "digest", "size")} | {"platform": platform}
