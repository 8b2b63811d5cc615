"""A thousand pushes and pulls, to each of which other things happen: none goes wrong unseen, and none hangs.

What a case suffers follows from its number: one to three faults, each at some request and for some time. A push ends
well with the whole image under its name, or with an error of ours and no name of an image that is not whole. A pull
ends with the right bytes, or with an error.

`FAULT_CASES=10000 pytest tests/hostile/test_seeded_faults.py` goes through ten times as many.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from pycontainer.destinations.registry import RegistryDestination
from pycontainer.errors import PyContainerError
from pycontainer.image import Image
from pycontainer.oci import Reference
from pycontainer.testing.images import File, forge_image, forge_layer
from pycontainer.testing.registry import Answer, Corrupt, Drip, FakeRegistry, Fault, LoseAnswer, Reset, Stall
from pycontainer.testing.registry.faults import Effect
from pycontainer.transports.http import HttpSettings
from pycontainer.transports.http.retries import RetryPolicy
from pycontainer.transports.http.settings import Timeouts
from pycontainer.transports.registry import RegistryClient, RegistrySettings
from pycontainer.value import replace

CASES = int(os.environ.get("FAULT_CASES", "1000"))
WORKERS = 8
# Each fault may stall a request and its repetitions; ten times as long means that something hangs.
LONGEST = 60.0
STATUSES = (400, 401, 403, 404, 408, 413, 416, 429, 500, 502, 503, 504, 202, 200, 204, 307)
WAITS = ("0", "1", "-5", "soon", "31536000", "Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2115 07:28:00 GMT")
METHODS = ("", "GET", "HEAD", "POST", "PUT")
PATHS = ("", "/blobs/", "/blobs/uploads/", "/manifests/", "/manifests/1")


def effect(dice: random.Random) -> Effect:
    """Something that a server, or what stands between, may do."""
    headers = {"Retry-After": dice.choice(WAITS)} if dice.random() < 0.5 else {}
    wrong = {"Docker-Content-Digest": f"sha256:{dice.randrange(10)}" + "0" * 63}
    effects: list[Effect] = [
        Answer(status=dice.choice(STATUSES), headers=headers, early=dice.random() < 0.3),
        Answer(status=200, body=b"<html>Please log in</html>", headers={"Content-Type": "text/html"}),
        Answer(status=307, headers={"Location": dice.choice(["", "http://10.0.0.1/x", "/v2/", "//", "ftp://x/y"])}),
        Reset(after=dice.randrange(3000), answer=dice.random() < 0.5),
        LoseAnswer(),
        Stall(seconds=dice.choice([0.01, 0.6]), within=dice.random() < 0.5),
        Drip(interval=dice.choice([0.00001, 0.02])),
        Corrupt(flip=True),
        Corrupt(cut=dice.randrange(1, 40)),
        Corrupt(extra=b"more"),
        Corrupt(headers={"Location": dice.choice(["http://10.0.0.1/up", "/elsewhere", None])}),
        Corrupt(headers={"Content-Length": dice.choice(["0", "-1", "99999", "x"])}),
        Corrupt(headers=wrong),
    ]
    return dice.choice(effects)


def faults(dice: random.Random) -> list[Fault]:
    """What happens in one case."""
    return [
        Fault(
            effect=effect(dice),
            method=dice.choice(METHODS),
            path=dice.choice(PATHS),
            skip=dice.randrange(6),
            times=dice.choice([1, 1, 2, 3, None]),
        )
        for _ in range(dice.choice([1, 1, 2, 3]))
    ]


@pytest.fixture(scope="module")
def image() -> Image:
    """Two layers, one of them larger than a packet."""
    noise = random.Random(1).randbytes(20_000)  # noqa: S311 - the same in every run
    return forge_image([forge_layer([File("noise", noise)]), forge_layer([File("text", b"hello")])])


def client() -> tuple[RegistryClient, list[float]]:
    """A client that is in a hurry, and the waits that it would have made."""
    waits: list[float] = []
    retries = replace(RetryPolicy(), count=3, sleep=waits.append)
    timeouts = Timeouts(connect=2.0, read=0.3, progress=0.3)
    http = HttpSettings(timeouts=timeouts, retries=retries, environment={})
    return RegistryClient(RegistrySettings(http=http, environment={}, home=None)), waits


def is_whole(registry: FakeRegistry, name: str, image: Image) -> bool:
    """Whether the name, where there is one, is the image's, and all that it needs is there."""
    repository = registry.store.repository(name)
    tagged = repository.tags.get("1")
    if tagged is None:
        return True
    _, raw = repository.manifests[tagged]
    manifest = json.loads(raw)
    needed = [manifest["config"], *manifest["layers"]]
    return tagged == str(image.digest) == f"sha256:{hashlib.sha256(raw).hexdigest()}" and all(
        hashlib.sha256(repository.blobs[each["digest"]]).hexdigest() == each["digest"].partition(":")[2]
        for each in needed
    )


def push(registry: FakeRegistry, number: int, image: Image) -> str:
    """What became of a push: `done`, or the kind of error."""
    name = f"acme/case-{number}"
    talking, waits = client()
    try:
        RegistryDestination(talking, [Reference.parse(f"{registry.host}/{name}:1")]).write(image)
        outcome = "done"
        assert registry.store.repository(name).tags.get("1") == str(image.digest), f"case {number}: no name"
    except PyContainerError as error:
        outcome = type(error).__name__
    finally:
        talking.close()
    assert is_whole(registry, name, image), f"case {number}: a wrong push"
    assert max(waits, default=0) <= 60, f"case {number}: it would have waited for {max(waits)} s"
    return outcome


def pull(registry: FakeRegistry, number: int, image: Image) -> str:
    """What became of a pull: `done`, or the kind of error."""
    talking, _ = client()
    try:
        found = talking.manifest(Reference.parse(f"{registry.host}/acme/here:1"))
        assert found.descriptor.digest == image.digest, f"case {number}: another manifest"
        for layer in image.layers:
            with talking.blob(Reference.parse(f"{registry.host}/acme/here"), layer.descriptor).open() as stream:
                content = stream.read()
            assert hashlib.sha256(content).hexdigest() == layer.descriptor.digest.hex, f"case {number}: other bytes"
    except PyContainerError as error:
        return type(error).__name__
    finally:
        talking.close()
    return "done"


def run_cases(worker: int, image: Image) -> Counter[str]:
    """Every eighth case, on a registry of its own, and how they ended."""
    counts: Counter[str] = Counter()
    with FakeRegistry() as registry:
        calm = RegistryClient(RegistrySettings(environment={}, home=None))
        RegistryDestination(calm, [Reference.parse(f"{registry.host}/acme/here:1")]).write(image)
        calm.close()
        for number in range(worker, CASES, WORKERS):
            dice = random.Random(number)  # noqa: S311 - the same in every run
            for fault in faults(dice):
                registry.faults.add(fault)
            begin = time.monotonic()
            act = push if dice.random() < 0.7 else pull
            counts[f"{act.__name__} {act(registry, number, image)}"] += 1
            assert time.monotonic() - begin < LONGEST, f"case {number} hangs"
            registry.faults.clear()
    return counts


def test_nothing_that_happens_to_a_transfer_goes_unseen(image: Image) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        counts = sum(pool.map(lambda worker: run_cases(worker, image), range(WORKERS)), Counter[str]())
    assert counts.total() == CASES
    for act in ("push", "pull"):
        ended = {name.partition(" ")[2] for name in counts if name.startswith(act)}
        assert {"done", "NetworkError", "IntegrityError"} <= ended, f"the faults hardly matter: {counts}"
