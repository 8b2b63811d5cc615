"""The facts of a base image are found in its config and files, whatever the distribution, and never made up."""

from __future__ import annotations

import gzip
import io
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from pycontainer.blobs.blob import BytesBlob
from pycontainer.blobs.compression import open_decompressed
from pycontainer.errors import BaseImageError, DocumentError, IntegrityError
from pycontainer.image import Image
from pycontainer.layers.entries import Kind
from pycontainer.layers.forms import Compression
from pycontainer.layers.layer import Layer
from pycontainer.layers.tar import read_entries
from pycontainer.layers.writer import LayerWriter
from pycontainer.oci import Digest, media_types
from pycontainer.sources.base.find import find_facts
from pycontainer.sources.target import Libc, PythonVersion
from pycontainer.testing.images import (
    GROUP,
    PASSWD,
    File,
    Forged,
    Gone,
    Link,
    alpine_like,
    debian_like,
    distroless_like,
    elf,
    forge_image,
    forge_layer,
    forge_tar,
    layer_of_tar,
)

GLIBC = "/lib64/ld-linux-x86-64.so.2"


def program(path: str, loader: str = GLIBC) -> File:
    return File(path, elf(loader), 0o755)


def with_files(*entries: Forged, environment: dict[str, str] | None = None) -> Image:
    return forge_image([forge_layer(entries)], environment=environment)


@pytest.mark.parametrize("form", [Compression.ZSTD, Compression.ESTARGZ], ids=lambda form: form.value)
def test_layers_of_any_form_tell_the_same(form: Compression) -> None:
    image = debian_like("3.12.4")
    system, python = image.layers
    mixed = forge_image([in_form(system, form), python], environment=image.config.config.environment)
    facts = find_facts(mixed)
    assert facts == find_facts(image)
    assert facts.python == PythonVersion(3, 12, 4)


def in_form(layer: Layer, form: Compression) -> Layer:
    """The same files, written by ourselves."""
    sink = io.BytesIO()
    with LayerWriter(sink, compression=form) as writer, layer.open() as stream:
        for entry, content in read_entries(open_decompressed(stream)):
            if entry.kind is Kind.SYMLINK:
                writer.symlink(entry.path, entry.target)
            else:
                writer.file(entry.path, content.read(), mode=entry.mode)
        descriptor, diff_id = writer.finish()
    return Layer(blob=BytesBlob(descriptor, sink.getvalue()), diff_id=diff_id, title=layer.title)


def test_debian_with_a_python_of_its_own() -> None:
    facts = find_facts(debian_like("3.12.4"))
    assert facts.python == PythonVersion(3, 12, 4)
    assert facts.interpreter == "/usr/local/bin/python3.12"
    assert facts.libc == Libc("glibc", 2, 36)
    assert facts.shell == "/bin/sh"
    assert (facts.passwd, facts.group) == (PASSWD, GROUP)
    assert facts.os_release == {"ID": "debian", "VERSION_ID": "12"}
    assert not facts.free_threaded


def test_alpine_is_musl_though_it_has_a_glibc_loader() -> None:
    facts = find_facts(alpine_like("3.12.4"))
    assert facts.libc == Libc("musl", 1, 2)
    assert facts.python == PythonVersion(3, 12, 4)
    assert facts.interpreter == "/usr/bin/python3.12"
    assert facts.shell == "/bin/sh"


def test_distroless_has_no_shell_and_its_packages_in_pieces() -> None:
    facts = find_facts(distroless_like("3.11.2"))
    assert facts.python == PythonVersion(3, 11, 2)
    assert facts.interpreter == "/usr/bin/python3.11"
    assert facts.libc == Libc("glibc", 2, 36)
    assert facts.shell is None
    assert facts.user == "65532"


def test_the_first_python_on_the_path_is_taken() -> None:
    pythons: list[Forged] = [
        program("opt/py/bin/python3.13"),
        Link("opt/py/bin/python3", "python3.13"),
        program("usr/bin/python3.11"),
    ]
    assert find_facts(with_files(*pythons, environment={"PATH": "/opt/py/bin:/usr/bin"})).interpreter == (
        "/opt/py/bin/python3.13"
    )
    assert find_facts(with_files(*pythons, environment={"PATH": "/usr/bin:/opt/py/bin"})).interpreter == (
        "/usr/bin/python3.11"
    )


def test_the_newest_of_a_directory_without_python3_is_taken() -> None:
    image = with_files(program("usr/bin/python3.9"), program("usr/bin/python3.13"), program("usr/bin/python3.13t"))
    assert str(find_facts(image).python) == "3.13"


