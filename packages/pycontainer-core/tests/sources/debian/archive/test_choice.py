"""Which archives, which keys: what the user says, else the base image's, else this host's."""

from __future__ import annotations

from pathlib import Path

import pytest

from pycontainer.errors import ConfigError, DocumentError, PackageError
from pycontainer.sources.debian.archive import (
    AptSource,
    Keyring,
    Keyrings,
    choose_sources,
    read_host_apt,
)
from pycontainer.testing.debian_archive import SigningKey

SOURCES = """\
Types: deb
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates bookworm-backports
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://vendor.example/apt
Suites: bookworm
Components: stable
"""


@pytest.fixture
def host(tmp_path: Path) -> Path:
    apt = tmp_path / "etc" / "apt"
    (apt / "sources.list.d").mkdir(parents=True)
    (apt / "auth.conf.d").mkdir()
    (apt / "sources.list.d" / "debian.sources").write_text(SOURCES)
    (apt / "sources.list").write_text("deb mirror+file:/srv/mirrors stable main\n")
    (apt / "auth.conf.d" / "x.conf").write_text("machine archive.example login bob password x\n")
    (tmp_path / "srv").mkdir()
    (tmp_path / "srv" / "mirrors").write_text("http://mirror.example/debian\n")
    (tmp_path / "etc" / "os-release").write_text('ID=debian\nVERSION_CODENAME="bookworm"\n# x\n')
    return tmp_path


def pairs(sources: tuple[AptSource, ...]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(source.uri, source.suite, source.components) for source in sources]


class TestSources:
    def test_the_option_wins(self, host: Path) -> None:
        base = [AptSource(uri="http://base.example", suite="bookworm", components=("main",))]
        found = choose_sources(
            given=["http://given.example/debian stable main contrib"],
            base=base,
            host=read_host_apt(host),
            distribution="debian",
            codename="bookworm",
        )
        assert pairs(found) == [("http://given.example/debian", "stable", ("main", "contrib"))]

    def test_an_address_stands_for_the_suites_of_the_codename(self) -> None:
        found = choose_sources(
            given=["http://a.example/debian/", "http://a.example/debian-security"],
            distribution="debian",
            codename="trixie",
        )
        assert pairs(found) == [
            ("http://a.example/debian", "trixie", ("main",)),
            ("http://a.example/debian", "trixie-updates", ("main",)),
            ("http://a.example/debian-security", "trixie-security", ("main",)),
        ]
        assert [source.guessed for source in found] == [False, True, False]

    def test_ubuntu_has_all_suites_at_one_address(self) -> None:
        found = choose_sources(given=["http://a.example/ubuntu"], distribution="ubuntu", codename="noble")
        assert [(source.suite, source.guessed) for source in found] == [
            ("noble", False),
            ("noble-updates", True),
            ("noble-security", True),
        ]
        assert found[0].components == ("main", "universe")

    @pytest.mark.parametrize(
        "text", ["http://a.example x", "[arch http://a.example x main", "http://a.example ../x main"]
    )
    def test_an_option_that_is_no_source_is_named(self, text: str) -> None:
        with pytest.raises(ConfigError) as caught:
            choose_sources(given=[text], distribution="debian", codename="bookworm")
        assert "{os_archive}" in (caught.value.hint or "")

    def test_an_address_alone_needs_the_name_of_the_release(self) -> None:
        with pytest.raises(PackageError, match="does not tell which release it is"):
            choose_sources(given=["http://a.example"], distribution="debian", codename="")
        (source,) = choose_sources(given=["http://a.example sid main"], distribution="debian", codename="")
        assert source.suite == "sid"

    def test_the_base_image_comes_before_the_host(self, host: Path) -> None:
        base = (AptSource(uri="http://base.example", suite="bookworm", components=("main",)),)
        assert choose_sources(base=base, host=read_host_apt(host), distribution="debian", codename="bookworm") == base

    def test_the_hosts_own_suites_are_those_of_another_codename(self, host: Path) -> None:
        found = choose_sources(host=read_host_apt(host), distribution="debian", codename="trixie")
        assert pairs(found) == [
            ("http://mirror.example/debian", "trixie", ("main",)),
            ("http://archive.example/debian", "trixie", ("main", "contrib")),
            ("http://archive.example/debian", "trixie-updates", ("main", "contrib")),
            ("http://archive.example/debian-security", "trixie-security", ("main",)),
        ]

    def test_a_host_of_another_distribution_has_none(self, host: Path) -> None:
        with pytest.raises(PackageError, match="No archive of packages for ubuntu `noble` is known") as caught:
            choose_sources(host=read_host_apt(host), distribution="ubuntu", codename="noble")
        assert "{os_archive}" in (caught.value.hint or "")
        assert "lock" in (caught.value.hint or "")
        assert any("debian bookworm" in fact for fact in caught.value.facts)

    def test_a_host_without_apt_has_none(self, tmp_path: Path) -> None:
        empty = read_host_apt(tmp_path)
        assert (empty.sources, empty.distribution) == ((), "")
        with pytest.raises(PackageError):
            choose_sources(host=empty, distribution="debian", codename="bookworm")


