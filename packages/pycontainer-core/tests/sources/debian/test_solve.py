from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pycontainer.errors import PackageError
from pycontainer.sources.debian.index import PackageIndex
from pycontainer.sources.debian.package import BinaryPackage
from pycontainer.sources.debian.relations import parse_relations
from pycontainer.sources.debian.solve import Solution, solve


def stanza(package: str, **fields: str) -> str:
    """A paragraph: `stanza("a=2", depends="b | c", multi_arch="allowed")`."""
    name, _, version = package.partition("=")
    lines = {"Package": name, "Version": version or "1", "Architecture": "amd64", "Priority": "optional"}
    lines |= {key.replace("_", "-").title(): value for key, value in fields.items()}
    return "".join(f"{key}: {value}\n" for key, value in lines.items())


def archive(*stanzas: str) -> PackageIndex:
    return PackageIndex.of(["\n".join(stanzas).encode()], sources=["bookworm main"])


def base(*stanzas: str) -> list[BinaryPackage]:
    index = archive(*stanzas)
    return [package for name in index.names() for package in index.versions(name)]


def answer(
    wishes: str,
    index: PackageIndex,
    installed: list[BinaryPackage] | None = None,
    *,
    exclude: tuple[str, ...] = (),
    allow_upgrades: bool | tuple[str, ...] = (),
    essential: bool = False,
) -> Solution:
    return solve(
        wishes.split(),
        index,
        installed or [],
        architecture="amd64",
        exclude=exclude,
        allow_upgrades=allow_upgrades,
        essential=essential,
    )


def added(solution: Solution) -> list[str]:
    return [package.name for package in solution.added]


def refusal(*arguments: object, **options: object) -> PackageError:
    with pytest.raises(PackageError) as caught:
        answer(*arguments, **options)  # type: ignore[arg-type]
    return caught.value


class TestDependencies:
    def test_come_before_what_needs_them(self) -> None:
        index = archive(
            stanza("a", depends="c, d"),
            stanza("b"),
            stanza("c", pre_depends="b"),
            stanza("d", depends="b"),
            stanza("e"),
        )
        assert added(answer("a", index)) == ["b", "c", "d", "a"]

    def test_in_a_circle_come_all(self) -> None:
        index = archive(stanza("a", depends="b"), stanza("b", depends="c"), stanza("c", depends="a"))
        assert sorted(added(answer("b", index))) == ["a", "b", "c"]

    def test_that_are_installed_do_not_come(self) -> None:
        index = archive(stanza("a", depends="b, c (>= 1)"), stanza("b=2"), stanza("c"))
        assert added(answer("a", index, base(stanza("b")))) == ["c", "a"]

    def test_of_installed_packages_are_not_looked_at(self) -> None:
        index = archive(stanza("a", depends="b"), stanza("b", depends="c"), stanza("c"))
        assert added(answer("a", index, base(stanza("b", depends="c, missing")))) == ["a"]

    def test_recommended_packages_do_not_come(self) -> None:
        assert added(answer("a", archive(stanza("a", recommends="b", suggests="c"), stanza("b"), stanza("c")))) == ["a"]

    def test_restricted_to_other_architectures_do_not_count(self) -> None:
        index = archive(stanza("a", depends="b [arm64], c [amd64], d [arm64] | c"), stanza("c"))
        assert added(answer("a", index)) == ["c", "a"]

    def test_a_removed_package_with_its_configuration_left_is_not_there(self) -> None:
        index = archive(stanza("a", depends="b"), stanza("b"))
        assert added(answer("a", index, base(stanza("b", status="deinstall ok config-files")))) == ["b", "a"]
        assert added(answer("a", index, base(stanza("b", status="install ok unpacked")))) == ["a"]

    def test_of_another_architecture_do_not_count(self) -> None:
        index = archive(stanza("a", depends="b"), stanza("b=2", architecture="i386"), stanza("b=1", architecture="all"))
        solution = answer("a", index, base(stanza("b", architecture="i386")))
        assert [str(package) for package in solution.added] == ["b 1", "a 1"]