def test_links_between_directories_are_resolved_to_where_python_lives() -> None:
    image = with_files(program("opt/cpython/bin/python3.12"), Link("usr/bin/python3", "/opt/cpython/bin/python3.12"))
    assert find_facts(image).interpreter == "/opt/cpython/bin/python3.12"


def test_a_free_threaded_python_is_told_apart() -> None:
    facts = find_facts(with_files(program("usr/local/bin/python3.13t"), Link("usr/local/bin/python3", "python3.13t")))
    assert facts.free_threaded
    assert facts.python == PythonVersion(3, 13)


def test_a_variable_of_another_python_is_not_believed() -> None:
    image = with_files(program("usr/bin/python3.11"), environment={"PYTHON_VERSION": "3.9.1"})
    assert find_facts(image).python == PythonVersion(3, 11)


def test_a_variable_that_is_no_version_is_not_believed() -> None:
    image = with_files(program("usr/bin/python3.11"), environment={"PYTHON_VERSION": "latest; rm -rf /"})
    assert find_facts(image).python == PythonVersion(3, 11)


def test_the_headers_tell_the_full_version() -> None:
    header = File(
        "opt/p/include/python3.14/patchlevel.h", b'#define PY_MAJOR_VERSION 3\n#define PY_VERSION "3.14.0rc2"\n'
    )
    facts = find_facts(with_files(program("opt/p/bin/python3.14"), header, environment={"PATH": "/opt/p/bin"}))
    assert facts.python == PythonVersion(3, 14, 0, "rc2")


def test_an_interpreter_without_a_version_in_its_name_is_known_by_its_library() -> None:
    image = with_files(program("usr/bin/python3"), File("usr/lib/python3.10/os.py"))
    assert find_facts(image).python == PythonVersion(3, 10)


@pytest.mark.parametrize(
    "entry",
    [
        File("usr/bin/python3", b"#!/usr/bin/env bash\nexec pyenv\n", 0o755),
        File("usr/bin/python3", elf(GLIBC), 0o644),
        Link("usr/bin/python3", "python3.99"),
        Link("usr/bin/python3", "pypy3"),
        Link("usr/bin/python3", "python3"),
    ],
    ids=["script", "not executable", "dangling", "not CPython", "circle"],
)
def test_what_is_no_python_is_not_found(entry: Forged) -> None:
    facts = find_facts(with_files(entry, program("usr/bin/pypy3")))
    assert facts.interpreter is None
    assert facts.python is None


def test_nothing_is_guessed_from_this_host() -> None:
    facts = find_facts(with_files(File("app/main")))
    assert (facts.python, facts.interpreter, facts.libc, facts.shell, facts.passwd) == (None, None, None, None, b"")


def test_a_python_that_an_upper_layer_removed_is_gone() -> None:
    image = debian_like()
    assert find_facts(image.append([forge_layer([Gone("usr/local/bin/python3.12")])])).interpreter is None


def test_the_loader_that_python_asks_for_decides_between_two() -> None:
    both: list[Forged] = [
        File("lib/ld-musl-x86_64.so.1", b"\x001.2.3\x00", 0o755),
        File("lib64/ld-linux-x86-64.so.2", b"", 0o755),
        File("lib/x86_64-linux-gnu/libc-2.31.so", b"GNU C Library (Debian GLIBC 2.31-13) stable release version 2.31."),
        Link("lib/x86_64-linux-gnu/libc.so.6", "libc-2.31.so"),
    ]
    glibc = with_files(*both, program("usr/bin/python3.9"))
    musl = with_files(*both, program("usr/bin/python3.9", "/lib/ld-musl-x86_64.so.1"))
    assert find_facts(glibc).libc == Libc("glibc", 2, 31)
    assert find_facts(musl).libc == Libc("musl", 1, 2)


def test_the_name_of_sysconfigdata_tells_the_libc_where_the_program_is_static() -> None:
    names: list[Forged] = [
        File("usr/bin/python3.12", b"\x7fELF", 0o755),
        File("usr/lib/python3.12/_sysconfigdata__linux_x86_64-linux-musl.py"),
        File("lib/apk/db/installed", b"P:musl\nV:1.2.4_git20230717-r4\n"),
    ]
    assert find_facts(with_files(*names)).libc == Libc("musl", 1, 2)


