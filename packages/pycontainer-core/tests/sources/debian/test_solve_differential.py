"""Our answers against those of the real `apt-get`, on the real archive: names and versions of all that would come.

apt gets a root of its own, with this machine's addresses of the archive. It is asked for the files that it would fetch.
For every answer it looks at every package, which of the whole archive takes 0.35 s of one processor: it gets those that
dependencies can lead to, in every version, about one in sixteen, and gives the same answers in 0.04 s. We have all.

In three things we differ on purpose: apt would remove packages where we refuse; it upgrades all packages of a source
together (an option turns that off here) where we upgrade those that dependencies ask for; and a name such as `awk` that
several packages provide satisfies us where one of them is installed.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path

import pytest

from pycontainer.errors import PackageError
from pycontainer.sources.debian.control import read_paragraphs
from pycontainer.sources.debian.index import PackageIndex
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.solve import solve
from pycontainer.sources.debian.version import version_key

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(shutil.which("apt-get") is None, reason="no apt on this host"),
]

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
POPULAR = [
    line.split()
    for line in Path(__file__).with_name("requests.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
]
_NAME = re.compile(r"^Package: (.+)", re.MULTILINE)
_NEEDS = re.compile(r"^(?:Pre-)?Depends: (.+)", re.MULTILINE)
_PROVIDES = re.compile(r"^Provides: (.+)", re.MULTILINE)
_WORD = re.compile(r"[a-z0-9][a-z0-9+.-]+")
# `'https://…/tar_1.34%2bdfsg-1.2_amd64.deb' tar_1.34+dfsg-1.2_amd64.deb 815820 MD5Sum:…`; epochs end with `%3a`.
_FETCHED = re.compile(r"^'\S+' ([^\s_]+)_([^\s_]+)_[^\s_]+\.deb ", re.MULTILINE)
_REMOVES = re.compile(r", [1-9]\d* to remove ")


@dataclass(frozen=True)
class Answer:
    """What would come, by name and version; none where the request is refused."""

    come: dict[str, str] | None
    words: str = field(compare=False)


@dataclass
class AptRoot:
    """A root of apt for amd64, with the indexes of one suite; in folders of it, systems and what apt knows for each."""

    path: Path
    suite: str

    def __post_init__(self) -> None:
        for folder in ("etc/apt", "var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg"):
            (self.path / folder).mkdir(parents=True)
        (self.path / "etc/apt/sources.list").write_text(_sources(self.suite))
        proxies = "".join(line for line in _host("apt-config", "dump").splitlines(keepends=True) if "Proxy" in line)
        (self.path / "apt.conf").write_text(
            f'{proxies}Dir "{self.path}"; Dir::Etc::parts "/dev/null"; APT::Sandbox::User "root";\n'
            'Dir::Cache::srcpkgcache "";\n'
            'APT::Architecture "amd64"; APT::Architectures { "amd64"; }; Acquire::Languages "none";\n'
            'Acquire::GzipIndexes "false"; Debug::NoLocking "true"; APT::Install-Recommends "false";\n'
            'APT::Get::Upgrade-By-Source-Package "false";\n'
        )
        self.write_status("empty", "")
        self.apt("apt-get", "update", "-qq", "-o", "APT::Update::Error-Mode=any")

    def apt(self, *command: str) -> str:
        process = self._run(*command)
        assert process.returncode == 0, process.stderr
        return process.stdout

    def _run(self, *command: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "APT_CONFIG": str(self.path / "apt.conf"), "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)

    def write_status(self, system: str, text: str) -> None:
        (self.path / system).mkdir(exist_ok=True)
        (self.path / system / "status").write_text(text)

    @cached_property
    def files(self) -> list[Path]:
        """The `Packages` files."""
        found = self.apt("apt-get", "indextargets", "--format", "$(FILENAME)", "Created-By: Packages").split()
        assert len(found) == 3
        return list(map(Path, found))

    @cached_property
    def index(self) -> PackageIndex:
        return PackageIndex.of(self.files, sources=["main", "updates", "security"])

    @cached_property
    def stanzas(self) -> dict[Path, list[str]]:
        return {file: file.read_text().split("\n\n") for file in self.files}

    @cached_property
    def leads_to(self) -> dict[str, set[str]]:
        """By name, the words in what any version of it depends on, and the names of those that provide it."""
        found = defaultdict(set)
        for stanza in chain.from_iterable(self.stanzas.values()):
            name = _name(stanza)
            for needs in _NEEDS.findall(stanza):
                found[name].update(_WORD.findall(needs))
            for provided in _PROVIDES.findall(stanza):
                for word in _WORD.findall(provided):
                    found[word].add(name)
        return found

    def offer(self, names: Iterable[str], system: str) -> None:
        """Let apt know what these names may lead to, and nothing else."""
        known: set[str] = set()
        new = set(names)
        while new:
            known |= new
            new = set().union(*(self.leads_to.get(name, ()) for name in new)) - known
        lists = self.path / system / "lists"
        shutil.copytree(self.files[0].parent, lists, ignore=shutil.ignore_patterns("*_Packages"), dirs_exist_ok=True)
        for file, stanzas in self.stanzas.items():
            chosen = (stanza for stanza in stanzas if _name(stanza) in known)
            (lists / file.name).write_text("\n\n".join(chosen) + "\n")

    def installed(self, system: str) -> list[BinaryPackage]:
        with (self.path / system / "status").open("rb") as stream:
            return list(map(BinaryPackage.of, read_paragraphs(stream)))

    def answer(self, request: list[str], system: str) -> Answer:
        """What apt says. It removes packages where we refuse: then it counts as a refusal."""
        places = {"State::status": "status", "State::lists": "lists", "Cache::pkgcache": "cache.bin"}
        known = [f"-oDir::{item}={self.path}/{system}/{name}" for item, name in places.items()]
        process = self._run("apt-get", "--print-uris", "-y", "install", "--no-install-recommends", *request, *known)
        refused = process.returncode or _REMOVES.search(process.stdout)
        come = {name: version.replace("%3a", ":") for name, version in _FETCHED.findall(process.stdout)}
        return Answer(None if refused else come, process.stdout + process.stderr)

    def ours(self, request: list[str], system: str) -> Answer:
        installed = self.installed(system)
        permitted = {package.name for package in installed}
        try:
            solution = solve(request, self.index, installed, architecture="amd64", allow_upgrades=permitted)
        except PackageError as error:
            return Answer(None, str(error))
        come = [*solution.added, *(new for _, new in solution.upgraded)]
        return Answer({package.name: package.version for package in come}, "")

    def make_system(self, system: str, wishes: list[str], *, newest: bool) -> None:
        """The status file of what apt would install, in the newest or the oldest versions of the archive."""
        self.offer(wishes, "empty")
        answer = self.answer(wishes, "empty")
        assert answer.come, answer.words
        chosen = [
            f"{name}={version if newest else self.index.versions(name)[-1].version}"
            for name, version in answer.come.items()
        ]
        stanzas = self.apt("apt-cache", "show", "--no-all-versions", *chosen)
        self.write_status(system, stanzas.replace("Package: ", "Status: install ok installed\nPackage: "))
        assert len(self.installed(system)) == len(chosen)

    def differences(self, requests: list[list[str]], system: str) -> list[str]:
        """The requests to which apt and we give other answers, and what they are."""
        installed = (package.name for package in self.installed(system))
        self.offer(chain(installed, *requests), system)
        self.answer(["bash"], system)  # makes the cache, before two of them do at once
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            answers = list(pool.map(lambda request: self.answer(request, system), requests))
        found = []
        for request, theirs in zip(requests, answers, strict=True):
            ours = self.ours(request, system)
            if ours != theirs:
                items = [set((answer.come or {}).items()) for answer in (theirs, ours)]
                found.append(f"{request}: apt {items[0] - items[1]}, ours {items[1] - items[0]} {ours.words}")
        return found


def _name(stanza: str) -> str:
    named = _NAME.match(stanza)
    return named[1] if named else ""


def _host(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _sources(suite: str) -> str:
    """The suite, its updates and its security updates, at the addresses that this machine's apt uses."""
    entry = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    entries = [line.split() for line in _host("apt-get", "indextargets", "--format", entry).splitlines()]
    main = {uri for uri, release, component in entries if component == "main" and release in {"bookworm", "trixie"}}
    security = {uri for uri, release, component in entries if component == "main" and release.endswith("-security")}
    if not main or not security or not Path(KEYRING).exists():
        pytest.skip("the apt of this host has no Debian archive")
    addresses = [(min(main), suite), (min(main), f"{suite}-updates"), (min(security), f"{suite}-security")]
    return "".join(f"deb [signed-by={KEYRING}] {uri} {name} main\n" for uri, name in addresses)