class TestVersions:
    def test_the_highest_comes_and_of_equal_ones_the_first(self) -> None:
        main, updates = stanza("a=2", section="main"), stanza("a=2", section="updates")
        index = PackageIndex.of([f"{stanza('a=1')}\n{main}".encode(), updates.encode()])
        assert answer("a", index).added[0].section == "main"

    def test_a_pin_holds_for_dependencies_too(self) -> None:
        index = archive(stanza("a", depends="b"), stanza("b=1"), stanza("b=2"))
        assert [str(package) for package in answer("a b=1", index).added] == ["b 1", "a 1"]

    def test_a_pin_that_the_archive_has_not(self) -> None:
        error = refusal("a=3", archive(stanza("a=1"), stanza("a=2")))
        assert error.message == "`a` cannot be had in version `3`"
        assert error.facts == ("the archive has: 2, 1", "looked in: bookworm main")

    def test_a_pin_is_never_a_downgrade(self) -> None:
        error = refusal("a=1", archive(stanza("a=1")), base(stanza("a=2")), allow_upgrades=True)
        assert error.facts[1] == "installed: 2, which is never replaced by an older one"

    def test_only_the_highest_is_considered(self) -> None:
        error = refusal("a", archive(stanza("a", depends="b (<< 2)"), stanza("b=1"), stanza("b=2")))
        assert error.message == "`a` 1 depends on `b (<< 2)`, which cannot be had"
        assert error.facts == ("`b`: the archive has 2, 1", "`a` was asked for")


class TestAlternatives:
    def test_the_first_that_can_be_had_comes(self) -> None:
        index = archive(stanza("a", depends="missing | b | c"), stanza("b"), stanza("c"))
        assert added(answer("a", index)) == ["b", "a"]

    def test_one_that_is_installed_does(self) -> None:
        index = archive(stanza("a", depends="b | c"), stanza("b"), stanza("c"))
        assert added(answer("a", index, base(stanza("c")))) == ["a"]

    def test_one_that_is_asked_for_too_does(self) -> None:
        index = archive(stanza("a", depends="b | c"), stanza("b"), stanza("c"))
        assert added(answer("a c", index)) == added(answer("c a", index)) == ["c", "a"]

    def test_that_cannot_be_installed_gives_way(self) -> None:
        index = archive(
            stanza("a", depends="b | c"), stanza("b", depends="d"), stanza("d", depends="missing"), stanza("c")
        )
        assert added(answer("a", index)) == ["c", "a"]

    def test_that_conflicts_gives_way(self) -> None:
        index = archive(stanza("a", depends="b | c", conflicts="d"), stanza("b", depends="d"), stanza("c"), stanza("d"))
        assert added(answer("a", index)) == ["c", "a"]

    def test_that_all_fail_tell_why_the_first_does(self) -> None:
        index = archive(stanza("a", depends="b | c"), stanza("b", depends="d"), stanza("c", conflicts="a"))
        error = refusal("a", index)
        assert error.message == "`b` 1 depends on `d`, which cannot be had"
        assert error.facts == ("`d`: not in the archive", "`b` is wanted by `a`")

    def test_an_upgrade_that_is_not_allowed_comes_last(self) -> None:
        index = archive(stanza("a", depends="b (>= 2) | c"), stanza("b=2"), stanza("c"))
        assert added(answer("a", index, base(stanza("b")))) == ["c", "a"]
        allowed = answer("a", index, base(stanza("b")), allow_upgrades=True)
        assert (added(allowed), [new.version for _, new in allowed.upgraded]) == (["a"], ["2"])


