"""The project's files: what goes in, what stays out, and what is refused."""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec import GitIgnoreSpec

from pycontainer.errors import ProjectError
from pycontainer.sources.files import FilesRecipe, IgnoreRules, PlacedFile, collect_files
from pycontainer.sources.files.ignore import SAFE_DEFAULTS


def tree(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def paths(root: Path, *, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
    return [file.path for file in collect_files(root, rules=IgnoreRules.of(root, exclude=exclude), include=include)]


SECRETS = [".env", ".env.production", "a/.env", "key.pem", "tls.key", "id_rsa", "x/id_ed25519", ".netrc", ".pypirc",
           ".aws/credentials", ".ssh/config", "store.p12", ".git-credentials", "infra/terraform.tfstate"]  # fmt: skip
NOISE = [
    ".git/config",
    ".venv/bin/python",
    "__pycache__/a.pyc",
    "a.pyc",
    "uv.lock",
    "pylock.web.toml",
    "dist/x.whl",
    "node_modules/x/y.js",
    ".poetry/plugins/x.py",
]


@pytest.mark.parametrize("name", SECRETS + NOISE)
def test_secrets_and_noise_stay_out_by_default(tmp_path: Path, name: str) -> None:
    tree(tmp_path, "main.py", name)
    assert paths(tmp_path) == ["main.py"]


_LIKE_A_DEFAULT = st.sampled_from(SAFE_DEFAULTS).map(
    lambda rule: rule.strip("/").replace("*", "x").replace("[cod]", "c")
)


@given(
    st.lists(_LIKE_A_DEFAULT | st.text(st.sampled_from(".ev*cx~"), min_size=1, max_size=8), min_size=1, max_size=3),
    st.sampled_from(["", "/"]),
)
def test_the_defaults_mean_what_git_says_they_mean(parts: list[str], end: str) -> None:
    path = "/".join(parts) + end
    expected = GitIgnoreSpec.from_lines(SAFE_DEFAULTS).match_file(path)
    assert IgnoreRules(Path()).excludes(path) is expected


def test_an_ignore_file_brings_back_what_a_default_takes_away(tmp_path: Path) -> None:
    tree(tmp_path, "main.py", ".env.example", ".env")
    (tmp_path / ".dockerignore").write_text("!.env.example\n")
    assert paths(tmp_path) == [".env.example", "main.py"]


def test_dockers_rules_are_anchored_and_the_last_match_wins(tmp_path: Path) -> None:
    tree(tmp_path, "a.md", "docs/a.md", "docs/keep.md", "tmp/x", "sub/tmp/x", "deep/er/x.log")
    (tmp_path / ".dockerignore").write_text("# comment\n*.md\ndocs\n!docs/keep.md\n/tmp/\n**/*.log\n")
    assert paths(tmp_path) == ["docs/keep.md", "sub/tmp/x"]


def test_gits_rules_hold_in_the_folder_of_their_file(tmp_path: Path) -> None:
    tree(tmp_path, "a.log", "sub/a.log", "sub/b.txt", "other/b.txt", "keep.log")
    (tmp_path / ".gitignore").write_text("*.log\n!keep.log\n")
    (tmp_path / "sub/.gitignore").write_text("b.txt\n")
    assert paths(tmp_path) == ["keep.log", "other/b.txt"]


def test_a_docker_ignore_file_comes_before_gits(tmp_path: Path) -> None:
    tree(tmp_path, "generated.js", "notes.txt")
    (tmp_path / ".gitignore").write_text("generated.js\n")
    (tmp_path / ".dockerignore").write_text("notes.txt\n")
    assert paths(tmp_path) == ["generated.js"]


def test_a_file_that_is_named_itself_is_taken_whatever_the_rules_say(tmp_path: Path) -> None:
    tree(tmp_path, ".env", "src/a.py", "src/.env", "other.py")
    assert paths(tmp_path, include=("src/", ".env")) == [".env", "src/a.py"]


def test_exclude_paths_have_the_last_word(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "docs/a.md")
    assert paths(tmp_path, exclude=("docs/",)) == ["a.py"]


def test_outputs_inside_the_project_are_skipped(tmp_path: Path) -> None:
    tree(tmp_path, "a.py", "out/index.json")
    files = collect_files(tmp_path, rules=IgnoreRules.of(tmp_path), skip=[tmp_path / "out"])
    assert [file.path for file in files] == ["a.py"]


@pytest.mark.parametrize(("mode", "kept"), [(0o600, 0o644), (0o755, 0o755), (0o640, 0o644), (0o711, 0o755)])
def test_only_the_execute_bit_of_a_mode_counts(tmp_path: Path, mode: int, kept: int) -> None:
    tree(tmp_path, "a")
    (tmp_path / "a").chmod(mode)
    assert collect_files(tmp_path, rules=IgnoreRules.of(tmp_path))[0].mode == kept


def test_links_inside_the_project_stay_links(tmp_path: Path) -> None:
    tree(tmp_path, "a/real.py")
    (tmp_path / "link.py").symlink_to("a/real.py")
    files = {file.path: file.target for file in collect_files(tmp_path, rules=IgnoreRules.of(tmp_path))}
    assert files == {"a/real.py": None, "link.py": "a/real.py"}


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("/etc/passwd", "leads out"),
        ("../outside", "leads out"),
        ("self", "leads to itself|leads nowhere"),
        ("gone", "leads nowhere"),
    ],
)
def test_links_that_cannot_work_in_an_image_are_refused(tmp_path: Path, target: str, why: str) -> None:
    (tmp_path / "self").symlink_to(target)
    with pytest.raises(ProjectError, match=why):
        paths(tmp_path)


def test_sockets_and_pipes_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree(tmp_path, "a")
    monkeypatch.chdir(tmp_path)  # a socket's path may have 108 bytes only
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket")
        assert paths(tmp_path) == ["a"]


def test_a_name_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_text("x")
    with pytest.raises(ProjectError, match="not UTF-8"):
        paths(tmp_path)


def test_a_whiteouts_name_is_refused(tmp_path: Path) -> None:
    tree(tmp_path, "sub/.wh.secret")
    with pytest.raises(ProjectError, match="would delete a file of the base image"):
        paths(tmp_path)


@pytest.mark.parametrize(
    ("include", "why"), [("../x", "outside the project"), ("/etc", "outside"), ("no", "does not exist")]
)
def test_included_paths_must_be_of_the_project(tmp_path: Path, include: str, why: str) -> None:
    with pytest.raises(ProjectError, match=why):
        paths(tmp_path, include=(include,))


def test_the_key_changes_with_content_mode_and_place_and_with_nothing_else(tmp_path: Path) -> None:
    def key(destination: str = "/app/a") -> str:
        (file,) = collect_files(tmp_path, rules=IgnoreRules.of(tmp_path))
        return FilesRecipe(title="x", files=(PlacedFile(file=file, destination=destination),)).key

    tree(tmp_path, "a")
    first = key()
    os.utime(tmp_path / "a", (1, 1))
    assert key() == first
    assert key("/app/b") != first
    (tmp_path / "a").chmod(0o755)
    executable = key()
    assert executable != first
    (tmp_path / "a").write_text("other")
    assert key() not in {first, executable}


@given(st.lists(st.from_regex(r"[a-z]{1,3}(/[a-z]{1,3}){0,2}", fullmatch=True), max_size=8, unique=True))
def test_files_come_in_the_order_of_their_paths(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in names:
            if not any((root / part).is_file() for part in Path(name).parents) and not (root / name).is_dir():
                tree(root, name)
        assert paths(root) == sorted(paths(root))
