"""The client of the distribution API: pull and push, verified (distribution-spec 1.1).

registry = RegistryClient(RegistrySettings(), emit=emit)
fetched = registry.manifest(Reference.parse("python:3.12-slim"))
registry.blob(fetched.reference, layer).open()
registry.push_blob(target, blob, title="numpy 2.1.0", origin=fetched.reference)
registry.push_manifest(target.with_tag("1.4"), raw, media_type)
"""

from __future__ import annotations

import threading
from copy import copy
from enum import Enum
from typing import TYPE_CHECKING

from pycontainer.errors import DocumentError, IntegrityError, NetworkError
from pycontainer.events import Noted, TaskAdvanced, TaskFinished, TaskStarted, Verb, ignore
from pycontainer.oci import Digest
from pycontainer.oci.document import MAX_DOCUMENT_SIZE
from pycontainer.transports.http import HttpClient
from pycontainer.transports.http.connections import TransientNetworkError
from pycontainer.transports.http.failures import status_error
from pycontainer.transports.http.tls import default_certs_dirs
from pycontainer.transports.registry.auth import Need
from pycontainer.transports.registry.blobs import RegistryBlob
from pycontainer.transports.registry.credentials import Credentials, Explanation
from pycontainer.transports.registry.endpoint import Endpoint, pull_endpoints, upstream
from pycontainer.transports.registry.manifests import ACCEPT, FetchedManifest, check_manifest, put_manifest
from pycontainer.transports.registry.permission import check_push
from pycontainer.transports.registry.session import FORBIDDEN, Session
from pycontainer.transports.registry.settings import RegistrySettings
from pycontainer.transports.registry.uploads import BlobUpload, head_blob
from pycontainer.value import replace

if TYPE_CHECKING:
    from collections.abc import Callable

    from pycontainer.blobs.blob import Blob
    from pycontainer.events import Emit
    from pycontainer.oci import Descriptor, Reference
    from pycontainer.transports.registry.referrers import Referrers

_OK, _NOT_FOUND = 200, 404
_PUSH = ("pull", "push")


class Pushed(Enum):
    """What a push of a blob came to."""

    EXISTED = "existed"
    MOUNTED = "mounted"
    UPLOADED = "uploaded"


