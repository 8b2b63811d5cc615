"""Installing a wheel into an environment: where each file goes, and writing it there.

    installation = Installation(wheel, environment)
    installation.paths                       # what it will write, before a byte is read
    installation.write(writer, directories)

The result is what `uv sync --no-editable` or pip leave, without bytecode, and without unpacking anything on this host.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
from typing import TYPE_CHECKING, Any, NamedTuple

from pycontainer.layers.record import BundledPart, PackageContents, ShippedSbom
from pycontainer.sources.libraries.elf import ElfReading
from pycontainer.sources.libraries.linkage import link
from pycontainer.sources.locks.addresses import public_url
from pycontainer.sources.wheels import record
from pycontainer.sources.wheels.bundled import bundled_library, read_sbom
from pycontainer.sources.wheels.defects import WheelDefect, reported, shown
from pycontainer.sources.wheels.entrypoints import check_script_name
from pycontainer.sources.wheels.scripts import PLACEHOLDER, rewritten, wrapper

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from pycontainer.layers.writer import LayerWriter
    from pycontainer.sources.libraries.elf import Elf
    from pycontainer.sources.wheels.environment import Directories, Environment
    from pycontainer.sources.wheels.members import Member
    from pycontainer.sources.wheels.wheel import WheelFile

INSTALLER = b"pycontainer\n"
# Written by whoever installs; what a wheel says there about itself is not believed.
_INSTALLERS_OWN = ("INSTALLER", "REQUESTED", "RECORD", "direct_url.json")
_STARTUP_NAMES = ("sitecustomize", "usercustomize")
_DIST_INFO = ".dist-info"


class Placement(NamedTuple):
    """Where a member goes; the path is relative to the image's root. Scripts are executable, and may change."""

    path: str
    member: Member
    is_script: bool = False


class Claim(NamedTuple):
    """What an installation writes at a path: its hash as far as it is known beforehand, and its size."""

    algorithm: str
    digest: str
    size: int | None


