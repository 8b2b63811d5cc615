"""Make a base image with Python out of Debian's packages, with Debian's own tools.

    python3 tools/base_image.py --arch arm64 DIRECTORY

writes an OCI layout with one image, tagged `3.11-slim` (`3.13-slim` with `--suite trixie`), to DIRECTORY. Needs
`mmdebstrap`, Debian's archive and nothing else: no container engine, and no root where user namespaces are allowed.
Standard library only. End-to-end tests and benchmarks use it: a base that Debian's own tools have made, with dpkg and
apt in it, which `deb:bookworm` is not.

A base for this machine's architecture is installed as Debian installs itself. A base for another architecture is only
unpacked, so that nothing of it has to be executed.
"""

from __future__ import annotations

import argparse
import fcntl
import gzip
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path
from typing import IO, Any

SUITE = "bookworm"
PYTHONS = {"bookworm": "3.11", "trixie": "3.13"}
TAG = f"{PYTHONS[SUITE]}-slim"
CREATED = "2025-01-01T00:00:00Z"
EPOCH = "1735689600"
VERSION = 4  # counts up whenever what this script makes changes: caches of bases are named by it

MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*")
INSTALLED = ("python3", "ca-certificates")
UNPACKED = ("base-files", "base-passwd", "coreutils", "dash", "libc-bin", "libstdc++6", "media-types", *INSTALLED)
# What the maintainer scripts of unpacked packages would have done, as far as a Python image needs it.
FINISH_UNPACKED = """
cp "$1/usr/share/base-passwd/passwd.master" "$1/etc/passwd"
cp "$1/usr/share/base-passwd/group.master" "$1/etc/group"
mkdir -p "$1/etc/ssl/certs"
cat "$1"/usr/share/ca-certificates/mozilla/*.crt > "$1/etc/ssl/certs/ca-certificates.crt"
"""
CHUNK = 1 << 20


def host_architecture() -> str:
    """Debian's and OCI's name of this machine's architecture: `amd64` or `arm64`."""
    machine = platform.machine().lower()
    return MACHINES.get(machine, machine)


def debian_mirror() -> list[str]:
    """The address of Debian's archive in apt's own settings; empty where this machine's apt names none."""
    wanted = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL) $(CODENAME)", "Created-By: Packages"]
    try:
        lines = subprocess.run(wanted, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return []
    for line in lines:
        address, label, codename = [*line.split(maxsplit=2), "", "", ""][:3]
        if label == "Debian" and "-" not in codename:
            return [address]
    return []


def bootstrap_command(arch: str, suite: str = SUITE) -> list[str]:
    """The `mmdebstrap` that writes the root file system of a base as a tar to standard output."""
    native = arch == host_architecture()
    command = ["mmdebstrap", f"--architectures={arch}", "--skip=output/dev", "--format=tar", "--quiet"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
    if native:
        command += ["--variant=minbase", f"--include={','.join(INSTALLED)}"]
    else:
        command += ["--variant=extract", f"--include={','.join(UNPACKED)}", "--skip=check/qemu"]
        command += [f"--customize-hook={FINISH_UNPACKED}"]
    return [*command, suite, "-", *debian_mirror()]


class Layout:
    """An OCI layout directory that is being written."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        (root / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')

    def add_json(self, media_type: str, document: dict[str, Any]) -> dict[str, Any]:
        """Write a document and return its descriptor."""
        content = json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
        digest = hashlib.sha256(content).hexdigest()
        (self.blobs / digest).write_bytes(content)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(content)}

    def add_layer(self, tar: IO[bytes]) -> tuple[dict[str, Any], str]:
        """Compress a tar into a layer; return its descriptor and its diff_id."""
        plain = hashlib.sha256()
        part = self.blobs / "part"
        with (
            part.open("wb") as raw,
            gzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=zlib.Z_BEST_SPEED, mtime=0) as packed,
        ):
            while chunk := tar.read(CHUNK):
                plain.update(chunk)
                packed.write(chunk)
        digest = _sha256(part)
        part.rename(self.blobs / digest)
        descriptor = {
            "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
            "digest": f"sha256:{digest}",
            "size": (self.blobs / digest).stat().st_size,
        }
        return descriptor, f"sha256:{plain.hexdigest()}"

    def finish(self, manifest: dict[str, Any], tag: str) -> None:
        """Write the index that names the image."""
        manifest = {**manifest, "annotations": {"org.opencontainers.image.ref.name": tag}}
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]}
        (self.root / "index.json").write_text(json.dumps(index))


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def image_config(arch: str, suite: str, diff_id: str) -> dict[str, Any]:
    """The config of a base: Python's base images say no more that a build relies on."""
    return {
        "architecture": arch,
        "os": "linux",
        **({"variant": "v8"} if arch == "arm64" else {}),
        "created": CREATED,
        "config": {
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"],
            "Cmd": ["python3"],
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created": CREATED, "created_by": f"mmdebstrap {suite} {arch}"}],
    }


def make_base(target: Path, arch: str, suite: str = SUITE) -> None:
    """Write the OCI layout of a base to `target`, which appears complete or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f".{target.name}-") as temporary:
        layout = Layout(Path(temporary) / "layout")
        command = bootstrap_command(arch, suite)
        environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as bootstrap:
            layer, diff_id = layout.add_layer(bootstrap.stdout)  # type: ignore[arg-type]  # it is a pipe
        if bootstrap.returncode:
            message = f"mmdebstrap failed with status {bootstrap.returncode}"
            raise SystemExit(message)
        config = layout.add_json("application/vnd.oci.image.config.v1+json", image_config(arch, suite, diff_id))
        document = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": config,
            "layers": [layer],
        }
        layout.finish(layout.add_json("application/vnd.oci.image.manifest.v1+json", document), f"{PYTHONS[suite]}-slim")
        shutil.rmtree(target, ignore_errors=True)
        layout.root.rename(target)


def cached_base(arch: str, suite: str = SUITE) -> Path:
    """A base from this user's cache, made there first if need be; the tests share it."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pycontainer-workspace"
    target = caches / f"base-{suite}-{arch}-{VERSION}"
    caches.mkdir(parents=True, exist_ok=True)
    with (caches / f".{target.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side, and all begin with a base
        if not (target / "index.json").exists():
            make_base(target, arch, suite)
    return target


def main() -> None:
    """Make a base, or print where the cached one is."""
    parser = argparse.ArgumentParser(description="Make a base image with Python out of Debian's packages.")
    parser.add_argument("directory", type=Path, nargs="?", help="default: a cache, whose path is printed")
    parser.add_argument("--arch", default=host_architecture(), help="default: this machine's")
    parser.add_argument("--suite", default=SUITE, choices=PYTHONS, help=f"default: {SUITE}")
    options = parser.parse_args()
    if options.directory is None:
        sys.stdout.write(f"{cached_base(options.arch, options.suite)}\n")
    else:
        make_base(options.directory, options.arch, options.suite)


if __name__ == "__main__":
    main()
