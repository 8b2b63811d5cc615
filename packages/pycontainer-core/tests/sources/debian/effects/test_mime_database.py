"""The MIME database: the very bytes of `update-mime-database`, and hostile XML that is not believed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.effects.mime.hash_order import in_hash_order
from pycontainer.sources.debian.effects.mime_database import mime_database

PROGRAM = shutil.which("update-mime-database")
SYSTEM = Path("/usr/share/mime/packages")
NAMESPACE = "http://www.freedesktop.org/standards/shared-mime-info"


def mime_info(types: str) -> bytes:
    return f'<?xml version="1.0"?><mime-info xmlns="{NAMESPACE}">{types}</mime-info>'.encode()


# All that the specification has, and what is wrong in ways that programs meet.
SOURCES = {
    "a.xml": mime_info(r"""
      <mime-type type="application/x-alpha">
        <comment>Alpha &amp; "Omega"</comment>
        <comment xml:lang="de">Älfa</comment>
        <comment xml:lang="">nothing</comment>
        <acronym>ALF</acronym><expanded-acronym> A
          L F </expanded-acronym>
        <glob pattern="*.ALF"/><glob pattern="*.alf" weight="80"/><glob pattern="*.C" case-sensitive="true"/>
        <glob pattern="readme.&quot;x&quot;"/><glob pattern="x*[0-9].?f"/><glob pattern="*.tar.älf"> </glob>
        <alias type="application/alpha"/><sub-class-of type="text/plain"/><sub-class-of type="x/y"/>
        <icon name="alpha"/><generic-icon name="text-x-generic"/>
        <root-XML namespaceURI="urn:alpha" localName="alpha"/><root-XML namespaceURI="urn:other" localName=""/>
        <magic priority="80">
          <match type="string" value="\x89AL\n\r\t\0\101\\&lt;" offset="0"><match type="byte" value="0x10" offset="4"/>
            <match type="big16" value="258" mask="0xfff0" offset="5:9"/></match>
          <match type="host32" value="0x01020304" offset="0"/><match type="host16" value="0777" offset="2"/>
          <match type="little32" value="-2" mask="0xffffffff" offset="8:16"/>
          <match type="string" value="abcd" mask="0xff00f" offset="256:300"/>
        </magic>
        <magic><match type="little16" value="1" offset="1"/></magic>
        <treemagic priority="60">
          <treematch path="boot" type="directory" match-case="true" non-empty="true">
            <treematch path="run" executable="true" mimetype="text/plain"/>
          </treematch>
        </treemagic>
        <unknown/>
      </mime-type>
      <mime-type type="Text/Plain"><comment>Plain</comment><glob pattern="*.txt"/></mime-type>
      <mime-type type="text/plain"><comment>plain</comment><glob pattern="*.txt" weight="10"/></mime-type>
    """),
    "b.xml": mime_info("""
      <mime-type type="application/x-alpha"><comment xml:lang="de">Alpha</comment><comment>alpha</comment>
        <glob-deleteall/><magic-deleteall/><icon name="other"/></mime-type>
      <mime-type type="image/x-wrong"><comment>kept</comment><magic><match type="string" offset="0"/></magic>
        <comment>not reached</comment></mime-type>
      <mime-type type="image/x-offset"><magic><match type="byte" value="1" offset="9:2"/></magic><comment/></mime-type>
      <mime-type type="image/x-number"><magic><match type="byte" value="256" offset="0"/></magic><comment/></mime-type>
      <mime-type type="image/x-kind"><magic><match type="float" value="1" offset="0"/></magic><comment/></mime-type>
      <mime-type type="image/x-alias"><alias type="none"/><comment>not reached</comment></mime-type>
      <mime-type type="image/x-root"><root-XML namespaceURI="" localName=""/><comment/></mime-type>
      <mime-type type="image/x-tree"><treemagic><treematch path="x" type="pipe"/></treemagic><comment/></mime-type>
      <mime-type type="image/x-glob"><glob weight="3"/><comment>not reached</comment></mime-type>
      <mime-type type="no-slash"><comment/></mime-type>
      <mime-type><comment/></mime-type>
    """),
    "c.xml": b"<mime-info>no namespace</mime-info>",
    "d.xml": b"<mime-info",
    "notes.txt": b"not read",
    "Override.xml": mime_info('<mime-type type="text/plain"><comment>last</comment></mime-type>'),
    "z.xml": mime_info('<mime-type type="text/plain"><comment>first</comment></mime-type>'),
}  # fmt: skip


def real_database(folder: Path, sources: dict[str, bytes]) -> dict[str, bytes]:
    assert PROGRAM is not None
    packages = folder / "packages"
    packages.mkdir()
    for name, content in sources.items():
        (packages / name).write_bytes(content)
    environment = {"PKGSYSTEM_ENABLE_FSYNC": "0", "PATH": "/usr/bin:/bin"}
    subprocess.run([PROGRAM, folder], check=True, env=environment, capture_output=True)
    files = [path for path in folder.rglob("*") if path.is_file() and packages not in path.parents]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.e2e
@pytest.mark.skipif(PROGRAM is None, reason="shared-mime-info is not installed")
def test_the_files_are_those_of_the_real_program(tmp_path: Path) -> None:
    real = real_database(tmp_path, SOURCES)
    mine = mime_database(SOURCES, version=real["version"].decode().strip())
    assert mine.keys() == real.keys()
    for path, content in real.items():
        assert mine[path] == content, path


@pytest.mark.e2e
@pytest.mark.once
@pytest.mark.skipif(PROGRAM is None or not SYSTEM.is_dir(), reason="shared-mime-info is not installed")
def test_the_types_of_this_machine_are_written_as_the_real_program_writes_them(tmp_path: Path) -> None:
    sources = {path.name: path.read_bytes() for path in SYSTEM.glob("*.xml")}
    real = real_database(tmp_path, sources)
    mine = mime_database(sources, version=real["version"].decode().strip())
    assert {path for path in mine.keys() | real.keys() if mine.get(path) != real.get(path)} == set()
    assert len(real) > 500


def test_what_is_said_later_adds_or_replaces() -> None:
    files = mime_database(SOURCES, version="2.4")
    assert files["version"] == b"2.4\n"
    assert files["types"].splitlines()[:2] == [b"Text/Plain", b"application/x-alpha"]
    assert b"<comment>last</comment>" in files["text/plain.xml"]
    assert b"first" not in files["text/plain.xml"]
    assert b'  <comment xml:lang="de">Alpha</comment>\n' in files["application/x-alpha.xml"]
    assert files["icons"] == b"application/x-alpha:other\n"
    assert b"80:application/x-alpha:*.alf\n" in files["globs2"]
    assert b"50:application/x-alpha:*.C:cs\n" in files["globs2"]
    assert b"0:application/x-alpha:__NOGLOBS__\n" in files["globs2"]


def test_a_type_is_read_as_far_as_it_is_right() -> None:
    files = mime_database(SOURCES, version="2.4")
    assert b"kept" in files["image/x-wrong.xml"]
    assert not any(b"not reached" in content for content in files.values())
    assert b"no-slash" not in files["types"]


@pytest.mark.parametrize("name", ["../x", "./x", "a/../../x", "a/b/c", "/x", "x/", "..", " /x", "a/b\nc"])
def test_a_type_cannot_leave_the_folder(name: str) -> None:
    escaped = name.replace("\n", "&#10;")
    files = mime_database({"a.xml": mime_info(f'<mime-type type="{escaped}"/>')}, version="1")
    assert not any(path.endswith(".xml") for path in files)


@pytest.mark.parametrize(
    "declaration", ['<!ENTITY a "aaaa">', '<!ENTITY a SYSTEM "file:///etc/passwd">', '<!ENTITY % a "b">']
)
def test_entities_are_refused(declaration: str) -> None:
    content = f'<!DOCTYPE mime-info [{declaration}]><mime-info xmlns="{NAMESPACE}"/>'.encode()
    with pytest.raises(DocumentError, match="declares entities"):
        mime_database({"a.xml": content}, version="1")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(DocumentError, match="nested too deeply"):
        mime_database({"a.xml": mime_info("<a>" * 100 + "</a>" * 100)}, version="1")


def test_an_empty_database_has_all_files() -> None:
    files = mime_database({}, version="2.4")
    assert files["magic"] == b"MIME-Magic\0\n"
    assert files["mime.cache"][:4] == b"\0\1\0\2"
    assert len(files) == 12


def test_the_order_of_a_hash_table_has_each_string_once() -> None:
    strings = [f"type/{number % 700}-é" for number in range(2000)]
    assert sorted(in_hash_order(strings)) == sorted(set(strings))
    assert in_hash_order(["b", "a"]) == in_hash_order(["a", "b"])