class Installation:
    """One wheel on its way into an environment.

    Args:
        wheel: Checked, and open until the installation is written.
        environment: Where it goes.
        direct_url: Where it came from, if from no index (PEP 610); credentials in it are left out.

    Raises:
        WheelError: A file would leave the environment, take the place of a part of it, or of another file.
    """

    def __init__(
        self, wheel: WheelFile, environment: Environment, *, direct_url: Mapping[str, Any] | None = None
    ) -> None:
        self.wheel = wheel
        self._environment = environment
        self._root = environment.site_packages.strip("/")
        self._dist_info = f"{self._root}/{wheel.identity.dist_info}"
        self._warnings = list(wheel.warnings)
        self._linked: dict[str, Elf] = {}
        self._bundled: list[BundledPart] = []
        self._sboms: list[ShippedSbom] = []
        with reported(wheel.filename):
            self._placements = self._place()
            self._generated = self._generate(direct_url)
            self._check_paths()
        self.startup_files = tuple(sorted(filter(self._runs_at_startup, self._names())))

    @property
    def label(self) -> str:
        """Name and version, for warnings."""
        return f"{self.wheel.name} {self.wheel.identity.version}"

    @property
    def claims(self) -> dict[str, Claim]:
        """What it writes, by path relative to the image's root; of its own metadata only what others could write."""
        rows = self.wheel.listing.rows
        claims = {}
        for path, member, _ in self._placements:
            row = rows.get(member.name)
            claims[path] = Claim(row.algorithm, row.digest, row.size) if row else Claim("", "", member.size)
        for path, (content, _) in self._generated.items():
            claims[path] = Claim("sha256", record.encoded(_sha256(content)), len(content))
        return claims

    def write(self, writer: LayerWriter, directories: Directories, *, skip: Container[str] = ()) -> PackageContents:
        """Write every file, and the RECORD of what was written.

        Args:
            writer: The layer.
            directories: The layer's directories.
            skip: Paths that another wheel writes later; they are checked all the same.

        Raises:
            WheelError: A file is not what the archive or its RECORD says. Nothing of the layer can be used then.
        """
        rows: list[tuple[str, str, int]] = []
        with reported(self.wheel.filename):
            self._write_members(writer, directories, skip, rows)
            for path, (content, mode) in self._generated.items():
                if path not in skip:
                    directories.make(path.rpartition("/")[0])
                    writer.file(path, content, mode=mode)
                rows.append((self._relative(path), record.encoded(_sha256(content)), len(content)))
            mode = self.wheel.archive.files[f"{self.wheel.identity.dist_info}/RECORD"].mode
            name = f"{self._dist_info}/RECORD"
            content = record.write_record(rows, record=self._relative(name))
            directories.make(self._dist_info)
            writer.file(name, content, mode=mode)
        return PackageContents(
            name=self.wheel.name,
            version=self.wheel.identity.version,
            files=len(rows) + 1,
            size=sum(size for _, _, size in rows) + len(content),
            startup_files=self.startup_files,
            license=self.wheel.identity.license,
            libraries=link(self._linked),
            requires=self.wheel.identity.requires,
            bundled=tuple(self._bundled),
            sboms=tuple(self._sboms),
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the wheel; complete only after `write`."""
        return tuple(f"`{self.wheel.filename}`: {warning}" for warning in self._warnings)

    @property
    def _directories(self) -> list[str]:
        """The directories that the wheel has as members, which may be empty."""
        data = self.wheel.identity.data + "/"
        names = (member.name for member in self.wheel.archive.members if member.is_directory)
        return [f"{self._root}/{name.rstrip('/')}" for name in names if not name.startswith(data)]

    def _place(self) -> list[Placement]:
        identity = self.wheel.identity
        data, prefix = identity.data + "/", identity.dist_info + "/"
        own = {prefix + name for name in _INSTALLERS_OWN}
        placements = []
        for name, member in self.wheel.archive.files.items():
            if name.startswith(data):
                placements.append(self._place_data(member, name[len(data) :]))
            elif name not in own:
                placements.append(Placement(f"{self._root}/{name}", member))
        return placements

    def _place_data(self, member: Member, name: str) -> Placement:
        key, _, rest = name.partition("/")
        base = self._environment.scheme(key, name=self.wheel.name)
        if base is None or not rest:
            raise WheelDefect(f"nobody knows where its file `{shown(member.name)}` goes")
        if key == "data" and rest.startswith("lib64/"):
            rest = "lib/" + rest.removeprefix("lib64/")  # the environment's `lib64` is a link
        return Placement(f"{base.strip('/')}/{rest}", member, key == "scripts")

    def _generate(self, direct_url: Mapping[str, Any] | None) -> dict[str, tuple[bytes, int]]:
        """Files that no member has: path → content and mode."""
        commands = {command.name: command for command in self.wheel.commands}
        if self.wheel.name == "pip" and "pip3" in commands:
            # Its wheel fits any Python, so that it cannot list the command that names one; every installer adds it.
            commands.setdefault(f"pip{self._environment.python.feature}", commands["pip3"])
        generated = {
            f"{self._environment.bin.strip('/')}/{name}": (
                wrapper(command, self._environment.executable),
                0o755,
            )
            for name, command in commands.items()
        }
        generated[f"{self._dist_info}/INSTALLER"] = (INSTALLER, 0o644)
        if direct_url is not None:
            generated[f"{self._dist_info}/direct_url.json"] = (_direct_url(direct_url), 0o644)
        return generated

    def _names(self) -> list[str]:
        return [*(placement.path for placement in self._placements), *self._generated]

    def _check_paths(self) -> None:
        names = self._names()
        if len(set(names)) != len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise WheelDefect(f"two of its files go to `/{shown(twice)}`")
        packages, commands = self._root + "/", self._environment.bin.strip("/") + "/"
        tops = {name[len(packages) :].partition("/")[0] for name in names if name.startswith(packages)}
        strange = [top for top in tops if top.lower().endswith(_DIST_INFO) and top != self.wheel.identity.dist_info]
        if strange:
            raise WheelDefect(f"it would write the metadata of another package: `{shown(min(strange))}`")
        for name in names:
            if name.startswith(packages):
                continue
            if name.startswith(commands):
                check_script_name(name[len(commands) :].partition("/")[0])
            elif self._environment.owns(name):
                raise WheelDefect(f"its file for `/{shown(name)}` would replace a part of the environment")

    def _write_members(
        self, writer: LayerWriter, directories: Directories, skip: Container[str], rows: list[tuple[str, str, int]]
    ) -> None:
        archive, listed = self.wheel.archive, self.wheel.listing.rows
        for path in self._directories:
            directories.make(path)
        for path, member, is_script in self._placements:
            directories.make(path.rpartition("/")[0])
            if path in skip or (is_script and archive.starts_with(member, PLACEHOLDER)):
                digest, size = self._write_changed(writer, path, member, skip=path in skip)
                encoded = record.encoded(digest)
            else:
                mode = 0o755 if is_script else member.mode
                reading = ElfReading() if mode & 0o111 or ".so" in path else None
                watch = reading.feed if reading else None
                inflated = writer.deflated(path, archive.content(member), mode=mode, watch=watch)
                digest, size = inflated.sha256, inflated.size
                encoded = record.encoded(digest)
                if listed.get(member.name) != ("sha256", encoded, size):
                    self._check(member, digest)
                if reading is not None:
                    self._note_libraries(path, member, reading, digest)
                if member.name.startswith(f"{self.wheel.identity.dist_info}/sboms/"):
                    self._note_sbom(path, member, digest)
            rows.append((self._relative(path), encoded, size))
            archive.used(member)
        for name in (f"{self.wheel.identity.dist_info}/{own}" for own in _INSTALLERS_OWN):
            if name in listed and name in archive.files:
                self._check(archive.files[name], _sha256(archive.read(name)))

    def _note_sbom(self, path: str, member: Member, sha256: bytes) -> None:
        self._sboms.append(ShippedSbom(path=path, sha256=sha256.hex()))
        self._bundled += read_sbom(lambda: self.wheel.archive.read(member.name), member.size, owner=self.wheel.name)

    def _note_libraries(self, path: str, member: Member, reading: ElfReading, sha256: bytes) -> None:
        elf = reading.finish(lambda: self.wheel.archive.content(member).chunks(path))
        if elf is not None:
            self._linked[self._relative(path)] = elf
            if (part := bundled_library(member.name, sha256.hex())) is not None:
                self._bundled.append(part)

    def _write_changed(self, writer: LayerWriter, path: str, member: Member, *, skip: bool) -> tuple[bytes, int]:
        """A script whose first line changes, or a file that is checked alone."""
        if skip:
            hashing = hashlib.sha256(usedforsecurity=False)
            for chunk in self.wheel.archive.content(member).chunks(path):
                hashing.update(chunk)
            self._check(member, hashing.digest())
            return hashing.digest(), member.size
        content = self.wheel.archive.read(member.name)
        self._check(member, _sha256(content))
        content = rewritten(content, self._environment.executable)
        writer.file(path, content, mode=0o755)
        return _sha256(content), len(content)

    def _check(self, member: Member, sha256: bytes) -> None:
        row = self.wheel.listing.rows.get(member.name)
        if row is None:
            return  # known as a deviation since the RECORD was read
        chunks = self.wheel.archive.content(member).chunks(member.name)
        found = record.mismatch(row, member.name, sha256=sha256, size=member.size, chunks=chunks)
        if found is not None:
            self._warnings += self.wheel.judged([found])

    def _runs_at_startup(self, path: str) -> bool:
        """Whether the interpreter reads a file each time it starts (*site*)."""
        if not path.endswith(".pth") and "customize" not in path:
            return False
        top, slash, rest = self._relative(path).partition("/")
        if slash:
            return top in _STARTUP_NAMES and rest.startswith("__init__.")
        return top.endswith(".pth") or top.partition(".")[0] in _STARTUP_NAMES

    def _relative(self, path: str) -> str:
        """A path as RECORD has it: relative to site-packages."""
        if path.startswith(self._root + "/"):
            return path[len(self._root) + 1 :]
        return posixpath.relpath(path, self._root)


def _sha256(content: bytes) -> bytes:
    return hashlib.sha256(content, usedforsecurity=False).digest()


def _direct_url(direct_url: Mapping[str, Any]) -> bytes:
    """`direct_url.json` (PEP 610), without the credentials that a URL may have."""
    clean = {**direct_url, "url": public_url(str(direct_url.get("url", "")))}
    return json.dumps(clean, sort_keys=True, separators=(",", ":")).encode()
