"""The same request twice, from the same base and the same `.deb`s: as an image, and by the real apt.

sides = SideBySide(ground=tmp_path, pycontainer=pycontainer)
both = sides.make("bookworm", ["libpq5", "git"], unconfigured=())
compare(both.theirs, both.ours)
"""

from __future__ import annotations

import re
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from real.bases import TAGS, cached_base
from real.chroots import Apt, Chroot, unpack
from real.programs import run
from real.trees import Entry, tree

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from real.command import Pycontainer

# Packages may say `lib/…` where `lib` is a link to `usr/lib`.
_MERGED: Final = re.compile(r"^(bin|lib|lib32|lib64|libx32|sbin)/")
_PROJECT: Final = '[project]\nname = "nothing"\nversion = "1"\nrequires-python = ">=3.10"\n'


@dataclass(frozen=True, kw_only=True)
class Both:
    """What came of one request.

    Attributes:
        apt: The base after `apt-get install`.
        image: The image, unpacked.
        theirs: Every path of `apt`, before anything else ran in it.
        ours: Every path of `image`.
        would: What apt said it would install: name → version.
        locked: What `pycontainer.lock` holds: name → version.
    """

    apt: Chroot
    image: Chroot
    theirs: Mapping[str, Entry]
    ours: Mapping[str, Entry]
    would: Mapping[str, str]
    locked: Mapping[str, str]

    def remove(self) -> None:
        """Remove both sides from the disk; what was read of them stays."""
        shutil.rmtree(self.apt.path.parent)


@dataclass(kw_only=True)
class SideBySide:
    """Makes both sides, below `ground`."""

    ground: Path
    architecture: str
    pycontainer: Pycontainer
    _bases: dict[str, Chroot] = field(default_factory=dict)
    _made: int = 0

    def make(self, suite: str, requests: Sequence[str], *, unconfigured: Sequence[str] = ()) -> Both:
        """Build an image on the base of a suite, and let apt install the same in that base."""
        place = self._place()
        root = Chroot(path=place / "apt")
        run("cp", "--archive", self._base(suite).path, root.path)
        apt = Apt(root=root)
        would = apt.would_install(requests)
        # A base from a cache may be older than the archive, and apt upgrades without asking.
        upgrades = [name for name, (old, _) in would.items() if old]
        options = self.options(suite, requests, unconfigured=unconfigured, upgrades=upgrades)
        project = self.project(place)
        self.pycontainer.lock(project, *options)
        self.pycontainer.build(project, *options, "--locked")
        debs = self._locked_debs(project)
        with ThreadPoolExecutor(1) as pool:
            installed = pool.submit(apt.install, requests, [(_cache_name(deb), self._cached(deb)) for deb in debs])
            image = unpack(project / "dist" / "image", "latest", place / "image")
            ours = tree(image.path)
            installed.result()
        return Both(
            apt=root,
            image=image,
            theirs=tree(root.path),
            ours=ours,
            would={name: new for name, (_, new) in would.items()},
            locked={deb["name"]: deb["version"] for deb in debs},
        )

    def compose(self, suite: str, requests: Sequence[str], *, unconfigured: Sequence[str] = ()) -> Chroot:
        """The same request on a composed base, unpacked."""
        place = self._place()
        project = self.project(place)
        options = self.options(suite, requests, unconfigured=unconfigured)
        # The same archive as apt's side, which has no newer packages than its base.
        source = (self._base(suite).path / "etc/apt/sources.list").read_text().removeprefix("deb ").strip()
        self.pycontainer.build(project, f"--base-image=deb:{suite}", f"--os-archive={source}", *options[1:])
        return unpack(project / "dist" / "image", "latest", place / "image")

    def options(
        self, suite: str, requests: Sequence[str], *, unconfigured: Sequence[str] = (), upgrades: Sequence[str] = ()
    ) -> list[str]:
        """The options of `pycontainer` that say the same as a request to apt."""
        words = {"os-package": requests, "os-unconfigured": unconfigured, "os-allow-upgrade": upgrades}
        base = f"oci:{cached_base(self.architecture, suite)}:{TAGS[suite]}"
        return [f"--base-image={base}", "--user=root", *(f"--{name}={word}" for name in words for word in words[name])]

    def project(self, place: Path) -> Path:
        """A project of which nothing but its packages matters."""
        project = place / "project"
        project.mkdir()
        (project / "pyproject.toml").write_text(_PROJECT)
        (project / "main.py").write_text("")
        return project

    def _place(self) -> Path:
        self._made += 1
        place = self.ground / str(self._made)
        place.mkdir()
        return place

    def _base(self, suite: str) -> Chroot:
        """The base with apt's indexes, fetched once."""
        if suite not in self._bases:
            self._bases[suite] = unpack(cached_base(self.architecture, suite), TAGS[suite], self.ground / suite)
            Apt(root=self._bases[suite]).update()
        return self._bases[suite]

    def _locked_debs(self, project: Path) -> list[dict[str, Any]]:
        lock = tomllib.loads((project / "pycontainer.lock").read_text(encoding="utf-8"))
        debs: list[dict[str, Any]] = lock["system"]["platforms"][f"linux/{self.architecture}"]["packages"]
        return debs

    def _cached(self, deb: Mapping[str, Any]) -> Path:
        return self.pycontainer.cache / "debian" / "blobs" / "sha256" / str(deb["sha256"])


def _cache_name(deb: Mapping[str, Any]) -> str:
    """What apt calls a package's file, a colon in the version escaped."""
    return f"{deb['name']}_{deb['version'].replace(':', '%3a')}_{deb['architecture']}.deb"


def part_of(
    theirs: Mapping[str, Entry], apt: Chroot, *, packages: Collection[str], ours: Collection[str]
) -> dict[str, Entry]:
    """What of a tree belongs to some packages, by dpkg's lists of files, or to none at all, or is in our image, too."""
    owners: dict[str, set[str]] = {}
    for file in (apt.path / "var/lib/dpkg/info").glob("*.list"):
        package = file.stem.partition(":")[0]
        for line in file.read_text(encoding="utf-8").splitlines():
            owners.setdefault(_MERGED.sub(r"usr/\1/", line.strip("/")), set()).add(package)
    known = set(packages)
    return {path: entry for path, entry in theirs.items() if path not in owners or owners[path] & known or path in ours}
