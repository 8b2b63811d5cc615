"""Attachments from several processes at once, on a registry that has no lock and no referrers API."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from debian_registry import debian_registry, needs_registry

from pycontainer.destinations.attachments import list_attachments
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.oci import Reference
from pycontainer.testing.registry.conformance import make_image
from pycontainer.transports.registry import RegistryClient, RegistrySettings

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES, EACH = 4, 5
# Attaches so many documents at once, from the moment that a line arrives.
ATTACH = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pycontainer.destinations.attachments import attach
from pycontainer.oci import Descriptor, Digest, Reference, media_types
from pycontainer.testing.registry.conformance import make_attachment
from pycontainer.transports.registry import RegistryClient, RegistrySettings

repository, digest, size, first, count = sys.argv[1:]
client = RegistryClient(RegistrySettings(environment={}, home=None))
subject = Descriptor(media_type=media_types.MANIFEST, digest=Digest.parse(digest), size=int(size))

def one(number):
    attach(client, subject, Reference.parse(repository), make_attachment(number))

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(int(count)) as pool:
    list(pool.map(one, range(int(first), int(first) + int(count))))
"""


@needs_registry
def test_of_twenty_attachments_from_four_processes_none_is_lost(tmp_path: Path) -> None:
    """C25. The specification gives no way to promise it; `ReferrersTag` says what is done, this that it does."""
    with debian_registry(tmp_path) as host:
        repository = Reference.parse(f"{host}/acme/api")
        client = RegistryClient(RegistrySettings(environment={}, home=None))
        image = make_image(100)
        RegistryDestination(client, [repository]).write(image)
        subject = [str(repository), str(image.digest), str(image.descriptor.size)]
        processes = [
            subprocess.Popen(
                [sys.executable, "-c", ATTACH, *subject, str(number * EACH), str(EACH)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(PROCESSES)
        ]
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        try:
            assert [process.wait(120) for process in processes] == [0] * PROCESSES
        finally:
            for process in processes:
                process.kill()
                process.communicate()
        assert len(list_attachments(client, repository, image.digest)) == PROCESSES * EACH