class RegistryClient:
    """Pulls and pushes; safe to share between threads.

    Args:
        settings: Hosts, mirrors, credentials, limits.
        emit: Hears of transfers, waits and a registry's warnings.
    """

    def __init__(self, settings: RegistrySettings | None = None, *, emit: Emit = ignore) -> None:
        settings = settings or RegistrySettings()
        http = replace(
            settings.http,
            allowed_hosts=settings.http.allowed_hosts | settings.insecure,
            certs_dirs=settings.http.certs_dirs or default_certs_dirs(),
        )
        self.settings = replace(settings, http=http)
        self._emit = emit
        self._http = HttpClient(http, emit=emit)
        self._http.remember(_known_secrets(settings))
        self._credentials = Credentials(self.settings, emit=emit)
        self._sessions: dict[Endpoint, Session] = {}
        # Mirrors that did not answer: waiting for them again, once a layer, would take minutes.
        self._unreachable: set[Endpoint] = set()
        self._lock = threading.Lock()

    def telling(self, emit: Emit) -> RegistryClient:
        """The same client, with its connections, tokens and what it learnt, whose transfers somebody else hears of."""
        other = copy(self)
        other._emit = emit  # noqa: SLF001 - it is one of us
        return other

    def manifest(self, reference: Reference) -> FetchedManifest:
        """The manifest or index of a reference, from a mirror or the registry itself.

        Raises:
            HTTPStatusError: There is none (404), or the registry failed.
            DeniedError: Reading it is not allowed.
            IntegrityError: Its digest is not the one asked for.
            DocumentError: It is not one that can be used.
            NetworkError: No server can be reached.
        """
        *mirrors, registry = self._pull_sessions(reference)
        for mirror in mirrors:
            try:
                return self._manifest(mirror, reference)
            except (NetworkError, DocumentError, IntegrityError) as error:  # noqa: PERF203 - one turn a mirror
                if isinstance(error, TransientNetworkError):
                    self._unreachable.add(mirror.endpoint)
                self._emit(Noted(message=f"Mirror `{mirror.endpoint.registry}` was passed over: {error}", detail=True))
        return self._manifest(registry, reference)

    def blob(self, reference: Reference, descriptor: Descriptor) -> RegistryBlob:
        """A blob of a repository, not requested before it is opened."""
        return RegistryBlob(reference, descriptor, self._pull_sessions(reference))

    def head_blob(self, reference: Reference, digest: Digest) -> bool:
        """Whether the registry itself has a blob in this repository.

        Raises:
            DeniedError: Reading there is not allowed.
            NetworkError: The registry does not say.
        """
        return head_blob(self._push_session(reference), Need(reference.repository), digest)

    def head_manifest(self, reference: Reference) -> Digest | None:
        """The digest that the registry itself names for a reference.

        None where there is nothing, or where the registry (an older one) does not name it.

        Raises:
            DeniedError: Reading there is not allowed.
            NetworkError: The registry does not say.
        """
        session, need = self._push_session(reference), Need(reference.repository, _PUSH)
        url = session.endpoint.url(reference.repository, f"manifests/{reference.identifier}")
        with session.request("HEAD", url, need, headers={"Accept": ACCEPT}) as response:
            if response.status == _NOT_FOUND:
                return None
            if response.status == FORBIDDEN:
                raise session.denied(response, need)
            if response.status != _OK:
                raise status_error(response)
            named = response.headers.get("docker-content-digest")
            return Digest.parse(named) if named else None

    def check_push(self, reference: Reference) -> Callable[[], None]:
        """Find out, before there is anything to push, whether the registry would take it.

        Returns:
            What takes back the question: an upload that was begun.

        Raises:
            DeniedError: Pushing there is not allowed.
            NetworkError: The registry cannot be reached, or is out of order.
        """
        return check_push(self._push_session(reference), Need(reference.repository, _PUSH))

    def push_blob(
        self,
        reference: Reference,
        blob: Blob,
        *,
        title: str | None = None,
        origin: Reference | None = None,
        advance: Callable[[int], None] | None = None,
    ) -> Pushed:
        """Give a repository a blob: seen with HEAD, mounted from `origin` in the same registry, or sent.

        Args:
            reference: The repository.
            blob: Opened only if its bytes must be sent.
            title: What it is, for events; else its digest.
            origin: A repository that has it.
            advance: Told of bytes that left; what it raises stops the upload.

        Raises:
            DeniedError: Pushing there is not allowed.
            IntegrityError: The blob is not what its descriptor says.
            NetworkError: The registry refuses it or cannot be reached.
        """
        descriptor = blob.descriptor
        name = title or str(descriptor.digest)

        def advanced(count: int) -> None:
            if advance is not None:
                advance(count)
            if count:
                self._emit(TaskAdvanced(verb=Verb.UPLOAD, name=name, count=count))

        upload = BlobUpload(
            self._push_session(reference),
            Need(reference.repository, _PUSH),
            blob,
            retries=self.settings.http.retries,
            chunk_size=self.settings.chunk_size,
            advance=advanced,
        )
        if upload.exists():
            pushed, verb = Pushed.EXISTED, Verb.UPLOAD
        elif origin is not None and _can_mount(origin, reference) and upload.mount(origin.repository):
            pushed, verb = Pushed.MOUNTED, Verb.MOUNT
        else:
            pushed, verb = Pushed.UPLOADED, Verb.UPLOAD
        self._emit(TaskStarted(verb=verb, name=name, total=descriptor.size))
        if pushed is Pushed.UPLOADED:
            upload.send()
        self._emit(TaskFinished(verb=verb, name=name, size=descriptor.size, reused=pushed is not Pushed.UPLOADED))
        return pushed

    def push_manifest(self, reference: Reference, raw: bytes, media_type: str) -> Digest:
        """Store a manifest or index under the reference's digest or tag, unless it is there already.

        Raises:
            DeniedError: Pushing there is not allowed.
            IntegrityError: The reference's digest is not that of the bytes, or the registry stored others.
            NetworkError: The registry refuses it (413: too large) or cannot be reached.
        """
        digest = Digest.of(raw) if reference.digest is None else reference.digest
        if reference.digest is not None and Digest.of(raw) != digest:
            raise IntegrityError(f"The manifest is not that of `{reference}`", facts=[f"found: `{Digest.of(raw)}`"])
        # A registry with immutable tags (ECR) refuses even what it has.
        if self.head_manifest(reference) == digest:
            return digest
        put_manifest(self._push_session(reference), reference, raw, media_type)
        return digest

    def read_back(self, reference: Reference) -> Digest:
        """The digest of what a reference names now in the registry itself, by hashing it.

        Raises:
            PyContainerError: As of `manifest`.
        """
        # With the rights of the push: a right to read alone would take a token of its own, two requests more.
        fetched = self._manifest(self._push_session(reference), reference, _PUSH)
        return fetched.descriptor.digest

    def referrers(self, repository: Reference) -> Referrers:
        """What refers to the manifests of a repository, in the registry itself: mirrors know of none."""
        from pycontainer.transports.registry.referrers import Referrers  # noqa: PLC0415 - most images have none

        return Referrers(self._push_session(repository), repository)

    def explain(self, reference: Reference) -> Explanation:
        """Where credentials for a reference are looked for and what is found, without secrets."""
        return self._credentials.explain(reference.registry, reference.repository)

    def close(self) -> None:
        """Close idle connections."""
        self._http.close()

    def _manifest(
        self, session: Session, reference: Reference, actions: tuple[str, ...] = ("pull",)
    ) -> FetchedManifest:
        need = Need(session.endpoint.repository(reference.repository), actions)
        url = session.endpoint.url(reference.repository, f"manifests/{reference.identifier}")
        response = session.request("GET", url, need, headers={"Accept": ACCEPT})
        if response.status == FORBIDDEN:
            raise session.denied(response, need)
        if response.status == _NOT_FOUND:
            raise status_error(response, f"There is no image `{reference.familiar}`")
        if response.status != _OK:
            raise status_error(response)
        content_type = response.headers.media_type
        header_digest = response.headers.get("docker-content-digest")
        raw = response.content(limit=MAX_DOCUMENT_SIZE)
        return check_manifest(raw, content_type=content_type, reference=reference, header_digest=header_digest)

    def _pull_sessions(self, reference: Reference) -> list[Session]:
        *mirrors, registry = pull_endpoints(reference, self.settings)
        reachable = [mirror for mirror in mirrors if mirror not in self._unreachable]
        return [self._session(endpoint) for endpoint in (*reachable, registry)]

    def _push_session(self, reference: Reference) -> Session:
        return self._session(upstream(reference.registry, self.settings))

    def _session(self, endpoint: Endpoint) -> Session:
        with self._lock:
            if endpoint not in self._sessions:
                self._sessions[endpoint] = Session(self._http, self._credentials, endpoint, emit=self._emit)
            return self._sessions[endpoint]


def _known_secrets(settings: RegistrySettings) -> list[str]:
    """What must not be shown, whoever repeats it; tokens and passwords of files follow when they are used."""
    given = [
        secret.reveal()
        for credential in settings.credentials.values()
        for secret in (credential.password, credential.identity_token, credential.registry_token)
        if secret
    ]
    variables = (settings.environment.get(name) for name in ("REGISTRY_PASSWORD", "GITHUB_TOKEN"))
    return [*given, *(value for value in variables if value)]


def _can_mount(origin: Reference, target: Reference) -> bool:
    return origin.registry == target.registry and origin.repository != target.repository
