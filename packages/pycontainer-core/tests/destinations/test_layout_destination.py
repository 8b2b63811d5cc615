"""A layout on disk is the old image or the new one, whole, whatever happens, and touches nothing that is not ours."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.blobs.lock import exclusive
from pycontainer.blobs.store import BlobStore
from pycontainer.destinations.layout import LayoutDestination
from pycontainer.errors import IntegrityError, StoreError
from pycontainer.image import Image, ImageIndex
from pycontainer.oci import Digest, Index, Platform, Reference
from pycontainer.testing.images import File, forge_image, forge_layer
from pycontainer.transports.oci_layout import OCILayout, blob_name, image_blobs
from pycontainer.value import replace

LATEST = [Reference.parse("myapp:latest")]
SHARED = forge_layer([File("base", b"base" * 5000)])
posix = pytest.mark.skipif(os.name != "posix", reason="symbolic links and FIFOs are POSIX's")


def image(text: str, *, platform: Platform | None = None) -> Image:
    layers = [SHARED, forge_layer([File("app", text.encode())])]
    return forge_image(layers, platform=platform or Platform("linux", "amd64"), environment={"TEXT": text})


OLD, NEW = image("old"), image("new")


def check(path: Path, *expected: Image | ImageIndex) -> Image | ImageIndex:
    """The layout holds one of the images, and nothing else."""
    layout = OCILayout.at(path)
    found = layout.find()
    [whole] = [wanted for wanted in expected if wanted.digest == found.digest]
    for blob in image_blobs(whole):
        with layout.blob(blob.descriptor).open() as stream:
            while stream.read(1 << 20):
                pass
    return whole


def blobs_in(path: Path) -> set[str]:
    return {entry.name for entry in (path / "blobs" / "sha256").iterdir()}


def blobs_of(*images: Image | ImageIndex) -> set[str]:
    return {blob.descriptor.digest.hex for one in images for blob in image_blobs(one)}


def test_the_layout_is_the_promised_one(tmp_path: Path) -> None:
    path = tmp_path / "dist" / "image"
    written = LayoutDestination(path, LATEST).write(NEW)
    files = {str(found.relative_to(path)) for found in path.rglob("*") if found.is_file()}
    assert files == {
        "oci-layout",
        "index.json",
        "refs/tags/latest",
        *(f"blobs/sha256/{hex_}" for hex_ in blobs_of(NEW)),
    }
    assert (path / "refs/tags/latest").read_text() == f"{NEW.digest}\n"
    assert json.loads((path / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    assert written.digest == NEW.digest
    assert written.reference == f"oci:{path}@{NEW.digest}"
    assert written.moved == written.total == sum(blob.descriptor.size for blob in image_blobs(NEW))
    assert list((tmp_path / "dist").iterdir()) == [path]


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    LayoutDestination(tmp_path).write(NEW)
    check(tmp_path, NEW)


def test_an_index_is_one_entry_with_its_own_digest(tmp_path: Path) -> None:
    index = ImageIndex(images=(NEW, image("new", platform=Platform("linux", "arm64"))))
    LayoutDestination(tmp_path / "image", LATEST).write(index)
    check(tmp_path / "image", index)


def test_two_tags_are_two_names_of_one_image(tmp_path: Path) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, [*LATEST, Reference.parse("myapp:1.0")]).write(NEW)
    layout = OCILayout.at(path)
    assert layout.find("latest").digest == layout.find("1.0").digest == layout.find().digest
    assert sorted(entry.name for entry in (path / "refs/tags").iterdir()) == ["1.0", "latest"]


def test_a_new_build_replaces_the_old_and_moves_only_what_is_new(tmp_path: Path) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, [Reference.parse("myapp:1")]).write(OLD)
    kept = (path / blob_name(SHARED.descriptor.digest)).stat()
    written = LayoutDestination(path, LATEST).write(NEW)
    assert written.moved == written.total - SHARED.descriptor.size
    again = (path / blob_name(SHARED.descriptor.digest)).stat()
    assert (again.st_ino, again.st_mtime_ns) == (kept.st_ino, kept.st_mtime_ns)
    assert blobs_in(path) == blobs_of(NEW)
    assert [entry.name for entry in (path / "refs/tags").iterdir()] == ["latest"]


def test_the_same_build_again_moves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, LATEST).write(NEW)
    before = (path / "index.json").read_bytes()
    assert LayoutDestination(path, LATEST).write(NEW).moved == 0
    assert (path / "index.json").read_bytes() == before


def test_blobs_of_the_store_are_linked_not_copied(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "store")
    with SHARED.open() as stream:
        store.add(stream)
    layer = replace(SHARED, blob=store.blob(SHARED.descriptor))
    written = LayoutDestination(tmp_path / "image").write(forge_image([layer]))
    assert written.moved == written.total - SHARED.descriptor.size
    assert (tmp_path / "image" / blob_name(SHARED.descriptor.digest)).samefile(store.path(SHARED.descriptor.digest))


def test_where_nothing_can_be_linked_it_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "another disk")

    store = BlobStore(tmp_path / "store")
    with SHARED.open() as stream:
        store.add(stream)
    monkeypatch.setattr(os, "link", refuse)
    layer = replace(SHARED, blob=store.blob(SHARED.descriptor))
    written = LayoutDestination(tmp_path / "image").write(forge_image([layer]))
    assert written.moved == written.total


def test_a_damaged_blob_of_the_store_never_reaches_a_layout(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "store")
    with SHARED.open() as stream:
        store.add(stream)
    path = store.path(SHARED.descriptor.digest)
    path.write_bytes(b"x" * SHARED.descriptor.size)
    layer = replace(SHARED, blob=store.blob(SHARED.descriptor))
    with pytest.raises(IntegrityError):
        LayoutDestination(tmp_path / "image").write(forge_image([layer]))
    assert not (tmp_path / "image").exists()


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()])
def test_a_damaged_blob_of_an_old_layout_is_written_again(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, LATEST).write(NEW)
    damage(path / blob_name(SHARED.descriptor.digest))
    LayoutDestination(path, LATEST).write(NEW)
    check(path, NEW)


@posix
def test_a_link_in_place_of_a_blob_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, LATEST).write(NEW)
    (tmp_path / "precious").write_bytes(b"precious")
    blob = path / blob_name(SHARED.descriptor.digest)
    blob.unlink()
    blob.symlink_to(tmp_path / "precious")
    LayoutDestination(path, LATEST).write(NEW)
    check(path, NEW)
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_a_directory_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(StoreError, match="cannot be replaced by an image") as caught:
        LayoutDestination(tmp_path).write(NEW)
    assert caught.value.facts == ("it is a directory with other files in it",)
    assert [entry.name for entry in tmp_path.iterdir()] == ["notes.txt"]


def test_a_layout_that_something_else_wrote_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, LATEST).write(OLD)
    (path / "index.json").write_bytes(Index(manifests=(OLD.descriptor,)).to_bytes())
    with pytest.raises(StoreError, match="cannot be replaced") as caught:
        LayoutDestination(path, LATEST).write(NEW)
    assert str(OLD.digest) in caught.value.facts[0]
    check(path, OLD)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b'{"manifests":[1]}'])
def test_a_layout_with_an_unreadable_index_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, LATEST).write(OLD)
    (path / "index.json").write_bytes(content)
    with pytest.raises(StoreError, match="cannot be replaced"):
        LayoutDestination(path, LATEST).write(NEW)
    assert (path / "index.json").read_bytes() == content


def test_a_layout_of_ours_is_removed_whole(tmp_path: Path) -> None:
    LayoutDestination(tmp_path / "image", LATEST).write(OLD)

    LayoutDestination(tmp_path / "image").remove()

    assert list(tmp_path.iterdir()) == []


def test_what_is_not_of_a_layout_is_not_removed_with_it(tmp_path: Path) -> None:
    LayoutDestination(tmp_path / "image", LATEST).write(OLD)
    (tmp_path / "image" / "notes.txt").write_text("mine")

    LayoutDestination(tmp_path / "image").remove()

    assert [path.name for path in (tmp_path / "image").iterdir()] == ["notes.txt"]


def test_a_layout_of_something_else_is_not_removed(tmp_path: Path) -> None:
    LayoutDestination(tmp_path / "image", LATEST).write(OLD)
    index = tmp_path / "image" / "index.json"
    index.write_text(index.read_text().replace("io.pycontainer.output", "io.example.output"))

    with pytest.raises(StoreError, match="cannot be replaced"):
        LayoutDestination(tmp_path / "image").remove()
    check(tmp_path / "image", OLD)


def test_a_file_at_the_path_is_refused(tmp_path: Path) -> None:
    (tmp_path / "image").write_text("mine")
    with pytest.raises(StoreError, match="cannot be replaced"):
        LayoutDestination(tmp_path / "image").write(NEW)
    assert (tmp_path / "image").read_text() == "mine"


@posix
@pytest.mark.parametrize("leads_to", ["empty", "layout", "nothing"])
def test_a_symbolic_link_at_the_path_is_refused(tmp_path: Path, leads_to: str) -> None:
    (tmp_path / "empty").mkdir()
    LayoutDestination(tmp_path / "layout").write(OLD)
    (tmp_path / "image").symlink_to(tmp_path / leads_to)
    with pytest.raises(StoreError, match="cannot be replaced") as caught:
        LayoutDestination(tmp_path / "image").write(NEW)
    assert caught.value.facts == ("it is a symbolic link",)
    assert not list((tmp_path / "empty").iterdir())
    check(tmp_path / "layout", OLD)


@posix
def test_a_fifo_at_the_path_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "image")
    with pytest.raises(StoreError, match="cannot be replaced"):
        LayoutDestination(tmp_path / "image").write(NEW)


@posix
@pytest.mark.parametrize("name", ["blobs", "refs", "refs/tags", "blobs/sha256"])
def test_a_link_inside_an_old_layout_is_not_followed(tmp_path: Path, name: str) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, LATEST).write(OLD)
    (path / name).rename(tmp_path / "elsewhere")
    (path / name).symlink_to(tmp_path / "elsewhere")
    before = sorted(entry.name for entry in (tmp_path / "elsewhere").rglob("*"))
    with pytest.raises(StoreError, match="cannot be replaced"):
        LayoutDestination(path, LATEST).write(NEW)
    assert sorted(entry.name for entry in (tmp_path / "elsewhere").rglob("*")) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="Cannot write"):
        LayoutDestination(tmp_path / "image").write(NEW)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("")
    with pytest.raises(StoreError):
        LayoutDestination(tmp_path / "dist" / "image").write(NEW)


class Unreadable:
    descriptor = BytesBlob.of(b"never", "application/octet-stream").descriptor

    def open(self) -> io.BytesIO:
        raise OSError(errno.EIO, "Input/output error")


def test_a_failure_leaves_no_new_layout_and_the_old_one_as_it_was(tmp_path: Path) -> None:
    broken = forge_image([replace(SHARED, blob=Unreadable())])
    with pytest.raises(StoreError, match="Cannot write"):
        LayoutDestination(tmp_path / "image").write(broken)
    assert list(tmp_path.iterdir()) == []
    LayoutDestination(tmp_path / "image", LATEST).write(OLD)
    with pytest.raises(StoreError):
        LayoutDestination(tmp_path / "image", LATEST).write(broken)
    check(tmp_path / "image", OLD)
    assert (tmp_path / "image/refs/tags/latest").read_text() == f"{OLD.digest}\n"


def test_builds_at_once_leave_one_of_them_whole(tmp_path: Path) -> None:
    path = tmp_path / "image"
    images = [image(f"build {number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: LayoutDestination(path, LATEST).write(one), images * 4))
    last = check(path, *images)
    assert blobs_in(path) == blobs_of(last)
    assert (path / "refs/tags/latest").read_text() == f"{last.digest}\n"


def test_an_empty_directory_that_another_build_fills_meanwhile_is_written_like_any_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, look = tmp_path / "image", Path.iterdir
    path.mkdir()

    def fill_and_look(self: Path) -> Iterator[Path]:
        monkeypatch.setattr(Path, "iterdir", look)
        LayoutDestination(path).write(image("other"))
        return look(self)

    monkeypatch.setattr(Path, "iterdir", fill_and_look)
    LayoutDestination(path).write(OLD)
    check(path, OLD)


@pytest.mark.skipif(os.name == "nt", reason="Windows removes nothing that somebody waits for")
def test_a_layout_that_is_removed_while_a_build_waits_for_it_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, new = tmp_path / "image", image("new")
    LayoutDestination(path).write(image("old"))
    waits, removed = threading.Event(), threading.Event()

    def wait(_: float) -> None:
        waits.set()
        assert removed.wait(60)

    monkeypatch.setattr("pycontainer.blobs.lock.time.sleep", wait)

    class Removal(LayoutDestination):
        def _check_ours(self) -> None:
            super()._check_ours()
            other.start()
            assert waits.wait(60)

    other = threading.Thread(target=LayoutDestination(path).write, args=[new])
    Removal(path).remove()
    removed.set()
    other.join()
    check(path, new)


def test_a_lock_that_is_held_too_long_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        exclusive(tmp_path / "file"),
        pytest.raises(StoreError, match="is being written by another build"),
        exclusive(tmp_path / "file", timeout=0.1),
    ):
        pass
    with exclusive(tmp_path / "file", timeout=0.1):
        pass


def test_a_lock_of_a_dead_process_is_free(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    program = textwrap.dedent(
        """
        import sys, time
        from pathlib import Path
        from pycontainer.blobs.lock import exclusive
        with exclusive(Path(sys.argv[1])):
            print("held", flush=True)
            time.sleep(600)
        """
    )
    with subprocess.Popen([sys.executable, "-c", program, tmp_path / "file"], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        timer = threading.Timer(0.2, holder.kill)
        timer.start()
        with exclusive(tmp_path / "file", timeout=60):
            pass
        timer.join()


def test_what_killed_builds_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "image"
    LayoutDestination(path, LATEST).write(OLD)
    (path / "blobs/sha256/.incoming-dead").write_bytes(b"half")
    (path / ".incoming-dead").write_bytes(b"half")
    orphan = Digest.of(b"orphan")
    (path / blob_name(orphan)).write_bytes(b"orphan")
    abandoned = tmp_path / ".incoming-abandoned"
    abandoned.mkdir()
    os.utime(abandoned, (0, 0))
    recent = tmp_path / ".incoming-recent"
    recent.mkdir()
    LayoutDestination(path, LATEST).write(NEW)
    LayoutDestination(tmp_path / "other").write(NEW)
    assert blobs_in(path) == blobs_of(NEW)
    assert not (path / ".incoming-dead").exists()
    assert not abandoned.exists()
    assert recent.exists()


STRACE = shutil.which("strace")
WRITER = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from pycontainer.destinations.layout import LayoutDestination
    from pycontainer.errors import PyContainerError
    from pycontainer.oci import Reference
    from pycontainer.testing.images import File, forge_image, forge_layer
    layers = [forge_layer([File("base", b"base" * 5000)]), forge_layer([File("app", b"new")])]
    image = forge_image(layers, environment={"TEXT": "new"})
    try:
        LayoutDestination(Path(sys.argv[1]), [Reference.parse("myapp:latest")]).write(image)
    except PyContainerError as error:
        sys.exit(7)
    """
)
# strace counts the calls of each thread by itself.
FAULTS = [
    *(("error=ENOSPC", "write", count) for count in (1, 2)),
    *(("error=EIO", "fsync", count) for count in (1, 2, 3, 5)),
    *(("error=EDQUOT", "/^rename", count) for count in (1, 2)),
    *(("signal=KILL", "/^rename", count) for count in (1, 2)),
    *(("signal=KILL", "fsync", count) for count in (2, 3)),
    *(("signal=KILL", "/^unlink", count) for count in (1, 2)),
]


