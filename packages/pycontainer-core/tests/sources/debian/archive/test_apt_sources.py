"""What apt's own files say, read as apt reads it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycontainer.errors import DocumentError
from pycontainer.sources.debian.archive import AptSource, parse_source_line, read_apt_sources

DOCKER = b"""\
Types: deb
# http://snapshot.example/archive/debian/20250520T000000Z
URIs: http://archive.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
# http://snapshot.example/archive/debian-security/20250520T000000Z
URIs: http://archive.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
"""
PATH = "etc/apt/sources.list.d/debian.sources"


def deb822(text: str) -> tuple[AptSource, ...]:
    return read_apt_sources({PATH: text.encode()})


def one_line(text: str) -> tuple[AptSource, ...]:
    return read_apt_sources({"/etc/apt/sources.list": text.encode()})


class TestDeb822:
    def test_dockers_images_name_suites_keys_and_the_snapshot_service(self) -> None:
        found = read_apt_sources({PATH: DOCKER})
        assert [(source.uri, source.suite, source.components) for source in found] == [
            ("http://archive.example/debian", "bookworm", ("main",)),
            ("http://archive.example/debian", "bookworm-updates", ("main",)),
            ("http://archive.example/debian-security", "bookworm-security", ("main",)),
        ]
        assert {source.signed_by for source in found} == {("/usr/share/keyrings/debian-archive-keyring.gpg",)}
        assert [source.snapshot for source in found] == [
            "http://snapshot.example/archive/debian/{time}",
            "http://snapshot.example/archive/debian/{time}",
            "http://snapshot.example/archive/debian-security/{time}",
        ]
        assert [source.file for source in found] == [f"{PATH}:1", f"{PATH}:1", f"{PATH}:8"]

    def test_several_addresses_are_each_others_mirrors(self) -> None:
        found = deb822(
            "Types: deb deb-src\nURIs: http://a.example/ http://b.example\nSuites: x\nComponents: main extra\n"
        )
        assert [(source.uri, source.mirrors) for source in found] == [
            ("http://a.example", ("http://b.example",)),
            ("http://b.example", ("http://a.example",)),
        ]
        assert found[0].components == ("main", "extra")

    @pytest.mark.parametrize("word", ["no", "No", "false", "off", "0", "disable", "without"])
    def test_what_is_turned_off_is_left_out(self, word: str) -> None:
        assert deb822(f"Enabled: {word}\nTypes: deb\nURIs: http://a.example\nSuites: x\nComponents: main\n") == ()

    def test_sources_of_source_packages_are_left_out(self) -> None:
        assert deb822("Types: deb-src\nURIs: http://a.example\nSuites: x\nComponents: main\n") == ()

    def test_names_are_in_any_case_and_options_kept(self) -> None:
        (source,) = deb822(
            "TYPES: deb\nuris: http://a.example\nSuites: x\n# a comment\nComponents:\n main\n extra\n"
            "Architectures: amd64 arm64\n"
            "Check-Valid-Until: no\nTrusted: yes\nLanguages: none\n"
        )
        assert source.components == ("main", "extra")
        assert source.architectures == ("amd64", "arm64")
        assert source.says_no("check-valid-until")
        assert not source.says_no("check-date")
        assert source.options["trusted"] == "yes"

    def test_a_key_may_stand_in_the_file(self) -> None:
        (source,) = deb822(
            "Types: deb\nURIs: http://a.example\nSuites: x\nComponents: main\nSigned-By:\n"
            " -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDMEY\n =abcd\n -----END PGP PUBLIC KEY BLOCK-----\n"
        )
        assert source.signed_by == (
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEY\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----",
        )

    def test_a_flat_archive_has_no_components(self) -> None:
        (source,) = deb822("Types: deb\nURIs: http://a.example/repo\nSuites: ./\n")
        assert source.is_flat
        assert source.components == ()

    @pytest.mark.parametrize(
        "text",
        [
            "Types: deb\nSuites: x\nComponents: main\n",
            "Types: deb\nURIs: http://a.example\nComponents: main\n",
            "Types: deb\nURIs: http://a.example\nSuites: x\n",
            "Types: deb\nURIs: http://a.example\nSuites: ./\nComponents: main\n",
            "Types: deb\nURIs: http://a.example\nSuites: ../../x\nComponents: main\n",
            "Types: deb\nURIs: http://a.example\nSuites: x\nComponents: ../main\n",
            "Types: deb\nTypes: deb\n",
            "no field\n",
            " continues nothing\n",
        ],
    )
    def test_what_apt_would_refuse_is_refused(self, text: str) -> None:
        with pytest.raises(DocumentError) as caught:
            deb822(text)
        assert any(PATH in fact for fact in caught.value.facts)


class TestOneLine:
    def test_options_comments_and_disabled_lines(self) -> None:
        found = one_line(
            "# a comment\n"
            "#deb http://off.example x main\n"
            "deb [arch=amd64,arm64 signed-by=/a.gpg,/b.asc check-valid-until=no] "
            "http://a.example/debian/ x main extra # y\n"
            "deb-src http://a.example/debian x main\n"
            "\n"
            "deb\thttps://b.example\ty\tmain\n"
        )
        assert [(source.uri, source.suite) for source in found] == [
            ("http://a.example/debian", "x"),
            ("https://b.example", "y"),
        ]
        assert found[0].architectures == ("amd64", "arm64")
        assert found[0].signed_by == ("/a.gpg", "/b.asc")
        assert found[0].components == ("main", "extra")
        assert found[0].says_no("check-valid-until")
        assert found[0].file == "etc/apt/sources.list:3"

    def test_older_images_name_the_snapshot_service_in_a_line(self) -> None:
        found = one_line(
            "# deb http://snapshot.example/archive/debian/20230411T000000Z bullseye main\n"
            "deb http://archive.example/debian bullseye main\n"
            "deb http://other.example/debian bullseye main\n"
        )
        assert [source.snapshot for source in found] == ["http://snapshot.example/archive/debian/{time}", None]

    def test_changes_of_apts_own_set_of_architectures_say_nothing(self) -> None:
        (source,) = one_line("deb [arch+=i386 arch-=amd64 lang=none] http://a.example x main\n")
        assert source.architectures == ()

    def test_a_cd_is_read_as_one_address(self) -> None:
        (source,) = one_line("deb cdrom:[Debian GNU/Linux 12 _Bookworm_ - amd64]/ bookworm main\n")
        assert source.uri.startswith("cdrom:[Debian GNU/Linux 12")

    @pytest.mark.parametrize(
        "text", ["deb http://a.example\n", "deb [x] http://a.example x main\n", "rpm http://a x y\n"]
    )
    def test_what_apt_would_refuse_is_refused(self, text: str) -> None:
        with pytest.raises(DocumentError) as caught:
            one_line(text)
        assert "line: etc/apt/sources.list:1" in caught.value.facts

    def test_a_line_of_the_option_needs_no_deb(self) -> None:
        for text in ("deb [arch=amd64] http://a.example x main", "[arch=amd64] http://a.example x main"):
            (source,) = parse_source_line(text, file="here")
            assert (source.uri, source.suite, source.architectures) == ("http://a.example", "x", ("amd64",))


class TestFiles:
    def test_the_order_is_apts_and_other_files_are_not_read(self) -> None:
        line = "deb http://{}.example x main\n"
        files = {
            "etc/apt/sources.list.d/b.list": line.format("b"),
            "etc/apt/sources.list.d/a.sources": "Types: deb\nURIs: http://a.example\nSuites: x\nComponents: main\n",
            "etc/apt/sources.list": line.format("first"),
            "etc/apt/sources.list.d/c.list.save": line.format("saved"),
            "etc/apt/sources.list.d/d.disabled": "garbage",
            "etc/apt/preferences": "garbage",
        }
        found = read_apt_sources({path: text.encode() for path, text in files.items()})
        assert [source.uri for source in found] == ["http://first.example", "http://a.example", "http://b.example"]

    def test_a_list_of_mirrors_is_read_by_priority(self) -> None:
        files = {
            "etc/apt/sources.list": b"deb mirror+file:/etc/apt/mirrors.txt x main\n",
            "etc/apt/mirrors.txt": b"# mine\n"
            b"http://b.example/debian/\tpriority:2\nhttp://a.example/debian priority:1\nhttp://c.example\n",
        }
        (source,) = read_apt_sources(files)
        assert (source.uri, source.mirrors) == (
            "http://a.example/debian",
            ("http://b.example/debian", "http://c.example"),
        )
        del files["etc/apt/mirrors.txt"]
        with pytest.raises(DocumentError, match=r"The list of mirrors `/etc/apt/mirrors\.txt` is absent or empty"):
            read_apt_sources(files)

    def test_a_user_is_no_part_of_the_address(self) -> None:
        (source,) = one_line("deb https://bob:hunter2%21@a.example/debian x main\n")
        assert source.uri == "https://a.example/debian"
        assert source.credentials is not None
        assert source.credentials.reveal() == "bob:hunter2!"
        assert "hunter2" not in repr(source) + str(source)

    def test_a_malformed_line_does_not_show_its_password(self) -> None:
        with pytest.raises(DocumentError) as caught:
            one_line("deb https://bob:hunter2@a.example/debian\n")
        assert "hunter2" not in str(caught.value)

    def test_bytes_that_are_no_text_are_refused(self) -> None:
        with pytest.raises(DocumentError, match="is not UTF-8"):
            read_apt_sources({PATH: b"Types: deb\nURIs: \xff\n"})

    def test_more_than_anybody_has_is_refused(self) -> None:
        with pytest.raises(DocumentError, match="more than 500"):
            one_line("".join(f"deb http://a{number}.example x main\n" for number in range(600)))

    @given(st.text(alphabet=st.sampled_from("deb []=:/.#\n\t -http@xURISuites,Typs"), max_size=200))
    def test_nothing_else_is_raised(self, text: str) -> None:
        for path in ("etc/apt/sources.list", PATH):
            for content in (text, f"Types: deb\nURIs: {text}", f"deb {text}"):
                with suppress(DocumentError):
                    read_apt_sources({path: content.encode()})
