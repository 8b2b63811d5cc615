"""`ImageReproducer`: builds an image again from its provenance and its source, and compares the two.

    outcome = ImageReproducer(config, emit=show).reproduce("ghcr.io/acme/api:1.4", expected)
    outcome.is_same, outcome.unequal

`config` names the checkout (`context_path`) and says how registries are reached; all that the image depends on comes
from the provenance and from the checkout.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pycontainer.attest.reproduction.compare import Side, Unequal, compare_images
from pycontainer.attest.signing.bundle import MEDIA_TYPE, read_bundle
from pycontainer.attest.statement import PAYLOAD_TYPE, PROVENANCE, Statement
from pycontainer.attest.verification.contents import parts_of
from pycontainer.builder.builder import ImageBuilder
from pycontainer.builder.replay import read_replay
from pycontainer.builder.session import Session
from pycontainer.config.load import load_config
from pycontainer.errors import PyContainerError, SignatureError
from pycontainer.events import Noted, Warned, ignore
from pycontainer.oci import Manifest
from pycontainer.plan import host_platform
from pycontainer.project.vcs import source_annotations
from pycontainer.reading import ImageReader
from pycontainer.sources.base.variant import read_config
from pycontainer.value import Value, replace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from pycontainer.attest.verification.contents import Part
    from pycontainer.attest.verification.evidence import Signer
    from pycontainer.builder.replay import Replay
    from pycontainer.builder.verifier import Expected
    from pycontainer.config import BuildConfig
    from pycontainer.events import Emit
    from pycontainer.oci import Digest
    from pycontainer.reading.places import FoundImage

_REVISION = "org.opencontainers.image.revision"


class Reproduction(Value, frozen=True, kw_only=True):
    """What came of it.

    Attributes:
        name: What the image was asked for as.
        published: The digest that it has.
        rebuilt: The digest that its sources give.
        unequal: What differs, from the files up; empty where the digests are the same.
    """

    name: str
    published: Digest
    rebuilt: Digest
    unequal: tuple[Unequal, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the image is what its sources give, byte for byte."""
        return self.published == self.rebuilt

    def to_json(self) -> dict[str, Any]:
        """The outcome for programs: stable names."""
        return {
            "image": self.name,
            "published": str(self.published),
            "rebuilt": str(self.rebuilt),
            "same": self.is_same,
            "differences": [
                {"subject": part.subject, "path": each.path or None, "text": each.text, "facts": list(each.facts)}
                for part in self.unequal
                for each in part.differences
            ],
        }


class ImageReproducer:
    """Builds images again.

    Args:
        config: The checkout, and how registries are spoken to.
        emit: Hears what happens.
    """

    def __init__(self, config: BuildConfig, *, emit: Emit = ignore) -> None:
        self._config = config
        self._emit = emit

    def reproduce(self, image: str, expected: Expected | None) -> Reproduction:
        """Build an image once more, without any cache, and compare.

        Args:
            image: A reference, or where a layout or archive is.
            expected: Whose provenance is believed; none means whichever is attached.

        Raises:
            SignatureError: No provenance is attached that can be believed.
            DocumentError: It is of another kind of build.
            PyContainerError: The image cannot be read, or cannot be built from this checkout.
        """
        signer = None if expected is None else expected.signer(self._config)
        with Session(self._config, self._emit) as session:
            reader = ImageReader(session.registry, home=None, platform=host_platform(), emit=self._emit)
            found = reader.find(image)
            parts = parts_of(found.contents, found.top)
            replay = read_replay(_provenance(found, signer))
            self._tell(replay)
            layout = session.folder / "rebuilt"
            built = ImageBuilder(self._options(replay, found, parts, layout), emit=self._emit).build()
            outcome = Reproduction(name=found.name, published=found.top.digest, rebuilt=built.digest)
            if outcome.is_same:
                return outcome
            again = reader.find(f"oci:{layout}")
            sides = [Side(source=each.contents, parts=parts_of(each.contents, each.top)) for each in (found, again)]
            return replace(outcome, unequal=tuple(compare_images(*sides)))

    def _options(self, replay: Replay, found: FoundImage, parts: Sequence[Part], layout: Path) -> BuildConfig:
        """What the provenance says, then the checkout's own files; of this host only how it is reached."""
        root = self._config.root
        manifest = next(part.document for part in parts if isinstance(part.document, Manifest))
        config = read_config(found.contents, manifest, name=found.name)
        loaded = load_config(replay.source(root, config, manifest), environment={}, directory=root)
        own = self._config
        return replace(
            loaded.config,
            context_path=root,
            tag=(),
            output=f"oci:{layout}",
            push=False,
            generate_sbom=None,
            provenance=False,
            sign=False,
            sign_key=None,
            cache=False,
            anonymous_pull=own.anonymous_pull,
            insecure_registries=own.insecure_registries,
            mirrors=own.mirrors,
            ca_file=own.ca_file,
            allow_http=own.allow_http,
            index_url=own.index_url or loaded.config.index_url,
        )

    def _tell(self, replay: Replay) -> None:
        """What is known to stand in the way, before it takes its time."""
        from pycontainer import __version__  # noqa: PLC0415 - the package, which imports nothing

        here = source_annotations(self._config.root).get(_REVISION, "")
        facts = []
        if replay.dirty:
            facts.append("it was built from a checkout with changes that were not committed")
        if replay.commit and not here.startswith(replay.commit):
            facts.append(f"it was built from commit {replay.commit}, this is {here or 'not a checkout'}")
        if replay.version and replay.version != __version__:
            facts.append(f"it was built by pycontainer {replay.version}, this is {__version__}")
        if facts:
            self._emit(Warned(message="The image may come out different", facts=tuple(facts)))
        else:
            self._emit(Noted(message="Building once more, without a cache"))


def _provenance(found: FoundImage, signer: Signer | None) -> Statement:
    """The statement of provenance about the image; where it must be signed, the first one that is.

    Raises:
        SignatureError: There is none.
    """
    for statement in _statements(found, signer):
        if statement.predicate_type == PROVENANCE and statement.is_about(found.top.digest):
            return statement
    raise SignatureError(
        f"`{found.name}` has no provenance" + (" that is signed by whom it should be" if signer else ""),
        facts=[f"digest: {found.top.digest}"],
        hint="Build it with {provenance}",
    )


def _statements(found: FoundImage, signer: Signer | None) -> Iterator[Statement]:
    for descriptor in found.attachments.of(found.top.digest):
        try:
            if signer is None and descriptor.artifact_type == PAYLOAD_TYPE:
                yield Statement.read(found.attachments.read(descriptor))
            elif signer is not None and descriptor.artifact_type == MEDIA_TYPE:
                bundle = read_bundle(found.attachments.read(descriptor))
                signer.verify(bundle)
                yield Statement.read(bundle.envelope.payload)
        except PyContainerError:  # noqa: PERF203 - one turn an attachment
            continue  # anyone may attach anything