@pytest.mark.skipif(STRACE is None, reason="needs strace")
@pytest.mark.parametrize("exists", [True, False], ids=["update", "create"])
@pytest.mark.parametrize(("fault", "call", "when"), FAULTS)
def test_the_layout_is_whole_after_any_fault(tmp_path: Path, fault: str, call: str, when: int, *, exists: bool) -> None:
    """Real faults of real system calls, and `kill -9` at them."""
    path = tmp_path / "image"
    if exists:
        LayoutDestination(path, LATEST).write(OLD)
    inject = f"inject={call}:{fault}:when={when}{'+' if fault.startswith('error') else ''}"
    command = [STRACE or "", "-f", "-qq", "-e", f"trace={call}", "-e", inject, "-o", f"{tmp_path}/trace"]
    done = subprocess.run(
        [*command, sys.executable, "-B", "-c", WRITER, path],
        env={**os.environ, "PYTHONPATH": ""},
        check=False,
        capture_output=True,
    )
    if done.returncode not in {0, 7, -9, 137}:
        pytest.fail(done.stderr.decode())
    if exists:
        found = check(path, OLD, NEW)
        assert done.returncode or found is NEW
    elif path.exists():
        check(path, NEW)
    else:
        assert done.returncode
    LayoutDestination(path, LATEST).write(NEW)
    check(path, NEW)
    assert blobs_in(path) == blobs_of(NEW)


