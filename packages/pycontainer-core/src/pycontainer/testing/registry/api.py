"""The distribution API of a fake registry, to the letter: what the specification does not allow is refused."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from pycontainer.testing.registry.referrers import list_referrers, subject_of
from pycontainer.testing.registry.reply import Reply, error_reply
from pycontainer.testing.registry.store import Upload

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pycontainer.testing.registry.rules import Rules
    from pycontainer.testing.registry.store import Repository, Store

_NAME = r"(?P<name>[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*)"
_DIGEST = r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
_BLOB = re.compile(rf"/v2/{_NAME}/blobs/(?P<digest>{_DIGEST})")
_UPLOADS = re.compile(rf"/v2/{_NAME}/blobs/uploads/")
_UPLOAD = re.compile(rf"/v2/{_NAME}/blobs/uploads/(?P<session>[0-9a-f]{{32}})")
_MANIFEST = re.compile(rf"/v2/{_NAME}/manifests/(?P<reference>{_DIGEST}|[A-Za-z0-9_][A-Za-z0-9._-]{{0,127}})")
_REFERRERS = re.compile(rf"/v2/{_NAME}/referrers/(?P<digest>{_DIGEST})")
_CONTENT_RANGE = re.compile(r"(\d+)-(\d+)")
_RANGE = re.compile(r"bytes=(\d+)-")
_MANIFEST_TYPES = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)


class Api:
    """Answers one request."""

    def __init__(self, rules: Rules, store: Store, url: str) -> None:
        self._rules = rules
        self._store = store
        self._url = url

    def answer(  # noqa: PLR0911 - one line a kind of address
        self, method: str, path: str, query: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        """The answer to a request that is allowed."""
        parameters = {name: values[0] for name, values in parse_qs(query).items()}
        with self._store.lock:
            if path == "/v2/":
                return Reply(status=200)
            if found := _BLOB.fullmatch(path):
                return self._blob(method, found["name"], found["digest"], headers)
            if found := _UPLOADS.fullmatch(path):
                return self._begin(method, found["name"], parameters, headers, body)
            if found := _UPLOAD.fullmatch(path):
                return self._upload(method, found["name"], found["session"], parameters, headers, body)
            if found := _MANIFEST.fullmatch(path):
                return self._manifest(method, found["name"], found["reference"], headers, body)
            if self._rules.referrers and method == "GET" and (found := _REFERRERS.fullmatch(path)):
                return list_referrers(
                    self._rules, self._store.repository(found["name"]), path, found["digest"], parameters
                )
        return error_reply(404, "NAME_INVALID")

    def _blob(self, method: str, name: str, digest: str, headers: Mapping[str, str]) -> Reply:
        if method not in {"GET", "HEAD"}:
            return error_reply(405, "UNSUPPORTED")
        content = self._store.repository(name).blobs.get(digest)
        if content is None:
            return error_reply(404, "BLOB_UNKNOWN")
        found = {"Content-Type": "application/octet-stream", **self._digest_header(digest)}
        asked = _RANGE.fullmatch(headers.get("range", ""))
        if asked and self._rules.ranges and method == "GET":
            begin = int(asked.group(1))
            if begin >= len(content):
                return error_reply(416, "SIZE_INVALID")
            found["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
            return Reply(status=206, headers=found, body=content[begin:])
        return Reply(status=200, headers=found, body=content)

    def _begin(
        self, method: str, name: str, parameters: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        if method != "POST":
            return error_reply(405, "UNSUPPORTED")
        if headers.get("content-length") != "0" or body:
            return error_reply(400, "SIZE_INVALID", "a session begins with Content-Length: 0")
        if digest := parameters.get("mount"):
            source = self._store.repositories.get(parameters.get("from", ""))
            if self._rules.mounts and source is not None and digest in source.blobs:
                self._store.repository(name).blobs[digest] = source.blobs[digest]
                location = self._location(f"/v2/{name}/blobs/{digest}")
                return Reply(status=201, headers={"Location": location, **self._digest_header(digest)})
            if not self._rules.mounts and self._rules.mount_refusal != 202:  # noqa: PLR2004 - Accepted
                return error_reply(self._rules.mount_refusal, "DENIED")
        session = secrets.token_hex(16)
        self._store.uploads[session] = Upload(repository=name)
        reply = self._accepted(session)
        if self._rules.chunk_minimum is not None:
            reply.headers["OCI-Chunk-Min-Length"] = str(self._rules.chunk_minimum)
        return reply

    def _upload(  # noqa: PLR0911, PLR0917 - one line a method of the API
        self,
        method: str,
        name: str,
        session: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply:
        upload = self._store.uploads.get(session)
        if upload is None or upload.repository != name:
            return error_reply(404, "BLOB_UPLOAD_UNKNOWN")
        if parameters.get("state") != upload.state:
            return error_reply(404, "BLOB_UPLOAD_UNKNOWN", "this is not the Location that was sent")
        if method == "DELETE":
            del self._store.uploads[session]
            return Reply(status=204)
        if method == "GET":
            reply = self._accepted(session)
            reply.status = 204
            return reply
        if method == "PATCH":
            return self._patch(upload, session, headers, body)
        if method == "PUT":
            return self._close(upload, session, parameters, headers, body)
        return error_reply(405, "UNSUPPORTED")

    def _patch(  # noqa: PLR0911 - one line a reason to refuse
        self, upload: Upload, session: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        if not self._rules.chunks:
            return error_reply(405, "UNSUPPORTED")
        if headers.get("content-type") != "application/octet-stream":
            return error_reply(400, "BLOB_UPLOAD_INVALID", "Content-Type")
        if self._rules.chunk_limit is not None and len(body) > self._rules.chunk_limit:
            return error_reply(413, "SIZE_INVALID")
        found = _CONTENT_RANGE.fullmatch(headers.get("content-range", ""))
        if found is None:
            return error_reply(400, "BLOB_UPLOAD_INVALID", "Content-Range")
        first, last = int(found.group(1)), int(found.group(2))
        if first != len(upload.content) or last - first + 1 != len(body):
            return error_reply(416, "BLOB_UPLOAD_INVALID", "out of order")
        if self._rules.chunk_minimum and len(upload.content) % self._rules.chunk_minimum > 0:
            return error_reply(400, "SIZE_INVALID", "the chunk before was too small")
        upload.content += body
        upload.state = secrets.token_urlsafe(12)
        return self._accepted(session)

    def _close(
        self, upload: Upload, session: str, parameters: Mapping[str, str], headers: Mapping[str, str], body: bytes
    ) -> Reply:
        digest = parameters.get("digest", "")
        if not re.fullmatch(_DIGEST, digest):
            return error_reply(400, "DIGEST_INVALID")
        if body and not self._rules.whole_uploads:
            return error_reply(405, "UNSUPPORTED")
        if body and (upload.touched or headers.get("content-type") != "application/octet-stream"):
            return error_reply(416, "BLOB_UPLOAD_INVALID")
        upload.touched = True
        content = bytes(upload.content) + body
        if _hash(digest, content) != digest:
            return error_reply(400, "DIGEST_INVALID")
        del self._store.uploads[session]
        self._store.repository(upload.repository).blobs[digest] = content
        location = self._location(f"/v2/{upload.repository}/blobs/{digest}")
        return Reply(status=201, headers={"Location": location, **self._digest_header(digest)})

    def _manifest(self, method: str, name: str, reference: str, headers: Mapping[str, str], body: bytes) -> Reply:
        repository = self._store.repository(name)
        if method == "PUT":
            return self._put_manifest(repository, name, reference, headers, body)
        if method not in {"GET", "HEAD"}:
            return error_reply(405, "UNSUPPORTED")
        digest = reference if ":" in reference else repository.tags.get(reference, "")
        if digest not in repository.manifests:
            return error_reply(404, "MANIFEST_UNKNOWN")
        media_type, content = repository.manifests[digest]
        if media_type not in headers.get("accept", ""):
            return error_reply(406, "MANIFEST_UNKNOWN", "Accept does not list the type of this manifest")
        found = {"Content-Type": media_type, "Content-Length": str(len(content)), **self._digest_header(digest)}
        if self._rules.etags:
            found["ETag"] = f'"{digest}"'
        return Reply(status=200, headers=found, body=content)

    def _put_manifest(  # noqa: PLR0911 - one line a reason to refuse
        self, repository: Repository, name: str, reference: str, headers: Mapping[str, str], body: bytes
    ) -> Reply:
        if len(body) > self._rules.manifest_limit:
            return error_reply(413, "SIZE_INVALID", "manifest too large")
        media_type = headers.get("content-type", "")
        if media_type not in _MANIFEST_TYPES:
            return error_reply(400, "MANIFEST_INVALID", "Content-Type")
        try:
            document = json.loads(body)
        except ValueError:
            return error_reply(400, "MANIFEST_INVALID", "not JSON")
        if document.get("mediaType", media_type) != media_type or document.get("schemaVersion") != 2:  # noqa: PLR2004
            return error_reply(400, "MANIFEST_INVALID", "mediaType")
        digest = _hash(reference, body) if ":" in reference else _hash("sha256:", body)
        if ":" in reference and digest != reference:
            return error_reply(400, "DIGEST_INVALID")
        missing = _missing(repository, document)
        if missing:
            return error_reply(404, "MANIFEST_BLOB_UNKNOWN", missing)
        if ":" not in reference:
            if refused := self._refuse_tag(repository, reference, headers):
                return refused
            repository.tags[reference] = digest
        repository.manifests[digest] = (media_type, body)
        location = self._location(f"/v2/{name}/manifests/{digest}")
        told = {"Location": location, **self._digest_header(digest)}
        if self._rules.referrers and (subject := subject_of(document)):
            told["OCI-Subject"] = subject
        return Reply(status=201, headers=told)

    def _refuse_tag(self, repository: Repository, tag: str, headers: Mapping[str, str]) -> Reply | None:
        if self._rules.etags and headers.get("if-match", "") not in {"", f'"{repository.tags.get(tag)}"'}:
            return error_reply(412, "DENIED", "the tag is something else by now")
        if self._rules.immutable_tags and tag in repository.tags:
            return error_reply(400, "TAG_INVALID", "the tag exists and cannot be changed")
        return None

    def _accepted(self, session: str) -> Reply:
        upload = self._store.uploads[session]
        location = self._location(f"/v2/{upload.repository}/blobs/uploads/{session}?state={upload.state}")
        headers = {"Location": location, "Docker-Upload-UUID": session}
        if upload.content:
            headers["Range"] = f"0-{len(upload.content) - 1}"
        return Reply(status=202, headers=headers)

    def _location(self, path: str) -> str:
        return path if self._rules.relative_locations else f"{self._url}{path}"

    def _digest_header(self, digest: str) -> dict[str, str]:
        return {"Docker-Content-Digest": digest} if self._rules.digest_headers else {}


def _hash(like: str, content: bytes) -> str:
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()}"


def _missing(repository: Repository, document: dict[str, Any]) -> str:
    """The first thing that a manifest names and the repository lacks; layers their makers host may be absent."""
    for descriptor in document.get("manifests", []):
        if descriptor["digest"] not in repository.manifests:
            return str(descriptor["digest"])
    named = [*([document["config"]] if "config" in document else []), *document.get("layers", [])]
    for descriptor in named:
        hosted = "nondistributable" in descriptor["mediaType"] or "foreign" in descriptor["mediaType"]
        if descriptor["digest"] not in repository.blobs and not hosted:
            return str(descriptor["digest"])
    return ""