class TestProviders:
    def test_a_real_package_goes_first(self) -> None:
        index = archive(stanza("a", depends="v"), stanza("b", provides="v", priority="required"), stanza("v"))
        assert added(answer("a", index)) == ["v", "a"]

    def test_then_an_essential_one_then_the_higher_priority(self) -> None:
        index = archive(
            stanza("a", depends="v"),
            stanza("b", provides="v", priority="optional"),
            stanza("c", provides="v", priority="important"),
            stanza("d", provides="w", priority="required"),
            stanza("e", provides="w", essential="yes"),
            stanza("f", depends="w"),
        )
        assert added(answer("a", index)) == ["c", "a"]
        assert added(answer("f", index)) == ["e", "f"]

    def test_then_the_one_that_is_named_last(self) -> None:
        index = archive(
            stanza("0", suggests="c"), stanza("a", depends="v"), stanza("b", provides="v"), stanza("c", provides="v")
        )
        assert added(answer("a", index)) == ["b", "a"]

    def test_an_unversioned_one_satisfies_no_version(self) -> None:
        index = archive(
            stanza("a", depends="v (>= 2)"), stanza("b=9", provides="v"), stanza("c", provides="v (= 2)"), stanza("z")
        )
        assert added(answer("a", index)) == ["c", "a"]
        assert (
            "`v (>= 3)`, which cannot be had"
            in refusal("a", archive(stanza("a", depends="v (>= 3)"), stanza("c", provides="v (= 2), v (>= 3)"))).message
        )

    def test_only_the_version_that_would_come_provides(self) -> None:
        index = archive(stanza("a", depends="v"), stanza("b=1", provides="v"), stanza("b=2"))
        assert "`v`, which cannot be had" in refusal("a", index).message

    def test_an_upgrade_can_end_what_was_provided(self) -> None:
        index = archive(stanza("a", depends="b (>= 2)"), stanza("b=2"))
        installed = base(stanza("b", provides="v"), stanza("user", depends="v"))
        error = refusal("a", index, installed, allow_upgrades=True)
        assert error.message == "`user` 1 of the base image does not work with `b` 2"


class TestQualifiers:
    @pytest.mark.parametrize(
        ("qualifier", "multi_arch", "fits"),
        [
            ("any", "allowed", True),
            ("any", "same", False),
            ("any", "", False),
            ("native", "", True),
            ("amd64", "", True),
            ("arm64", "foreign", False),
        ],
    )
    def test_of_architectures(self, qualifier: str, multi_arch: str, fits: bool) -> None:  # noqa: FBT001
        index = archive(stanza("a", depends=f"b:{qualifier}"), stanza("b", multi_arch=multi_arch))
        if fits:
            assert added(answer("a", index)) == ["b", "a"]
        else:
            assert "cannot be had" in refusal("a", index).message


class TestConflicts:
    def test_of_two_wishes_name_both(self) -> None:
        index = archive(stanza("a", depends="b"), stanza("b", conflicts="c (<< 2)"), stanza("c"))
        error = refusal("a c", index)
        assert error.message == "`b` 1 excludes `c` 1"
        assert error.facts == (
            "`b` conflicts with or breaks: `c (<< 2)`",
            "`b` is wanted by `a`",
            "`c` was asked for",
        )

    def test_with_an_installed_package_remove_nothing(self) -> None:
        error = refusal("a", archive(stanza("a", breaks="b")), base(stanza("b")))
        assert error.message == "`a` 1 excludes `b` 1"
        assert error.facts[-1] == "`b` is installed"
        assert refusal("a", archive(stanza("a")), base(stanza("b", conflicts="a"))).message == "`b` 1 excludes `a` 1"

    def test_with_what_a_package_provides_itself_are_none(self) -> None:
        index = archive(stanza("a", provides="mta", conflicts="mta"), stanza("b", provides="mta"))
        assert added(answer("a", index)) == ["a"]
        assert refusal("a b", index).message == "`a` 1 excludes `b` 1"

    def test_of_other_versions_are_none(self) -> None:
        index = archive(stanza("a", breaks="b (<< 2)"), stanza("b=2"))
        assert added(answer("a b", index)) == ["a", "b"]

    def test_with_an_old_installed_package_upgrade_it(self) -> None:
        index, installed = archive(stanza("a", breaks="b (<< 2)"), stanza("b=2")), base(stanza("b"))
        assert [new.version for _, new in answer("a", index, installed, allow_upgrades=("b",)).upgraded] == ["2"]
        assert refusal("a", index, installed).message == "`a` needs `b` 2, and the base image has 1"

    def test_that_were_in_the_base_before_are_not_ours(self) -> None:
        assert added(answer("a", archive(stanza("a")), base(stanza("b", conflicts="c"), stanza("c")))) == ["a"]