@pytest.mark.skipif(shutil.which("skopeo") is None, reason="needs skopeo")
@pytest.mark.parametrize("name", ["", ":latest"])
def test_skopeo_reads_it_with_and_without_the_tag(tmp_path: Path, name: str) -> None:
    LayoutDestination(tmp_path / "image", LATEST).write(NEW)
    command = ["skopeo", "copy", "--insecure-policy", "--quiet", f"oci:{tmp_path}/image{name}", f"dir:{tmp_path}/copy"]
    subprocess.run(command, check=True, capture_output=True)
    assert Digest.of((tmp_path / "copy/manifest.json").read_bytes()) == NEW.digest


@pytest.mark.skipif(shutil.which("umoci") is None, reason="needs umoci")
def test_umoci_lists_and_unpacks_it(tmp_path: Path) -> None:
    LayoutDestination(tmp_path / "image", LATEST).write(NEW)
    listed = subprocess.run(["umoci", "ls", "--layout", tmp_path / "image"], check=True, capture_output=True)
    assert listed.stdout == b"latest\n"
    command = ["umoci", "unpack", "--rootless", "--image", f"{tmp_path}/image:latest", f"{tmp_path}/bundle"]
    subprocess.run(command, check=True, capture_output=True)
    assert (tmp_path / "bundle/rootfs/app").read_text() == "new"
