"""Everything that can be wrong with an archive ends in one clear error, whatever verifies its signature."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import msgspec
import pytest

from pycontainer.blobs.store import BlobStore
from pycontainer.errors import DocumentError, IntegrityError, NetworkError, PackageError, PyContainerError, ToolError
from pycontainer.sources.debian.archive import Archive, Keyring, Keyrings, Verifier, find_verifier
from pycontainer.sources.debian.archive.gpgv import Gpgv
from pycontainer.sources.debian.archive.sequoia import Sequoia
from pycontainer.sources.debian.archive.signatures import open_signed
from pycontainer.testing.debian_archive import ArchiveServer, SigningKey
from pycontainer.testing.debian_faults import DEB_FAULTS, IN_RELEASE, INDEX_FAULTS, RELEASE_FAULTS
from pycontainer.testing.debs import DebForge

Opener = Callable[..., Archive]

EXPECTED: dict[str, tuple[type[PyContainerError], str]] = {
    "changed": (IntegrityError, "was changed after it was signed"),
    "line added": (IntegrityError, "was changed after it was signed"),
    "unsigned": (IntegrityError, "is not signed"),
    "no signature in its signature": (IntegrityError, "is not signed by a key that is trusted"),
    "signed by another": (IntegrityError, "is not signed by a key that is trusted"),
    "of another suite": (PackageError, "answers with another suite than `bookworm`"),
    "expired": (PackageError, "The release of `bookworm` has expired"),
    "of the future": (PackageError, "The release of `bookworm` is dated in the future"),
    "text before": (IntegrityError, "has text outside of what is signed"),
    "text after": (IntegrityError, "has text outside of what is signed"),
    "two parts": (IntegrityError, "is not one signed message"),
    "a part in a part": (IntegrityError, "is not one signed message"),
    "another header": (IntegrityError, "is signed in a way that is not understood"),
    "cut off": (IntegrityError, "is not one signed message"),
    "empty": (IntegrityError, "is not signed"),
    "endless": (NetworkError, "The answer is longer than"),
    "binary": (IntegrityError, "is not signed"),
}


class TestReleases:
    def test_every_fault_has_an_expectation(self) -> None:
        assert EXPECTED.keys() == RELEASE_FAULTS.keys()

    @pytest.mark.parametrize("fault", RELEASE_FAULTS)
    def test_a_release_that_is_not_to_be_believed_is_refused(
        self, fault: str, verifier: Verifier, server: ArchiveServer, open_archive: Opener
    ) -> None:
        RELEASE_FAULTS[fault](server)
        kind, message = EXPECTED[fault]
        with pytest.raises(kind) as caught:
            open_archive(verifier=verifier).index("amd64")
        assert message in caught.value.message
        assert server.uri in str(caught.value)
        # Nothing that it says was followed.
        assert server.asked("binary-amd64") == []

    def test_a_good_one_is_taken(self, verifier: Verifier, open_archive: Opener) -> None:
        archive = open_archive(verifier=verifier)
        assert sorted(archive.index("amd64").names()) == ["demo", "libdemo1"]
        assert [(item.asked, item.origin) for item in archive.releases] == [("bookworm", "Forged")]

    def test_escaped_dashes_are_text(self, verifier: Verifier, server: ArchiveServer, open_archive: Opener) -> None:
        server.publish(fields={"Description": "a list\n - of\n -dashes", "Changelogs": "no"})
        text = server.files[IN_RELEASE]
        dashed = server.key.clear_sign(b"-dash: 1\n" + server.files["debian/dists/bookworm/Release"])
        assert b"- -dash" in dashed
        open_archive(verifier=verifier).index("amd64")
        server.files[IN_RELEASE] = text.replace(b"Origin: Forged", b"- Origin: Forged")
        # An escape that was not needed is none of the text: it is still what was signed.
        assert open_archive(verifier=verifier).index("amd64").names()
        server.files[IN_RELEASE] = dashed
        with pytest.raises(DocumentError, match="release of `bookworm` is malformed"):
            open_archive(verifier=verifier).index("amd64")

    def test_a_key_that_has_expired_counts_no_more(
        self, verifier: Verifier, server: ArchiveServer, open_archive: Opener
    ) -> None:
        key = SigningKey.make("Forgotten")
        server.files[IN_RELEASE] = key.clear_sign(server.files["debian/dists/bookworm/Release"])
        keyrings = Keyrings(given=[Keyring.parse("forgotten.gpg", key.expired())])
        with pytest.raises(IntegrityError, match="is signed by a key that has expired"):
            open_archive(verifier=verifier, keyrings=keyrings).index("amd64")

    def test_a_key_that_was_revoked_counts_no_more(
        self, verifier: Verifier, server: ArchiveServer, open_archive: Opener
    ) -> None:
        keyrings = Keyrings(given=[Keyring.parse("revoked.gpg", server.key.revoked())])
        with pytest.raises(IntegrityError, match="is signed by a key that was revoked"):
            open_archive(verifier=verifier, keyrings=keyrings).index("amd64")

    def test_a_key_that_the_source_does_not_want_does_not_count(
        self, verifier: Verifier, server: ArchiveServer, open_archive: Opener
    ) -> None:
        wanted = server.sources(signed_by=(server.key.fingerprint,))
        assert open_archive(verifier=verifier, sources=wanted).index("amd64").names()
        other = server.sources(signed_by=("A" * 40,))
        with pytest.raises(IntegrityError, match="is not signed by a key that is trusted") as caught:
            open_archive(verifier=verifier, sources=other).index("amd64")
        assert f"wanted by the source: {'A' * 40}" in caught.value.facts

    def test_what_calls_itself_trusted_is_not(
        self, verifier: Verifier, server: ArchiveServer, open_archive: Opener
    ) -> None:
        RELEASE_FAULTS["unsigned"](server)
        with pytest.raises(IntegrityError, match="is not signed"):
            open_archive(verifier=verifier, sources=server.sources(options={"trusted": "yes"})).index("amd64")

    def test_a_release_that_became_older_is_refused(
        self, verifier: Verifier, server: ArchiveServer, open_archive: Opener
    ) -> None:
        open_archive(verifier=verifier).index("amd64")
        server.publish(date=datetime.now(timezone.utc) - timedelta(days=1))
        with pytest.raises(PackageError, match="is older than one that was seen before") as caught:
            open_archive(verifier=verifier).index("amd64")
        assert any(fact.startswith("seen: ") for fact in caught.value.facts)

    def test_a_release_older_than_the_lock_is_refused(self, verifier: Verifier, open_archive: Opener) -> None:
        dates = {"Forged/Forged/bookworm": datetime.now(timezone.utc) + timedelta(hours=1)}
        with pytest.raises(PackageError, match="is older than one that was seen before"):
            open_archive(verifier=verifier, dates=dates).index("amd64")

    def test_an_archive_that_changes_no_more_may_be_expired(self, server: ArchiveServer, open_archive: Opener) -> None:
        RELEASE_FAULTS["expired"](server)
        assert open_archive(sources=server.sources(options={"check-valid-until": "no"})).index("amd64").names()

    def test_of_several_archives_the_first_that_fails_is_named(
        self, server: ArchiveServer, open_archive: Opener
    ) -> None:
        RELEASE_FAULTS["expired"](server)
        server.add(DebForge(name="newer"), suite="bookworm-updates")
        server.publish("bookworm-updates", date=datetime.now(timezone.utc) - timedelta(days=10))
        sources = [*server.sources("bookworm-updates"), *server.sources()]
        with pytest.raises(PackageError, match="The release of `bookworm-updates` has expired"):
            open_archive(sources=sources).index("amd64")

    def test_what_was_refused_is_not_remembered(self, server: ArchiveServer, open_archive: Opener) -> None:
        good = server.files[IN_RELEASE]
        RELEASE_FAULTS["of the future"](server)
        with pytest.raises(PackageError):
            open_archive().index("amd64")
        server.files.clear()
        server.publish()
        server.files[IN_RELEASE] = good
        assert open_archive().index("amd64").names()


class TestVerifiers:
    def test_one_good_signature_is_enough(
        self, verifier: Verifier, server: ArchiveServer, open_archive: Opener
    ) -> None:
        both = Keyrings(given=[SigningKey.make("Another").keyring("another.gpg"), server.key.keyring()])
        assert open_archive(verifier=verifier, keyrings=both).index("amd64").names()

    def test_gpgv_is_taken_where_it_is_else_pysequoia(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(find_verifier(), Gpgv)
        assert isinstance(find_verifier({"PATH": str(tmp_path)}), Sequoia)
        monkeypatch.setattr("pycontainer.sources.debian.archive.signatures.find_spec", lambda *_: None)
        with pytest.raises(ToolError, match="Nothing on this host can check the signature") as caught:
            find_verifier({"PATH": str(tmp_path)})
        assert "pycontainer-core[debian]" in (caught.value.hint or "")
        assert "lock" in (caught.value.hint or "")

    def test_a_gpgv_that_fails_is_no_good_signature(self, tmp_path: Path, open_archive: Opener) -> None:
        with pytest.raises(ToolError, match="failed"):
            open_archive(verifier=Gpgv("/bin/false")).index("amd64")
        with pytest.raises(ToolError, match="cannot be run"):
            open_archive(verifier=Gpgv(str(tmp_path / "absent"))).index("amd64")

    def test_a_status_that_no_gpgv_gives_is_no_good_signature(
        self, tmp_path: Path, server: ArchiveServer, open_archive: Opener
    ) -> None:
        """Programs that say all but one of what must be said; the message is there, unchecked."""
        key = server.key.fingerprint
        good = ["PLAINTEXT 74 0", "NEWSIG", f"GOODSIG {key[-16:]} x", f"VALIDSIG {key} 2026-01-01 1 0 4 0 1 8 01 {key}"]
        for missing in range(len(good)):
            self._must_fail(tmp_path, open_archive, good[:missing] + good[missing + 1 :])
        self._must_fail(tmp_path, open_archive, [*good, f"EXPKEYSIG {key[-16:]} x"])
        self._must_fail(tmp_path, open_archive, [*good, "ERROR proc_pkt.plaintext 89"])
        self._must_fail(tmp_path, open_archive, ["PLAINTEXT 74 0", *good])
        assert open_archive(verifier=self._liar(tmp_path, good)).index("amd64").names()

    def _must_fail(self, folder: Path, open_archive: Opener, lines: list[str]) -> None:
        with pytest.raises(IntegrityError):
            open_archive(verifier=self._liar(folder, lines)).index("amd64")

    @staticmethod
    def _liar(folder: Path, lines: list[str]) -> Gpgv:
        program = folder / "gpgv"
        says = "".join(f"echo '[GNUPG:] {line}'\n" for line in lines)
        cut = "awk 'text && /^-----BEGIN PGP SIG/ {exit} text {print} /^$/ {text = 1}'"
        program.write_text(f'#!/bin/sh\nfor last; do :; done\n{cut} "$last" > "$(dirname "$last")/text"\n{says}')
        program.chmod(0o755)
        return Gpgv(str(program))

    def test_both_give_the_same_text(self, server: ArchiveServer) -> None:
        keyrings = [server.key.keyring()]
        now = datetime.now(timezone.utc)
        message = server.files[IN_RELEASE]
        opened = [item.open(message, keyrings, now) for item in (find_verifier(), Sequoia())]
        assert opened[0].text.strip() == opened[1].text.strip()
        assert opened[0].text.startswith(b"Origin: Forged\nLabel: Forged\n")
        assert opened[0].signatures == opened[1].signatures

    def test_no_damage_of_a_message_passes(self, verifier: Verifier, key: SigningKey) -> None:
        """Bytes replaced, removed, added, moved: refused, or it is still the text that was signed."""
        chance = random.Random(20260301)  # noqa: S311 - the same damage every time
        text = b"Origin: x\n- dash\n" + b"".join(b" %064d 12 main/%d\n" % (number, number) for number in range(20))
        message = key.clear_sign(text)
        refused = 0
        for _ in range(40 if isinstance(verifier, Gpgv) else 400):
            damaged = _damaged(message, chance)
            try:
                opened = open_signed(
                    damaged, [key.keyring()], verifier=verifier, now=datetime.now(timezone.utc), name="damaged"
                )
            except IntegrityError:
                refused += 1
            else:
                # White space at the ends of lines is not signed (RFC 9580, 7.2).
                assert opened.split() == text.split()
        assert refused > 30

    def test_a_key_that_cannot_be_used_does_not_spoil_its_keyring(
        self, verifier: Verifier, server: ArchiveServer, open_archive: Opener
    ) -> None:
        unbound = SigningKey.make("Unbound").public
        head = len(unbound.partition(b"Unbound")[0]) + len(b"Unbound")
        keyrings = Keyrings(given=[Keyring.parse("both.gpg", unbound[:head] + server.key.public)])
        assert open_archive(verifier=verifier, keyrings=keyrings).index("amd64").names()

    def test_gpgv_touches_nothing_of_the_user(
        self, tmp_path: Path, open_archive: Opener, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        home = tmp_path / "home"
        home.mkdir()
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.delenv("GNUPGHOME", raising=False)
        open_archive(verifier=find_verifier()).index("amd64")
        assert list(home.iterdir()) == []


def _damaged(message: bytes, chance: random.Random) -> bytes:
    found = bytearray(message)
    for _ in range(chance.choice([1, 1, 2, 5])):
        at = chance.randrange(len(found))
        damage = chance.randrange(4)
        if damage == 0:
            found[at] = chance.randrange(256)
        elif damage == 1:
            del found[at : at + chance.randrange(1, 40)]
        elif damage == 2:
            found[at:at] = chance.randbytes(3)
        else:
            other = chance.randrange(len(found))
            found[at:at] = found[other : other + 50]
    return bytes(found)


class TestIndexes:
    @pytest.mark.parametrize("fault", INDEX_FAULTS)
    def test_an_index_that_is_not_what_the_release_lists_is_refused(
        self, fault: str, server: ArchiveServer, open_archive: Opener, store: BlobStore
    ) -> None:
        INDEX_FAULTS[fault](server)
        with pytest.raises(IntegrityError, match=r"bookworm/main/binary-amd64/Packages\.xz"):
            open_archive().index("amd64")
        plain = [size for _, size in ((digest, store.size(digest)) for digest, _ in store.entries())]
        assert len(plain) <= 1  # at most the packed one, whose hash was right

    def test_a_compressed_index_that_is_not_one_is_refused(self, server: ArchiveServer, open_archive: Opener) -> None:
        server.publish(listed=lambda _: {"main/binary-amd64/Packages.xz": b"\xfd7zX no more"})
        for path in [path for path in server.files if path.endswith("Packages.xz")]:
            server.files[path] = b"\xfd7zX no more"
        with pytest.raises(DocumentError):
            open_archive().index("amd64")

    def test_an_architecture_that_the_archive_lacks_is_named(self, open_archive: Opener) -> None:
        with pytest.raises(PackageError, match="has no packages for `arm64`") as caught:
            open_archive().index("arm64")
        assert "it has: amd64" in caught.value.facts

    def test_a_component_that_the_archive_lacks_is_named(self, server: ArchiveServer, open_archive: Opener) -> None:
        with pytest.raises(PackageError, match="has no component `contrib` for `amd64`") as caught:
            open_archive(sources=server.sources(components=("contrib",))).index("amd64")
        assert "it has: main" in caught.value.facts

    def test_an_architecture_that_is_listed_but_kept_elsewhere_is_named(
        self, server: ArchiveServer, open_archive: Opener
    ) -> None:
        server.publish(architectures=["amd64", "arm64"])
        server.faults.append(lambda handler: "binary-arm64" in handler.path and handler.send(404))
        assert open_archive().index("amd64").names()
        with pytest.raises(
            PackageError, match=r"lists `main/binary-arm64/Packages\.xz` but does not have it"
        ) as caught:
            open_archive().index("arm64")
        assert "{os_archive}" in (caught.value.hint or "")

    def test_a_suite_that_the_archive_lacks_is_named(self, server: ArchiveServer, open_archive: Opener) -> None:
        with pytest.raises(PackageError, match="no signed release of `buster`") as caught:
            open_archive(sources=server.sources("buster", file="etc/apt/sources.list:3")).index("amd64")
        assert "named by: etc/apt/sources.list:3" in caught.value.facts


class TestPackages:
    @pytest.mark.parametrize("fault", DEB_FAULTS)
    def test_a_package_that_is_not_what_the_index_names_is_refused(
        self, fault: str, server: ArchiveServer, open_archive: Opener, store: BlobStore
    ) -> None:
        archive = open_archive()
        (package,) = archive.index("amd64").versions("demo")
        DEB_FAULTS[fault](server)
        before = sorted(str(digest) for digest, _ in store.entries())
        with pytest.raises(IntegrityError, match=r"`demo_1\.0_amd64\.deb` is not the file") as caught:
            archive.fetch(package)
        assert f"from: {server.uri}/pool/main/demo_1.0_amd64.deb" in caught.value.facts
        assert sorted(str(digest) for digest, _ in store.entries()) == before

    def test_a_package_that_left_the_archive_is_named(self, server: ArchiveServer, open_archive: Opener) -> None:
        archive = open_archive()
        (package,) = archive.index("amd64").versions("demo")
        server.hidden = (".deb",)
        with pytest.raises(PackageError, match=r"No archive has `demo 1\.0` any more") as caught:
            archive.fetch(package)
        assert "{os_snapshot}" in (caught.value.hint or "")

    @pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "http://evil.example/x.deb", "pool/../x", ""])
    def test_a_package_that_lies_about_its_place_is_not_looked_for(
        self, name: str, server: ArchiveServer, open_archive: Opener
    ) -> None:
        archive = open_archive()
        (package,) = archive.index("amd64").versions("demo")
        before = len(server.requests)
        with pytest.raises((DocumentError, PackageError)):
            archive.fetch(msgspec.structs.replace(package, filename=name))
        assert len(server.requests) == before

    def test_several_failures_are_one_error(self, server: ArchiveServer, open_archive: Opener) -> None:
        archive = open_archive()
        index = archive.index("amd64")
        server.hidden = (".deb",)
        with pytest.raises(PackageError, match="2 files could not be fetched") as caught:
            archive.fetch_all([index.versions("demo")[0], index.versions("libdemo1")[0]])
        assert any("libdemo1" in fact for fact in caught.value.facts)

    def test_a_forged_package_of_the_right_name_is_another(self, server: ArchiveServer, open_archive: Opener) -> None:
        archive = open_archive()
        (package,) = archive.index("amd64").versions("demo")
        server.files["debian/pool/main/demo_1.0_amd64.deb"] = DebForge(name="demo", files={"evil": b""}).build()
        with pytest.raises(IntegrityError):
            archive.fetch(package)
