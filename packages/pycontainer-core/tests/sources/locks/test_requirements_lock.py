from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pycontainer.errors import LockError
from pycontainer.sources.locks import (
    Choice,
    Directory,
    File,
    Lock,
    Registry,
    SourcePolicy,
    Url,
    Vcs,
    choose_wheels,
    read_lock,
)
from pycontainer.sources.locks.requirements import RequirementsLock
from pycontainer.sources.target import Target

LockAt = Callable[..., Lock]
A, B = "a" * 64, "b" * 64


def names(lock: Lock, target: Target) -> list[str]:
    return [str(each) for each in lock.select(target, Choice())]


def read(path: Path, text: str, **environ: str) -> RequirementsLock:
    path.write_text(text)
    return RequirementsLock.read(path, path.read_bytes(), environ)


def test_pinned_requirements_with_hashes_are_a_lock(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "requirements.txt",
        f"""\
# made by something
--index-url https://index.example/simple
Flask_Thing[async, dotenv] == 3.0.1 \\
    --hash=sha256:{A} \\
    --hash sha256:{B}   # and a comment
    # via something
numpy==2.1 ; python_version >= '3.12' --hash=sha256:{A}
numpy==1.9 ; python_version < '3.12' --hash=sha256:{A}
local===1.0+cpu --hash=sha512:{A + B}
""",
    )
    found = lock.select(target, Choice())
    assert list(map(str, found)) == ["flask-thing 3.0.1", "local 1.0+cpu", "numpy 2.1"]
    assert found[0].hashes == {f"sha256:{A}", f"sha256:{B}"}
    assert found[0].source == Registry(url="https://index.example/simple")
    assert not found[0].files_listed
    assert not found[0].unhashed
    assert lock.warnings == ()


def test_without_hashes_it_is_a_lock_with_a_warning(lock_at: LockAt, target: Target) -> None:
    lock = lock_at("requirements.txt", "a==1\nb==2.0.post1\n")
    assert names(lock, target) == ["a 1", "b 2.0.post1"]
    assert all(each.unhashed for each in lock.select(target, Choice()))
    assert "no hashes" in lock.warnings[0]


@pytest.mark.parametrize("line", ["a", "a>=1", "a~=1.0", "a==1.*", "a==1,<2", "a!=1", "a[x]>1; python_version>'3'"])
def test_a_requirement_that_leaves_a_choice_is_no_lock(lock_at: LockAt, target: Target, line: str) -> None:
    lock = lock_at("requirements.txt", f"fine==1\n{line}\n")
    assert isinstance(lock, RequirementsLock)
    assert len(lock.unpinned) == 1
    with pytest.raises(LockError, match="1 of its requirements are not pinned") as caught:
        lock.select(target, Choice())
    assert "requirements.txt:2" in caught.value.facts[0]


def test_a_choice_that_another_platform_has_does_no_harm(lock_at: LockAt, target: Target) -> None:
    assert names(lock_at("requirements.txt", "a==1\nw>1; sys_platform == 'win32'\n"), target) == ["a 1"]


def test_hashes_are_for_all_or_for_none(lock_at: LockAt) -> None:
    with pytest.raises(LockError, match="not for all") as caught:
        lock_at("requirements.txt", f"a==1 --hash=sha256:{A}\nb==1\n")
    assert "`b==1` (requirements.txt:2)" in caught.value.facts[0]
    with pytest.raises(LockError, match="not for all"):
        lock_at("requirements.txt", "--require-hashes\na==1\n")


@pytest.mark.parametrize("value", [f"sha256:{A[1:]}", "sha256:xyz", "nothing", f"sha256:{A}0"])
def test_a_malformed_hash_is_refused(lock_at: LockAt, value: str) -> None:
    with pytest.raises(LockError, match="is not a hash"):
        lock_at("requirements.txt", f"a==1 --hash={value}\n")


def test_of_several_malformed_hashes_the_first_is_told(lock_at: LockAt) -> None:
    with pytest.raises(LockError, match=r"`wrong0` in requirements\.txt:1 is not a hash"):
        lock_at("requirements.txt", f"a==1 {' '.join(f'--hash=wrong{number}' for number in range(40))}\n")


