"""Wheels to layers, against the least that any tool would have to do, and against `tar | gzip -6`.

    python benchmarks/layers.py FOLDER_OF_WHEELS [--pull] [--rounds 3]

For each wheel, in one run, so that the figures are ratios that hold elsewhere:

size    the layer's bytes by those of `gzip -6` on the same files as a tar
wall    time to write the layer, checked and hashed, by the floor
cpu     processor time of all threads to do so, by the floor
pull    with --pull: `unpigz` on the layer by `unpigz` on the single gzip stream

The floor, in one thread: inflate every member once, with isal where it is installed, and hash tar and blob.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import mmap
import shutil
import struct
import subprocess
import tempfile
import time
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pycontainer.blobs.compression import inflater
from pycontainer.layers.entries import Kind
from pycontainer.layers.member import DeflatedMember
from pycontainer.layers.tar import END, header, padding
from pycontainer.layers.writer import LayerWriter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pycontainer.blobs.hashing import BytesLike

PREFIX = "app/.venv/lib/python3.12/site-packages"
_LOCAL_HEADER = 30
_SLICE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class Row:
    """The figures of one wheel. Sizes are in bytes, times in seconds."""

    name: str
    files: int
    tar: int
    blob: int
    gzip: int
    floor: float
    wall: float
    cpu: float
    pull: float | None


class Nowhere:
    """A sink that keeps nothing: disks differ more than layers do."""

    def write(self, data: BytesLike, /) -> None:
        """Forget."""


@contextmanager
def opened(wheel: Path) -> Iterator[list[tuple[str, DeflatedMember]]]:
    """The files of a wheel, for as long as the context; see `members`."""
    with wheel.open("rb") as file:
        yield members(wheel, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def members(wheel: Path, memory: mmap.mmap) -> list[tuple[str, DeflatedMember]]:
    """The files of a wheel: path in the layer, and the member as it lies there."""
    view = memoryview(memory)
    found = []
    with zipfile.ZipFile(wheel) as archive:
        for info in archive.infolist():
            if not info.is_dir():
                name, extra = struct.unpack_from("<HH", view, info.header_offset + 26)
                start = info.header_offset + _LOCAL_HEADER + name + extra
                data = view[start : start + info.compress_size]
                member = DeflatedMember(data=data, method=info.compress_type, size=info.file_size, crc32=info.CRC)
                found.append((f"{PREFIX}/{info.filename}", member))
    return found


def write_layer(files: list[tuple[str, DeflatedMember]], sink: object) -> int:
    """Write the layer of a wheel; its size in bytes."""
    with LayerWriter(sink) as writer:  # type: ignore[arg-type]  # anything with `write`
        known = set()
        for path, member in files:
            folder = path.rpartition("/")[0]
            while folder not in known and folder:
                known.add(folder)
                writer.directory(folder)
                folder = folder.rpartition("/")[0]
            writer.deflated(path, member)
        return writer.finish()[0].size


def floor(files: list[tuple[str, DeflatedMember]]) -> None:
    """Inflate once, hash both sides."""
    tar, blob = hashlib.sha256(usedforsecurity=False), hashlib.sha256(usedforsecurity=False)
    for _, member in files:
        blob.update(member.data)
        if member.method:
            stream, view = inflater(-15), memoryview(member.data)
            for start in range(0, len(view), _SLICE):
                tar.update(stream.decompress(view[start : start + _SLICE]))
        else:
            tar.update(member.data)


def tarball(files: list[tuple[str, DeflatedMember]]) -> Iterator[bytes]:
    """The same files as a plain tar, in the order of the wheel."""
    seen = set()
    for path, member in files:
        for folder in reversed(Path(path).parents[:-1]):
            if folder not in seen:
                seen.add(folder)
                yield header(folder.as_posix(), Kind.DIRECTORY, mode=0o755)
        yield header(path, Kind.FILE, size=member.size)
        yield b"".join(bytes(piece) for piece in member.chunks(path))
        yield bytes(padding(member.size))
    yield END


def gzip_6(files: list[tuple[str, DeflatedMember]], out: Path) -> tuple[int, int]:
    """Write `tar | gzip -6`; the sizes of the tar and of the file."""
    packer, size = zlib.compressobj(6, zlib.DEFLATED, 31), 0
    with out.open("wb") as file:
        for piece in tarball(files):
            size += len(piece)
            file.write(packer.compress(piece))
        file.write(packer.flush())
    return size, out.stat().st_size


def processor_time(work: Callable[[], object]) -> float:
    """Seconds of processor time, of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


