"""Attachments from several processes at once, on a registry that has no lock and no referrers API.

The specification gives no way to promise that none is lost: a process that stands still between reading the list and
writing it, until others have looked at theirs for the last time, writes an old list over it. So each process tells how
long it took to write what it had read, and how long it waited before it looked for the last time.
"""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from debian_registry import debian_registry, needs_registry

from pycontainer.destinations.attachments import attach, list_attachments
from pycontainer.destinations.registry import RegistryDestination
from pycontainer.oci import Reference
from pycontainer.testing.registry.conformance import make_attachment, make_image
from pycontainer.transports.registry import RegistryClient, RegistrySettings
from pycontainer.transports.registry.referrers_tag import _SHORT

if TYPE_CHECKING:
    from pathlib import Path

PROCESSES, EACH = 4, 5
# Attaches so many documents at once, from the moment that a line arrives; then a line tells two times in seconds: the
# longest from reading the list to having written it, and that from having written it last to looking at it last.
ATTACH = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
from pycontainer.destinations.attachments import attach
from pycontainer.oci import Descriptor, Digest, Reference, media_types
from pycontainer.testing.registry.conformance import make_attachment
from pycontainer.transports.registry import RegistryClient, RegistrySettings
from pycontainer.transports.registry.referrers_tag import ReferrersTag

took, looked, wrote = [], [], []
read, write = ReferrersTag._get, ReferrersTag._put

def timed_read(self):
    self.begin = time.monotonic()
    looked.append(self.begin)
    return read(self)

def timed_write(self, *given):
    written = write(self, *given)
    wrote.append(time.monotonic())
    took.append(wrote[-1] - self.begin)
    return written

ReferrersTag._get, ReferrersTag._put = timed_read, timed_write
repository, digest, size, first, count = sys.argv[1:]
client = RegistryClient(RegistrySettings(environment={}, home=None))
subject = Descriptor(media_type=media_types.MANIFEST, digest=Digest.parse(digest), size=int(size))

def one(number):
    attach(client, subject, Reference.parse(repository), make_attachment(number))

print("ready", flush=True)
sys.stdin.readline()
with ThreadPoolExecutor(int(count)) as pool:
    list(pool.map(one, range(int(first), int(first) + int(count))))
print(max(took), max(looked) - max(wrote))
"""


@needs_registry
def test_of_twenty_attachments_from_four_processes_none_is_lost(tmp_path: Path) -> None:
    """C25. `ReferrersTag` says what is done, this that it does."""
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
            told = [process.communicate(timeout=120)[0] for process in processes]
            assert [process.returncode for process in processes] == [0] * PROCESSES
        finally:
            for process in processes:
                process.kill()
                process.communicate()
        listed = {entry.digest for entry in list_attachments(client, repository, image.digest)}
        took, waited = zip(*(map(float, line.split()) for line in told), strict=True)
        assert min(waited) > _SHORT
        assert len(listed) == PROCESSES * EACH or max(took) > min(waited)
        for number in range(PROCESSES * EACH):  # whoever is lost is found again once it is attached again
            attach(client, image.descriptor, repository, make_attachment(number))
        assert len(list_attachments(client, repository, image.digest)) == PROCESSES * EACH
