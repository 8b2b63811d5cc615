from __future__ import annotations

from pycontainer.config.policy import Policy
from pycontainer.policy.packages import _check_source
from pycontainer.sources.locks import Artifact, Chosen, LockedPackage, Registry


def test_hosts_over_plain_http_are_told_in_the_order_of_the_lock_whatever_the_hash_seed() -> None:
    for number in range(30):  # no seed is such that thirty pairs come out of a set as they stand here
        index, files = f"index{number}.lab", f"files{number}.lab"
        artifact = Artifact(
            filename="demo-1.0-py3-none-any.whl", url=f"http://{files}/demo.whl", hashes={"sha256": "ab"}
        )
        package = LockedPackage(name="demo", version="1.0", source=Registry(url=f"http://{index}/simple"))
        chosen = Chosen(package=package, artifact=artifact, kind="wheel")
        told = [broken.what for broken in _check_source(Policy(origin="here", require_https=True), chosen)]
        assert told == [f"`demo 1.0` comes over plain http, from `{host}`" for host in (index, files)]
