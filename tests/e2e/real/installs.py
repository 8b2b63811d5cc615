"""Install a sample with uv where an image would have it: at `/app/.venv`, with the base image's own Python.

    install(sample, project, podman=podman, base=base, target=directory)        # directory/.venv

uv runs in a container of the base image, so that nothing of this host's Python has a part in it.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from real.samples import uv

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from real.engines import DockerLike
    from real.samples import Sample

CERTIFICATES = ("/etc/ssl/certs", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates")
SETTINGS = ("UV_DEFAULT_INDEX", "UV_INDEX", "SSL_CERT_FILE", "SSL_CERT_DIR", "ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY")
PYTHON = "/usr/bin/python3.11"
UV_ENV = {
    "UV_CACHE_DIR": "/cache",
    "UV_LINK_MODE": "copy",
    "UV_NO_PROGRESS": "1",
    "UV_PROJECT_ENVIRONMENT": "/app/.venv",
    "UV_PYTHON_DOWNLOADS": "never",
    "VIRTUAL_ENV": "/app/.venv",
}


def install(sample: Sample, project: Path, *, podman: DockerLike, base: str, target: Path) -> Path:
    """Install a locked sample into `target`/.venv, which was `/app/.venv` when uv wrote it; return that path."""
    from uv import find_uv_bin  # noqa: PLC0415  # not needed to collect the tests

    source = target / "source"
    shutil.copytree(project, source, ignore=shutil.ignore_patterns("dist"))
    (source / "install.sh").write_text(_script(source, sample))
    (target / "app").mkdir()
    cache = uv("cache", "dir").strip()
    volumes = {find_uv_bin(): "/usr/local/bin/uv:ro", source: "/source", target / "app": "/app", cache: "/cache"}
    volumes |= {place: f"{place}:ro" for place in CERTIFICATES if Path(place).exists()}
    environment = UV_ENV | {name: os.environ[name] for name in SETTINGS if name in os.environ}
    podman.command(
        "run",
        "--rm",
        "--network=host",
        *podman.run_options,
        *(f"--volume={ours}:{theirs}" for ours, theirs in volumes.items()),
        *(f"--env={name}={value}" for name, value in environment.items()),
        "--workdir=/source",
        base,
        *("sh", "-ec", "umask 022; . ./install.sh"),
    )
    return target / "app" / ".venv"


def _script(project: Path, sample: Sample) -> str:
    """The commands that a user of the sample's lock would give."""
    if (project / "uv.lock").exists():
        return f"uv sync --python {PYTHON} --frozen --no-editable --no-dev {' '.join(sample.options)}\n"
    make = f"uv venv --prompt app --python {PYTHON} /app/.venv\n"
    if (project / "poetry.lock").exists():
        (project / "exported.txt").write_text(_poetry_requirements(project / "poetry.lock"))
        return make + "uv pip install --no-deps -r exported.txt\nuv pip install --no-deps .\n"
    if (project / "pylock.toml").exists():
        return make + "uv pip sync --preview-features pylock pylock.toml\nuv pip install --no-deps .\n"
    return make + "uv pip sync --require-hashes requirements.txt\n"


def _poetry_requirements(lock: Path) -> str:
    """The packages of the main group of a `poetry.lock`, with their versions, markers and hashes."""
    lines = []
    for package in tomllib.loads(lock.read_text(encoding="utf-8"))["package"]:
        if "main" in package["groups"]:
            marker = f" ; {package['markers']}" if "markers" in package else ""
            hashes = "".join(f" --hash={file['hash']}" for file in package["files"])
            lines.append(f"{package['name']}=={package['version']}{marker}{hashes}\n")
    return "".join(lines)