class TestUpgrades:
    INDEX = archive(
        stanza("libgcc-s1=12.2-14+u1", depends="gcc-12-base (= 12.2-14+u1)"), stanza("gcc-12-base=12.2-14+u1")
    )

    def test_need_permission(self) -> None:
        error = refusal("libgcc-s1", self.INDEX, base(stanza("gcc-12-base=12.2-14")))
        assert error.message == "`libgcc-s1` needs `gcc-12-base` 12.2-14+u1, and the base image has 12.2-14"
        assert error.facts == ("`gcc-12-base`: 12.2-14 → 12.2-14+u1, for `libgcc-s1`: gcc-12-base (= 12.2-14+u1)",)
        assert error.hint is not None
        assert "add `gcc-12-base` to {os_allow_upgrades}" in error.hint

    @pytest.mark.parametrize("permission", [True, ("gcc-12-base",)])
    def test_that_are_allowed_happen(self, permission: bool | tuple[str, ...]) -> None:  # noqa: FBT001
        solution = answer("libgcc-s1", self.INDEX, base(stanza("gcc-12-base=12.2-14")), allow_upgrades=permission)
        assert added(solution) == ["libgcc-s1"]
        assert [(old.version, new.version) for old, new in solution.upgraded] == [("12.2-14", "12.2-14+u1")]

    def test_bring_what_would_break_along(self) -> None:
        index = archive(
            stanza("a", depends="b (>= 2)"), stanza("b=2"), stanza("c=2", depends="b (= 2), d"), stanza("d")
        )
        installed = base(stanza("b"), stanza("c", depends="b (= 1)"))
        solution = answer("a", index, installed, allow_upgrades=True)
        assert added(solution) == ["a", "d"]
        assert [new.name for _, new in solution.upgraded] == ["b", "c"]
        assert len(refusal("a", index, installed).facts) == 2

    @pytest.mark.parametrize("status", ["install ok installed", "hold ok installed"])
    def test_of_the_c_library_and_of_what_is_on_hold_need_its_name(self, status: str) -> None:
        name = "libc6" if status.startswith("install") else "held"
        index = archive(stanza("a", depends=f"{name} (>= 2)"), stanza(f"{name}=2"))
        installed = base(stanza(name, status=status))
        assert refusal("a", index, installed, allow_upgrades=True).message.startswith(f"`a` needs `{name}` 2")
        assert answer("a", index, installed, allow_upgrades=(name,)).upgraded

    def test_of_a_wish_that_is_installed_happen_only_when_allowed(self) -> None:
        index, installed = archive(stanza("a=2")), base(stanza("a"))
        assert answer("a", index, installed) == Solution(added=())
        assert answer("a=1", index, installed, allow_upgrades=True) == Solution(added=())
        assert answer("a", index, installed, allow_upgrades=True).upgraded[0][1].version == "2"
        assert refusal("a=2", index, installed).message == "The request needs `a` 2, and the base image has 1"

    def test_are_no_reason_to_go_back(self) -> None:
        assert answer("a", archive(stanza("a=1")), base(stanza("a=2")), allow_upgrades=True) == Solution(added=())


class TestExclusions:
    INDEX = archive(
        stanza("libgl1", depends="libglx0, libc6"),
        stanza("libglx0", depends="mesa, x11"),
        stanza("mesa", depends="llvm, x11, libc6"),
        stanza("llvm"),
        stanza("x11"),
        stanza("libc6"),
    )

    def test_take_all_along_that_only_they_bring(self) -> None:
        solution = answer("libgl1", self.INDEX, exclude=("mesa", "other"))
        assert added(solution) == ["libc6", "x11", "libglx0", "libgl1"]
        assert solution.left_out == ("mesa",)

    def test_count_as_the_alternative_that_would_have_come(self) -> None:
        index = archive(stanza("a", depends="b | c"), stanza("b"), stanza("c"))
        assert added(answer("a", index, exclude=("b",))) == ["a"]
        assert added(answer("a", index, exclude=("c",))) == ["b", "a"]

    def test_of_a_wish_contradict_it(self) -> None:
        assert refusal("libgl1", self.INDEX, exclude=("libgl1",)).message == "`libgl1` is wanted and excluded"