def best(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Wall and processor time of the best of some rounds."""
    wall = cpu = math.inf
    for _ in range(rounds):
        wall_start, cpu_start = time.perf_counter(), time.process_time()
        work()
        wall = min(wall, time.perf_counter() - wall_start)
        cpu = min(cpu, time.process_time() - cpu_start)
    return wall, cpu


def unpigz(path: Path) -> None:
    """Unpack with several threads, as Docker and containerd do where pigz is installed."""
    subprocess.run(["unpigz", "-c", path], stdout=subprocess.DEVNULL, check=True)


def measure(wheel: Path, *, rounds: int, pull: bool, folder: Path) -> Row:
    """All figures of one wheel."""
    with opened(wheel) as files:
        return _measure(wheel, files, rounds=rounds, pull=pull, folder=folder)


def _measure(wheel: Path, files: list[tuple[str, DeflatedMember]], *, rounds: int, pull: bool, folder: Path) -> Row:
    single, layer = folder / "single.gz", folder / "layer.gz"
    tar, packed = gzip_6(files, single)
    with layer.open("wb") as out:
        blob = write_layer(files, out)
    _, floor_time = best(lambda: floor(files), rounds)
    wall, cpu = best(lambda: write_layer(files, Nowhere()), rounds)
    ratio = None
    if pull:
        # In turn, so that a busy machine is busy for both.
        times = [(best(lambda: unpigz(layer), 1)[0], best(lambda: unpigz(single), 1)[0]) for _ in range(3 * rounds)]
        ratio = min(time for time, _ in times) / min(time for _, time in times)
    name = "-".join(wheel.name.split("-")[:2])
    return Row(
        name=name, files=len(files), tar=tar, blob=blob, gzip=packed, floor=floor_time, wall=wall, cpu=cpu, pull=ratio
    )


def show(row: Row) -> None:
    """One line of the table."""
    pull = "" if row.pull is None else f"{row.pull:6.2f}"
    print(
        f"{row.name[:36]:36} {row.files:6} {row.tar / 1e6:8.1f} {row.blob / row.gzip:6.3f}"
        f" {row.wall / row.floor:6.2f} {row.cpu / row.floor:6.2f} {pull}",
        flush=True,
    )


def main() -> None:
    """Measure the wheels of a folder, the largest first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pull", action="store_true")
    options = parser.parse_args()
    if options.pull and shutil.which("unpigz") is None:
        parser.error("--pull needs unpigz")
    wheels = sorted(options.folder.glob("*.whl"), key=lambda path: path.stat().st_size, reverse=True)
    if not wheels:
        parser.error(f"no wheels in {options.folder}")
    print(f"{'wheel':36} {'files':>6} {'tar MB':>8} {'size':>6} {'wall':>6} {'cpu':>6} {'pull':>6}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for wheel in wheels:
            rows.append(measure(wheel, rounds=options.rounds, pull=options.pull, folder=Path(folder)))
            show(rows[-1])
    floor_total = sum(row.floor for row in rows)
    print(f"\n{len(rows)} wheels, {sum(row.files for row in rows)} files, {sum(row.tar for row in rows) / 1e6:.0f} MB")
    print(f"size: total {sum(row.blob for row in rows) / sum(row.gzip for row in rows):.3f}, ", end="")
    print(f"worst {max(row.blob / row.gzip for row in rows):.3f}")
    print(f"wall: total {sum(row.wall for row in rows) / floor_total:.2f}", end="")
    print(f", cpu: total {sum(row.cpu for row in rows) / floor_total:.2f}")
    pulls = [row.pull for row in rows if row.pull is not None]
    if pulls:
        print(f"pull: mean {math.exp(sum(map(math.log, pulls)) / len(pulls)):.2f}, worst {max(pulls):.2f}")


if __name__ == "__main__":
    main()
