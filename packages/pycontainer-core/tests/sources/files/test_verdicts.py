"""What ignore rules said is remembered, and never anything else than they would say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from pycontainer.blobs.fingerprints import Fingerprints
from pycontainer.errors import ProjectError
from pycontainer.sources.files import IgnoreRules, collect_files, verdicts
from pycontainer.sources.files.verdicts import Verdicts

LINES = st.lists(st.sampled_from(["*.log", "!keep.log", "a/", "/b", "a/*/c", "# x", "", "!a/b/"]), max_size=4)
PATHS = st.lists(st.sampled_from(["x.log", "keep.log", "a/", "a/b/", "a/b/c", "b", "c/b", "a/keep.log"]), max_size=6)


def build(root: Path, memory: Path) -> list[str]:
    rules = IgnoreRules.of(root, exclude=["*.tmp"], memory=memory)
    found = [file.path for file in collect_files(root, rules=rules)]
    rules.keep()
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name in ("main.py", "x.log", "keep.log", "old/y.log", "old/z.tmp", "sub/data.bin", "sub/z.bin"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    (root / ".gitignore").write_text("*.log\n!keep.log\n")
    (root / "sub" / ".gitignore").write_text("data.*\n")
    return root


@pytest.fixture
def unreadable(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Nobody reads rules from now on."""

    def read(_lines: object) -> GitIgnoreSpec:
        raise AssertionError("rules were read")

    monkeypatch.setattr(GitIgnoreSpec, "from_lines", read)
    return monkeypatch


def test_the_second_build_reads_no_rules(project: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    first = build(project, tmp_path / "files")
    assert first == ["keep.log", "main.py", "sub/z.bin"]
    request.getfixturevalue("unreadable")
    assert build(project, tmp_path / "files") == first


def test_a_new_file_and_new_rules_are_judged(project: Path, tmp_path: Path) -> None:
    build(project, tmp_path / "files")
    (project / "new.log").write_text("")
    (project / "new.py").write_text("")
    assert build(project, tmp_path / "files") == ["keep.log", "main.py", "new.py", "sub/z.bin"]
    (project / ".gitignore").write_text("*.py\n")
    assert "x.log" in build(project, tmp_path / "files")
    assert "main.py" not in build(project, tmp_path / "files")


@given(LINES, LINES, PATHS, PATHS)
def test_what_is_remembered_is_what_would_be_said(
    tmp_path_factory: pytest.TempPathFactory, one: list[str], two: list[str], first: list[str], then: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("files")
    for lines, paths in ((one, first), (two, then), (one, then), (one, first)):
        table = Verdicts(folder, Path("/project"))
        rules, spec = table.rules(lines), GitIgnoreSpec.from_lines(lines)
        assert [rules.includes(path) for path in paths] == [spec.check_file(path).include for path in paths]
        assert rules.bring_back is any(not pattern.include for pattern in spec.patterns if pattern.regex)
        table.keep()


@pytest.mark.parametrize("version", ["", "pathspec-99.dist-info"])
def test_another_pathspec_is_asked_anew(
    project: Path, tmp_path: Path, unreadable: pytest.MonkeyPatch, version: str
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GitIgnoreSpec, "from_lines", lambda _lines: GitIgnoreSpec([]))
        build(project, tmp_path / "files")
    unreadable.setattr(verdicts, "_version_of_pathspec", lambda: version)
    with pytest.raises(AssertionError, match="rules were read"):
        build(project, tmp_path / "files")


def test_a_damaged_table_is_no_table(project: Path, tmp_path: Path) -> None:
    first = build(project, tmp_path / "files")
    for path in (tmp_path / "files").iterdir():
        path.write_bytes(path.read_bytes()[:-1] + b"\xc1")
    assert build(project, tmp_path / "files") == first


def test_rules_that_cannot_be_read_are_told_each_time(project: Path, tmp_path: Path) -> None:
    (project / ".gitignore").write_text("!\n")
    for _ in range(2):
        with pytest.raises(ProjectError, match="cannot be read"):
            build(project, tmp_path / "files")


def test_nothing_is_kept_where_nobody_wants_it(project: Path, tmp_path: Path) -> None:
    assert Fingerprints(None).folder is None
    rules = IgnoreRules.of(project)
    collect_files(project, rules=rules)
    rules.keep()
    assert not (tmp_path / "files").exists()