@pytest.fixture(scope="module", params=["bookworm", "trixie"])
def root(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AptRoot:
    return AptRoot(tmp_path_factory.mktemp("apt"), request.param)


def sample(root: AptRoot, count: int) -> list[list[str]]:
    """Requests of one to three packages, the same ones as long as the archive is the same."""
    rng = random.Random(count)  # noqa: S311 - not a secret
    names = sorted(root.index.names())
    return [rng.sample(names, rng.choice([1, 1, 2, 3])) for _ in range(count)]


def base(root: AptRoot) -> list[str]:
    return [*root.index.essential(), "apt", "ca-certificates", "libstdc++6"]


def test_requests_on_a_small_system_get_apts_answers(root: AptRoot) -> None:
    root.make_system("base", base(root), newest=True)
    half = POPULAR[::2] if root.suite == "bookworm" else POPULAR[1::2]
    assert root.differences([*half, *sample(root, 9)], "base") == []


def test_requests_on_an_empty_system_get_apts_answers(root: AptRoot) -> None:
    half = POPULAR[1::2] if root.suite == "bookworm" else POPULAR[::2]
    assert root.differences(half, "empty") == []


def test_requests_on_an_outdated_system_upgrade_what_apt_upgrades(root: AptRoot) -> None:
    root.make_system("old", [*base(root), "curl", "git", "libpq5", "python3"], newest=False)
    assert root.differences([*POPULAR[:4], *sample(root, 8)], "old") == []


def test_dpkg_orders_the_versions_of_the_archive_alike(root: AptRoot) -> None:
    rng = random.Random(3)  # noqa: S311 - not a secret
    names = rng.sample(sorted(root.index.names()), 600)
    versions = [root.index.versions(name)[0].version for name in names]
    lines = []
    for one, other in zip(versions[::2], versions[1::2], strict=True):
        key, wanted = version_key(one), version_key(other)
        relation = "lt" if key < wanted else "gt" if key > wanted else "eq"
        lines.append(f"dpkg --compare-versions '{one}' {relation} '{other}' || echo '{one} {relation} {other}'\n")
    answer = subprocess.run(["sh"], input="".join(lines), capture_output=True, text=True, check=True)
    assert (len(lines), answer.stdout) == (300, "")
