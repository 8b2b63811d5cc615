from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker

from pycontainer.errors import LockError
from pycontainer.oci import Platform
from pycontainer.sources.locks.equivalence import same_markers
from pycontainer.sources.locks.markers import Markers
from pycontainer.sources.target import Libc, PythonVersion, Target

TARGETS = [
    Target(platform=Platform.parse(platform), python=PythonVersion.parse(python), libc=Libc("glibc", 2, 36))
    for platform, python in [("linux/amd64", "3.10.0"), ("linux/arm64", "3.12.4"), ("linux/s390x", "3.13.11")]
]
VERSIONS = ["3.9", "3.10", "3.10.0", "3.11", "3.12", "3.12.4", "3.13", "4", "3.12.4.0", "3.12.5rc1", "3.12.post1"]
comparison = st.one_of(
    st.builds(
        "{} {} '{}'".format,
        st.sampled_from(["python_version", "python_full_version", "implementation_version"]),
        st.sampled_from(["==", "!=", "<", "<=", ">", ">=", "~="]),
        st.sampled_from([version for version in VERSIONS if version != "4"]),
    ),
    st.builds(
        "python_version {} '{}'".format, st.sampled_from(["in", "not in"]), st.sampled_from(["3.9 3.10", "3.12"])
    ),
    st.builds("python_full_version == '{}.*'".format, st.sampled_from(["3.10", "3.12", "3"])),
    st.builds(
        "'{}' {} python_version".format, st.sampled_from(["3.11", "3.12"]), st.sampled_from(["<", "<=", ">", "=="])
    ),
    st.builds(
        '{} {} "{}"'.format,
        st.sampled_from(["sys_platform", "os_name", "platform_machine", "platform_system", "implementation_name"]),
        st.sampled_from(["==", "!=", "in", "not in", "<", ">="]),
        st.sampled_from(["linux", "win32", "posix", "nt", "x86_64", "aarch64", "Linux", "cpython", "linux darwin"]),
    ),
    st.builds("platform_version {} '{}'".format, st.sampled_from(["==", "!=", "in"]), st.sampled_from(["", "#1 SMP"])),
)
marker = st.recursive(
    comparison,
    lambda inner: st.one_of(st.builds("{} and {}".format, inner, inner), st.builds("({} or {})".format, inner, inner)),
    max_leaves=6,
)


@given(marker, st.sampled_from(TARGETS))
def test_markers_hold_where_packaging_says_so(text: str, target: Target) -> None:
    expected = Marker(text).evaluate({**target.environment, "extra": ""})
    assert Markers(target.environment).hold(text) is expected


@given(marker)
def test_packaging_writes_a_marker_anew_and_it_stays_the_same(text: str) -> None:
    assert same_markers(text, str(Marker(text)))


@pytest.mark.parametrize(
    ("text", "extras", "groups", "holds"),
    [
        ("extra == 'pg'", {"pg"}, set(), True),
        ("extra == 'pg'", {"pg", "srv"}, set(), True),
        ("extra == 'pg'", set(), set(), False),
        ("extra != 'pg'", {"srv"}, set(), True),
        ("extra != 'pg'", {"srv", "pg"}, set(), False),
        ('"pg" == extra', {"pg"}, set(), True),
        ("'pg' in extras", {"pg"}, set(), True),
        ("'pg' not in extras", {"pg"}, set(), False),
        ("'dev' in dependency_groups", {"dev"}, set(), False),
        ("'dev' in dependency_groups", set(), {"dev"}, True),
        ("extra == 'Some_Extra'", {"some-extra"}, set(), True),
        ("extra == 'extra-7-demo-uv-new' or extra != 'extra-7-demo-uv-old'", {"extra-7-demo-uv-old"}, set(), False),
    ],
)
def test_extras_and_groups_are_sets(text: str, extras: set[str], groups: set[str], *, holds: bool) -> None:
    markers = Markers(TARGETS[0].environment)
    assert markers.hold(text, extras=frozenset(extras), groups=frozenset(groups)) is holds


def test_the_same_marker_is_asked_again_when_extras_differ() -> None:
    markers = Markers(TARGETS[0].environment)
    assert not markers.hold("extra == 'a'")
    assert markers.hold("extra == 'a'", extras=frozenset({"a"}))


@pytest.mark.parametrize(
    "text",
    [
        "python_version",
        "python_version >=",
        "python_version >= 3.8",
        "'a' == 'b'",
        "nonsense == 'x'",
        "os_name ~= 'posix'",
        "(os_name == 'posix'",
        "os_name == 'posix')",
        "os_name == 'posix' and",
        "os_name == 'posix' os_name == 'nt'",
        "extra > 'a'",
        "os_name == 'unclosed",
        "os_name not 'posix'",
        "(" * 500 + "os_name == 'posix'" + ")" * 500,
        "os_name == 'x' or " * 20_000 + "os_name == 'x'",
        "\x00",
    ],
)
def test_what_is_no_marker_is_refused(text: str) -> None:
    with pytest.raises(LockError):
        Markers(TARGETS[0].environment).hold(text)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("python_version >= '3.11'", "python_full_version >= '3.11'", True),
        ("python_version < '3.11'", "python_full_version < '3.11'", True),
        ("python_version > '3.10'", "python_full_version >= '3.11'", True),
        ("python_version >= '3.11'", "python_full_version >= '3.12'", False),
        ("python_version >= '3.11'", None, False),
        ("platform_system == 'Windows'", "sys_platform == 'win32'", True),
        ("sys_platform == 'linux' and extra == 'a'", "extra == 'a' and sys_platform == 'linux'", True),
        ("extra == 'a'", "extra == 'b'", False),
        ("sys_platform == 'freebsd13'", "sys_platform == 'linux'", False),
        (None, "", True),
    ],
)
def test_markers_are_compared_by_what_they_mean(one: str | None, other: str | None, *, same: bool) -> None:
    assert same_markers(one, other) is same
