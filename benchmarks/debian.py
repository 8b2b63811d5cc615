"""Operating system packages: size and time of composed bases, and packages added to a base beside `apt-get install`.

    python benchmarks/debian.py [--runs N] [--suite bookworm] [--request libpq5]

Composed bases: from nothing (empty cache, indexes and packages from the archive of this host's apt), again (everything
in the cache, the layers too), and from a lock with an empty cache. Added packages: `pycontainer build` upon a base of
Debian with Python, beside `apt-get update && apt-get install --no-install-recommends` in a container of the same base;
both from the base at hand to an image in a registry on loopback, in turn within a round, so that the ratios hold
elsewhere. The project is one file without dependencies: what is measured is the packages. Sizes are what a registry
stores, compressed, without the base.

Needs Linux, root, and Debian's `docker.io`, `docker-registry`, `skopeo` and `mmdebstrap`.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "e2e")]

from real.bases import TAG, cached_base  # noqa: E402 - the real parts are those of the end-to-end tests
from real.engines import docker  # noqa: E402
from real.programs import run  # noqa: E402
from real.registry import Registry, registry  # noqa: E402
from side_by_side.measure import Measured, measure  # noqa: E402
from side_by_side.table import compared, markdown, seconds  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from real.engines import DockerLike

OURS, THEIRS = "pycontainer", "apt-get in docker"
SUITES = ("bookworm", "trixie")
PLATFORMS = ("linux/amd64", "linux/arm64")
REQUESTS = ("libpq5", "libgomp1", "libgl1", "ffmpeg")
COLD, AGAIN, LOCKED = "cold", "again", "locked, empty cache"
# What a request lets through without its scripts being run, which apt-get runs.
UNCONFIGURED = {"ffmpeg": "shared-mime-info,libgdk-pixbuf-2.0-0"}
DOCKERFILE = """\
FROM {base}
RUN apt-get -qq update && apt-get -qq install --yes --no-install-recommends {package} \\
    && rm -rf /var/lib/apt/lists/* /var/cache/apt
"""
# Layers of ours that hold the system are told from those of the application by what made them.
SYSTEM = re.compile(r"foundation|.* Debian packages?|[a-z0-9][a-z0-9.+-]+ \S*[0-9]\S*")
CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Size:
    """Of layers, in bytes: as a registry stores them, and unpacked."""

    compressed: int
    unpacked: int

    @classmethod
    def of(cls, blobs: Iterable[bytes]) -> Size:
        """Of layers that gzip compressed."""
        compressed = unpacked = 0
        for blob in blobs:
            compressed += len(blob)
            with gzip.open(io.BytesIO(blob)) as stream:
                while chunk := stream.read(CHUNK):
                    unpacked += len(chunk)
        return cls(compressed=compressed, unpacked=unpacked)

    def __str__(self) -> str:
        return f"{self.compressed / 1e6:.1f} MB ({self.unpacked / 1e6:.1f})"


class Project:
    """A project of one file, with a cache of its own.

    Args:
        root: An empty directory.
    """

    def __init__(self, root: Path) -> None:
        self.root, self.cache, self.image = root / "project", root / "cache", root / "image"
        self.root.mkdir(parents=True)
        (self.root / "main.py").write_text("print('hello')\n")
        (self.root / "pyproject.toml").write_text('[project]\nname = "app"\nversion = "1.0"\n')
        (self.root / "pylock.toml").write_text('lock-version = "1.0"\ncreated-by = "benchmark"\npackages = []\n')

    def run(self, command: str, *options: str) -> Measured:
        """Run pycontainer."""
        program = Path(sys.executable).parent / "pycontainer"
        return measure([program, command, "--context", self.root, "--cache-dir", self.cache, *options])

    def forget(self) -> None:
        """Empty the cache."""
        shutil.rmtree(self.cache, ignore_errors=True)

    def system_size(self) -> Size:
        """The layers of the image that hold packages of the system."""
        manifest = self._document(json.loads((self.image / "index.json").read_text())["manifests"][0]["digest"])
        history = [each for each in self._document(manifest["config"]["digest"])["history"] if "comment" in each]
        ours = zip(manifest["layers"][-len(history) :], history, strict=True)
        return Size.of(self._blob(layer["digest"]) for layer, made in ours if SYSTEM.fullmatch(made["comment"]))

    def _blob(self, digest: str) -> bytes:
        return (self.image / "blobs" / "sha256" / digest.partition(":")[2]).read_bytes()

    def _document(self, digest: str) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self._blob(digest))
        return document


def composed(suite: str, platform_name: str, runs: int) -> str:
    """A row of the table of composed bases."""
    options = ("--base-image", f"deb:{suite}", "--platform", platform_name)
    rounds: list[tuple[Measured, Measured, Measured]] = []
    with tempfile.TemporaryDirectory(prefix="pyc-") as ground:
        project = Project(Path(ground))
        build = ("build", *options, "--output", f"oci:{project.image}")
        for _ in range(runs):
            (project.root / "pycontainer.lock").unlink(missing_ok=True)
            project.forget()
            cold, again = project.run(*build), project.run(*build)
            project.run("lock", *options)
            project.forget()
            rounds.append((cold, again, project.run(*build, "--locked")))
        size = project.system_size()
    seconds = [f"{median(each.seconds for each in column):.1f}" for column in zip(*rounds, strict=True)]
    memory = max(each.memory for column in rounds for each in column)
    _say(suite, platform_name, size, *seconds)
    return f"| {suite} | {platform_name} | {size} | {' | '.join(seconds)} | {memory / 1e6:.0f} MB |"


def added(package: str, base: Path, runs: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The rows of one request: of the table of times, and of the table of sizes."""
    times: dict[str, list[Measured]] = {OURS: [], THEIRS: []}
    sizes: dict[str, Size] = {}
    for number in range(runs):
        with tempfile.TemporaryDirectory(prefix="pyc-", ignore_cleanup_errors=True) as ground, ExitStack() as stack:
            root = Path(ground)
            images = stack.enter_context(registry(root / "registry"))
            reference = images.copy_in(base, TAG, f"python:{TAG}")
            (root / "docker").mkdir()
            engine = stack.enter_context(docker(root / "docker"))
            contenders: dict[str, Callable[[], Measured]] = {
                OURS: partial(_ours, Project(root / "ours"), package, reference, images),
                THEIRS: partial(_theirs, root / "theirs", package, reference, images, engine),
            }
            order = list(contenders)[:: -1 if number % 2 else 1]
            measured = {name: contenders[name]() for name in order}
            for name, each in measured.items():
                times[name].append(each)
            sizes = {name: _added_size(images, name, package) for name in contenders}
            _say(package, *(f"{name} {each.seconds:.1f} s" for name, each in measured.items()))
    told = (package, seconds(times[OURS]), *compared(times[THEIRS], times[OURS]))
    return told, (package, str(sizes[OURS]), str(sizes[THEIRS]))


def _ours(project: Project, package: str, base: str, images: Registry) -> Measured:
    where = ("--base-image", base, "--output", f"oci:{project.image}")
    project.run("build", *where, "--dry-run")  # the base is at hand, as it is in Docker
    tag = images.reference(f"{_repository(OURS, package)}:1")
    through = ("--os-unconfigured", UNCONFIGURED[package]) if package in UNCONFIGURED else ()
    return project.run("build", "--base-image", base, "--os-package", package, *through, "--tag", tag, "--push")


def _theirs(root: Path, package: str, base: str, images: Registry, engine: DockerLike) -> Measured:
    root.mkdir()
    (root / "Dockerfile").write_text(DOCKERFILE.format(base=base, package=package))
    engine.pull(base)
    tag = images.reference(f"{_repository(THEIRS, package)}:1")
    build: list[str | Path] = [*engine.client, "build", "--quiet", "--no-cache", "--network=host", f"--tag={tag}", root]
    return measure(build, env=engine.env) + measure([*engine.client, "push", "--quiet", tag], env=engine.env)


def _added_size(images: Registry, name: str, package: str) -> Size:
    """The layers above the base that hold packages: of theirs there is one."""
    repository = _repository(name, package)
    manifest = images.manifest(repository, "1")[1]
    config = json.loads(images.blob(repository, manifest["config"]["digest"]))
    history = [each for each in config["history"] if not each.get("empty_layer")]
    chosen = [
        layer
        for layer, made in list(zip(manifest["layers"], history, strict=True))[1:]
        if name == THEIRS or SYSTEM.fullmatch(made.get("comment", ""))
    ]
    return Size.of(images.blob(repository, layer["digest"]) for layer in chosen)


def _repository(name: str, package: str) -> str:
    return f"{name.partition('-')[0]}/{package}"


def _say(*words: object) -> None:
    print(*words, file=sys.stderr, flush=True)


def main() -> None:
    """Run what the arguments say, and print a report in Markdown."""
    parser = argparse.ArgumentParser(description="Operating system packages: size and time.")
    parser.add_argument("--suite", choices=SUITES, action="append", help="default: all")
    parser.add_argument("--request", action="append", help=f"package to add; default: {', '.join(REQUESTS)}")
    parser.add_argument("--runs", type=int, default=3, help="default: %(default)s")
    options = parser.parse_args()
    os.environ["PYTHONDONTWRITEBYTECODE"] = ""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    version = run("dockerd", "--version").stdout.split()[2].rstrip(",")
    print(
        f"{os.cpu_count()} cores, {memory:.0f} GB of memory, Linux on {platform.machine()}, "
        f"Python {platform.python_version()}, Docker {version}; rounds: {options.runs}; load: {_load()} before"
    )
    print(f"\n| suite | platform | size (unpacked) | {COLD}, s | {AGAIN}, s | {LOCKED}, s | peak memory |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for suite in options.suite or SUITES:
        for platform_name in PLATFORMS:
            print(composed(suite, platform_name, options.runs), flush=True)
    base = cached_base({"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()])
    requests = [added(package, base, options.runs) for package in options.request or REQUESTS]
    print(f"\nLoad: {_load()} after the composed bases\n")
    times, sizes = zip(*requests, strict=True)
    print(markdown(("package", f"{OURS}, s", f"{THEIRS}, s", "times faster"), times))
    print()
    print(markdown(("package", f"{OURS}, added (unpacked)", f"{THEIRS}, added (unpacked)"), sizes))
    print(f"\nLoad: {_load()} at the end", flush=True)


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f}"


if __name__ == "__main__":
    main()