class TestKeyrings:
    NAMED = AptSource(uri="http://a.example", suite="x", signed_by=("/usr/share/keyrings/a-archive-keyring.gpg",))
    PLAIN = AptSource(uri="http://a.example", suite="x")

    def test_a_named_file_is_the_only_one(self, key: SigningKey) -> None:
        files = {"usr/share/keyrings/a-archive-keyring.gpg": key.public, "etc/apt/trusted.gpg.d/other.gpg": key.public}
        (found,) = Keyrings(given=[key.keyring()], base=files).of(self.NAMED)
        assert found.name == "/usr/share/keyrings/a-archive-keyring.gpg"

    def test_it_may_have_become_a_link_to_another_suffix(self, key: SigningKey) -> None:
        (found,) = Keyrings(base={"usr/share/keyrings/a-archive-keyring.pgp": key.public}).of(self.NAMED)
        assert found.keys == key.public

    def test_it_may_be_on_the_host(self, key: SigningKey) -> None:
        (found,) = Keyrings(host={"/usr/share/keyrings/a-archive-keyring.gpg": key.public}).of(self.NAMED)
        assert found.keys == key.public

    def test_a_named_file_that_is_nowhere_is_not_replaced_by_others(self, key: SigningKey) -> None:
        keyrings = Keyrings(base={"etc/apt/trusted.gpg.d/other.gpg": key.public})
        with pytest.raises(PackageError, match="No keys are known") as caught:
            keyrings.of(self.NAMED)
        assert any("a-archive-keyring.gpg" in fact for fact in caught.value.facts)
        assert Keyrings(given=[key.keyring("mine")]).of(self.NAMED)[0].name == "mine"

    def test_without_a_name_it_is_what_the_base_trusts(self, key: SigningKey) -> None:
        base = {
            "etc/apt/trusted.gpg.d/a.asc": key.armored.encode(),
            "etc/apt/trusted.gpg.d/b.gpg": b"\x00\x00\x00\x20\x01\x01\x00\x02KBXf",
            "usr/share/keyrings/debian-archive-keyring.gpg": key.public,
            "usr/share/keyrings/vendor.gpg": key.public,
        }
        found = Keyrings(base=base, host={"etc/apt/trusted.gpg": key.public}).of(self.PLAIN)
        assert [keyring.name for keyring in found] == [
            "/etc/apt/trusted.gpg.d/a.asc of the base image",
            "/usr/share/keyrings/debian-archive-keyring.gpg of the base image",
        ]
        assert found[0].keys == found[1].keys

    def test_the_host_comes_last(self, key: SigningKey) -> None:
        (found,) = Keyrings(host={"etc/apt/trusted.gpg": key.public}).of(self.PLAIN)
        assert found.name == "/etc/apt/trusted.gpg of the host"
        with pytest.raises(PackageError, match="No keys are known"):
            Keyrings().of(self.PLAIN)

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"hello",
            b"\x00\x00\x00\x20\x01\x01\x00\x02KBXf",
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n!!!!\n-----END PGP PUBLIC KEY BLOCK-----\n",
            b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME",
            b"-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nmDME\n-----END PGP PRIVATE KEY BLOCK-----\n",
        ],
    )
    def test_what_is_no_keyring_is_refused(self, content: bytes) -> None:
        with pytest.raises(DocumentError, match=r"`k\.gpg`"):
            Keyring.parse("k.gpg", content)

    def test_armor_with_headers_and_checksum_is_taken_off(self, key: SigningKey) -> None:
        text = key.armored.replace("BLOCK-----\n", "BLOCK-----\nVersion: 1\nComment: two words\n", 1)
        assert Keyring.parse("k.asc", text.encode()).keys == key.public
        assert Keyring.parse("k.asc", text.replace("\n", "\r\n").encode()).keys == key.public