class TestWishes:
    def test_their_order_changes_nothing(self) -> None:
        index = archive(
            stanza("a", depends="x | y"), stanza("b", depends="y | x"), stanza("c"), stanza("x"), stanza("y")
        )
        answers = {answer(" ".join(order), index) for order in itertools.permutations(["a", "b", "c"])}
        assert len(answers) == 1

    def test_that_are_unknown_name_what_is_near(self) -> None:
        error = refusal("libqp5", archive(stanza("libpq5"), stanza("libpq-dev"), stanza("zlib1g")))
        assert error.message == "There is no package `libqp5`"
        assert error.facts == ("looked in: bookworm main",)
        assert error.hint is not None
        assert "`libpq5`" in error.hint
        assert refusal("something-else", archive(stanza("libpq5"))).hint is None

    def test_that_one_package_provides_mean_it(self) -> None:
        assert added(answer("v", archive(stanza("a", provides="v")))) == ["a"]

    def test_that_several_provide_must_be_clearer(self) -> None:
        index = archive(stanza("a", provides="v"), stanza("b", provides="v"))
        error = refusal("v", index)
        assert error.message == "`v` is not a package but what several packages provide"
        assert error.facts == ("provided by: `a`, `b`",)
        assert added(answer("v", index, base(stanza("b", provides="v")))) == []

    def test_all_essential_packages_can_be_one(self) -> None:
        index = archive(stanza("a"), stanza("dpkg", essential="yes", depends="tar"), stanza("tar"))
        assert added(answer("a", index, essential=True)) == ["a", "tar", "dpkg"]

    @pytest.mark.parametrize("wish", ["", "a b", "-y", "a=", "a=1 2", "a:amd64", "../a", "a/stable"])
    def test_must_be_a_name_or_a_name_and_a_version(self, wish: str) -> None:
        with pytest.raises(PackageError, match=r"not the name|does not name a version"):
            solve([wish], archive(stanza("a")), [], architecture="amd64")


class TestHostileArchives:
    def test_chains_may_be_longer_than_pythons_stack(self) -> None:
        index = archive(*(stanza(f"p{n}", depends=f"p{n + 1}") for n in range(5000)), stanza("p5000"))
        assert len(answer("p0", index).added) == 5001
        error = refusal("p0", archive(*(stanza(f"p{n}", depends=f"p{n + 1}") for n in range(5000))))
        assert len(str(error)) < 2000

    def test_many_alternatives_take_no_long_time(self) -> None:
        begin = time.process_time()
        many = " | ".join(f"a{n}" for n in range(10_000))
        assert added(answer("a", archive(stanza("a", depends=f"{many} | b"), stanza("b")))) == ["b", "a"]
        assert len(str(refusal("a", archive(stanza("a", depends=many))))) < 2000
        assert time.process_time() - begin < 5

    def test_attempts_are_bounded(self) -> None:
        many = range(200)
        index = archive(
            stanza("a", depends=" | ".join(f"p{n}" for n in many)), *(stanza(f"p{n}", depends="missing") for n in many)
        )
        assert refusal("a", index).message == "`p0` 1 depends on `missing`, which cannot be had"


NAMES = [f"p{n}" for n in range(6)]
FIELDS = st.lists(
    st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(["", " (>= 2)", " (= 1)"])), min_size=1, max_size=2),
    max_size=2,
).map(lambda groups: ", ".join(" | ".join(f"{name}{version}" for name, version in group) for group in groups))
ARCHIVES = st.lists(
    st.builds(
        lambda name, version, depends, conflicts: stanza(f"{name}={version}", depends=depends, conflicts=conflicts),
        st.sampled_from(NAMES),
        st.sampled_from("123"),
        FIELDS,
        st.sampled_from(["", "", "", *NAMES]),
    ),
    max_size=10,
)


@given(ARCHIVES, ARCHIVES, st.sets(st.sampled_from(NAMES), min_size=1, max_size=2))
@settings(deadline=None)
def test_an_answer_leaves_no_dependency_open(offered: list[str], present: list[str], wishes: set[str]) -> None:
    installed = {package.name: package for package in base(*present)}
    try:
        solution = answer(" ".join(wishes), archive(*offered), [*installed.values()], allow_upgrades=True)
    except PackageError:
        return
    come = [*solution.added, *(new for _, new in solution.upgraded)]
    after = installed | {package.name: package for package in come}
    assert wishes <= after.keys()
    for package in come:
        for group in parse_relations(package.depends):
            assert any(other.name in after and other.allows(after[other.name].version) for other in group)
        assert not [
            rel
            for group in parse_relations(package.conflicts)
            for rel in group
            if rel.name in after.keys() - {package.name}
        ]
    assert len(set(added(solution))) == len(solution.added)
    assert not {package.name for package in solution.added} & installed.keys()