def test_a_weak_hash_is_refused(lock_at: LockAt) -> None:
    with pytest.raises(LockError, match="too weak"):
        lock_at("requirements.txt", f"a==1 --hash=md5:{'a' * 32}\n")
    lock_at("requirements.txt", f"a==1 --hash=md5:{'a' * 32} --hash=sha256:{A}\n")


def test_windows_line_ends_and_a_byte_order_mark_change_nothing(lock_at: LockAt, target: Target) -> None:
    text = f"a==1 \\\n    --hash=sha256:{A}\nb==2 --hash=sha256:{B}\n"
    plain = lock_at("requirements.txt", text).select(target, Choice())
    for other in (text.replace("\n", "\r\n"), "\ufeff" + text, text.rstrip("\n"), text.replace("\\\n   ", "")):
        assert lock_at("requirements.txt", other).select(target, Choice()) == plain


def test_files_include_others_and_constraints_pin(lock_at: LockAt, target: Target) -> None:
    lock = lock_at(
        "requirements/prod.txt",
        "-r base.txt\n--requirement=../more.txt\n-c pins.txt\na\n",
        requirements__base_txt="b==1\n-e ../lib\n",
        more_txt="c==1\n",
        requirements__pins_txt="a==7\nunused==1\nb==9\n",
        lib__pyproject_toml='[project]\nname = "My_Lib"\n',
    )
    assert names(lock, target) == ["a 7", "b 1", "c 1", "my-lib"]


def test_the_digest_covers_what_is_included(lock_at: LockAt) -> None:
    one = lock_at("requirements.txt", "-r base.txt\n", base_txt="b==1\n").digest
    assert lock_at("requirements.txt", "-r base.txt\n", base_txt="b==2\n").digest != one
    assert lock_at("requirements.txt", "-r base.txt\n", base_txt="b==1\n").digest == one


@pytest.mark.parametrize(
    ("text", "base", "reason"),
    [
        ("-r requirements.txt\n", "", "includes itself"),
        ("-r base.txt\n", "-r requirements.txt\n", "includes itself"),
        ("-r base.txt\n", "-c base.txt\n", "includes itself"),
        ("-r absent.txt\n", "", "cannot be read"),
        ("-r https://files.example/x.txt\n", "", "not a file of this host"),
        ("-r file:///etc/passwd\n", "", "not a file of this host"),
        ("-r\n", "", "not an option"),
        ("--frobnicate\n", "", "not an option"),
        ("a==1 --hash\n", "", "not an option"),
        ("a==1 --hash='unclosed\n", "", "malformed"),
    ],
)
def test_includes_and_options_that_cannot_be_are_refused(lock_at: LockAt, text: str, base: str, reason: str) -> None:
    with pytest.raises(LockError, match=reason):
        lock_at("requirements.txt", text, base_txt=base)


def test_variables_of_the_environment_are_expanded_and_never_shown(tmp_path: Path, target: Target) -> None:
    lock = read(
        tmp_path / "requirements.txt",
        "--extra-index-url https://${USER}:${TOKEN}@index.example/simple\na==1\n${lower} \n",
        USER="bob",
        TOKEN="s3cret",
    )
    assert lock.indexes.extra == ("https://bob:s3cret@index.example/simple",)
    with pytest.raises(LockError) as caught:
        lock.select(target, Choice())
    assert "s3cret" not in repr(lock) + repr(lock.indexes) + str(caught.value)
    unset = read(tmp_path / "requirements.txt", "--index-url https://${UNSET}@index.example/simple\n")
    assert unset.indexes.index == "https://${UNSET}@index.example/simple"


def test_the_indexes_are_those_of_the_options(lock_at: LockAt) -> None:
    lock = lock_at(
        "requirements.txt",
        "-i https://one.example\n--index-url=https://two.example\n--extra-index-url https://three.example\n"
        "--extra-index-url https://four.example\n-f wheels/\n--no-index\n--pre\n--trusted-host x\n",
    )
    assert lock.indexes.index == "https://two.example"
    assert lock.indexes.extra == ("https://three.example", "https://four.example")
    assert lock.indexes.find_links == ("wheels/",)
    assert lock.indexes.no_index