@pytest.mark.parametrize("path", ["etc/passwd", "etc/group"])
def test_account_files_are_bounded(path: str) -> None:
    with pytest.raises(BaseImageError, match="larger than 1 MiB"):
        find_facts(with_files(File(path, b"x" * ((1 << 20) + 1))))


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("etc/passwd", b"root:x:0:0:root:/root\n"),
        ("etc/passwd", b"root:x:zero:0:root:/root:/bin/sh\n"),
        ("etc/passwd", b"root:x:-1:0:root:/root:/bin/sh\n"),
        ("etc/passwd", b"root:x:0:0:\0:/root:/bin/sh\n"),
        ("etc/passwd", b"root:x:0:0:" + b"r" * 5000 + b":/root:/bin/sh\n"),
        ("etc/group", b"root:x:0\n"),
        ("etc/group", b"\x7fELF\n"),
    ],
)
def test_malformed_account_files_are_refused(path: str, content: bytes) -> None:
    with pytest.raises(BaseImageError, match=rf"`/{path}` of the base image is malformed") as caught:
        find_facts(with_files(File(path, content)))
    assert caught.value.facts == ("line 1",)


def test_comments_and_nis_lines_are_no_fault() -> None:
    content = b"# comment\n+::::::\n\n" + PASSWD
    assert find_facts(with_files(File("etc/passwd", content))).passwd == content


def test_a_layer_that_is_not_its_diff_id_is_refused() -> None:
    layer = forge_layer([File("a")])
    lying = Layer(blob=layer.blob, diff_id=Digest.of(b"another"), title="layer 1 of x")
    with pytest.raises(IntegrityError, match="layer 1 of x is not what the image's config says"):
        find_facts(forge_image([lying]))


def test_bytes_after_the_end_of_the_tar_count_for_the_diff_id() -> None:
    tar = forge_tar([File("a")])
    longer = layer_of_tar(tar + bytes(1024))
    assert find_facts(forge_image([longer])) == find_facts(forge_image([layer_of_tar(tar)]))


def test_a_bomb_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pycontainer.blobs.compression.RATIO_FREE", 1 << 20)
    tar = forge_tar([File("zeros", bytes(8 << 20))])
    with pytest.raises(DocumentError, match="cannot be"):
        find_facts(forge_image([layer_of_tar(tar)]))


@pytest.mark.parametrize("cut", [100, 700, 1500])
def test_a_cut_layer_is_refused(cut: int) -> None:
    with pytest.raises(DocumentError):
        find_facts(forge_image([layer_of_tar(forge_tar([File("a", b"x" * 2000)])[:cut])]))


def test_garbage_behind_gzip_is_refused() -> None:
    tar = forge_tar([File("a")])
    content = gzip.compress(tar) + b"garbage"
    layer = Layer(blob=BytesBlob.of(content, media_types.LAYER_GZIP), diff_id=Digest.of(tar), title="x")
    with pytest.raises(DocumentError):
        find_facts(forge_image([layer]))


def test_mutated_tars_give_facts_or_named_errors() -> None:
    tar = forge_tar([program("usr/bin/python3.12"), File("etc/passwd", PASSWD), Link("bin", "usr/bin")])
    dice = random.Random(20)  # noqa: S311 - the same mutations every time
    for _ in range(300):
        mutated = bytearray(tar)
        for _ in range(dice.randint(1, 4)):
            mutated[dice.randrange(len(mutated) // 2)] = dice.randrange(256)
        try:
            find_facts(forge_image([layer_of_tar(bytes(mutated), compress=False)]))
        except (DocumentError, BaseImageError):
            continue


@pytest.mark.once
@pytest.mark.skipif(shutil.which("dpkg-query") is None, reason="needs a Debian host")
def test_the_files_of_this_debian_tell_what_its_tools_say() -> None:
    """Real files, not forged ones: this host's own Python, C library and package database."""
    python = Path("/usr/bin/python3")
    if not python.exists():
        pytest.skip("Debian's Python is not installed")
    said = subprocess.run(
        [python, "-c", "import platform as p; print(p.python_version(), p.libc_ver()[1])"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    libc = next(Path("/lib").glob("*-linux-gnu/libc.so.6"), Path("/lib64/libc.so.6"))
    entries: list[Forged] = []
    for path in (python, python.resolve(), libc, libc.resolve(), Path("/var/lib/dpkg/status")):
        if path.is_symlink():
            entries.append(Link(str(path)[1:], str(path.readlink())))
        else:
            entries.append(File(str(path)[1:], path.read_bytes(), 0o755))
    facts = find_facts(with_files(*dict.fromkeys(entries)))
    assert [str(facts.python), str(facts.libc)] == [said[0], f"glibc {said[1]}"]