def test_every_kind_of_address_is_understood(tmp_path: Path, target: Target) -> None:
    commit = "c" * 40
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/pyproject.toml").write_text('[project]\nname = "lib"\n')
    (tmp_path / "w").mkdir()
    (tmp_path / "w/file-1-py3-none-any.whl").write_bytes(b"")
    path = tmp_path / "requirements.txt"
    path.write_text(
        f"g @ git+https://user:s3cret@git.example/g.git@{commit}#subdirectory=py ; python_version > '3'\n"
        f"git+ssh://git@git.example/h@{commit}#egg=h[x]\n"
        f"u @ https://files.example/u-1-py3-none-any.whl#sha256={A}\n"
        f"https://files.example/v-2-py3-none-any.whl --hash=sha256:{A}\n"
        f"s[x] @ https://files.example/s-1.tar.gz --hash=sha256:{A}\n"
        "./lib[extra]\n"
        f"./w/file-1-py3-none-any.whl --hash=sha256:{A}\n"
        f"named @ {(tmp_path / 'lib').as_uri()}\n"
        "-e .\n"
    )
    with pytest.raises(LockError, match="not for all") as caught:
        read_lock(path)
    assert "u-1-py3" in caught.value.facts[0]  # a hash behind the address counts only without `--hash`
    path.write_text(path.read_text().replace(f"#sha256={A}", f" --hash=sha256:{A}"))
    found = {each.name: each for each in read_lock(path).select(target, Choice())}
    assert sorted(found) == ["file", "g", "h", "lib", "named", "s", "u", "v"]
    assert found["g"].source == Vcs(url="https://user:s3cret@git.example/g.git", commit=commit, subdirectory="py")
    assert found["h"].source == Vcs(url="ssh://git@git.example/h", commit=commit)
    assert found["u"].source == Url(url="https://files.example/u-1-py3-none-any.whl")
    assert found["lib"].source == Directory(path=tmp_path / "lib")
    assert found["named"].source == Directory(path=tmp_path / "lib")
    assert found["file"].source == File(path=tmp_path / "w/file-1-py3-none-any.whl")
    assert "s3cret" not in repr(found)
    chosen = choose_wheels(found.values(), target, SourcePolicy())
    assert {each.package.name: each.kind for each in chosen} == {
        **dict.fromkeys(["g", "h"], "vcs"),
        **dict.fromkeys(["u", "v", "file"], "wheel"),
        **dict.fromkeys(["lib", "named"], "directory"),
        "s": "sdist",
    }


def test_a_hash_behind_an_address_pins_it(lock_at: LockAt, target: Target) -> None:
    lock = lock_at("requirements.txt", f"u @ https://files.example/u-1-py3-none-any.whl#sha256={A}\n")
    (found,) = lock.select(target, Choice())
    assert found.wheels[0].hashes == {"sha256": A}
    assert not found.unhashed


@pytest.mark.parametrize(
    "line", ["git+https://git.example/g@main", "https://files.example/s-1.tar.gz", "./nowhere", "???"]
)
def test_what_has_no_name_or_makes_no_sense_is_refused(lock_at: LockAt, target: Target, line: str) -> None:
    with pytest.raises(LockError):
        lock_at("requirements.txt", line + "\n").select(target, Choice())


def test_two_pins_of_one_package_are_refused(lock_at: LockAt, target: Target) -> None:
    with pytest.raises(LockError, match="two candidates of `a`"):
        names(lock_at("requirements.txt", "a==1\nA==2\n"), target)
    assert names(lock_at("requirements.txt", "a==1\na[x]==1\n"), target) == ["a 1"]


def test_extras_and_groups_cannot_be_chosen(lock_at: LockAt, target: Target) -> None:
    with pytest.raises(LockError, match="no extra `x`"):
        lock_at("requirements.txt", "a==1\n").select(target, Choice(extras=frozenset({"x"})))


def test_it_is_never_found_stale(lock_at: LockAt) -> None:
    lock_at("requirements.txt", "a==1\n").check_fresh({"project": {"dependencies": ["new"]}})
