"""Users and groups of the system, with the numbers that adduser and useradd give."""

from __future__ import annotations

import pytest

from pycontainer.errors import PackageError
from pycontainer.sources.debian.effects.accounts import Accounts
from pycontainer.sources.debian.effects.actions import AddGroup, AddUser

PASSWD = "root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nbroken\n"
GROUP = "root:x:0:\nusers:x:100:\nnogroup:x:65534:\n"


def accounts() -> Accounts:
    return Accounts({"passwd": PASSWD, "group": GROUP, "shadow": "root:*:1::::::\n", "gshadow": "root:*::\n"})


def test_a_user_has_the_first_free_number_and_a_group_of_its_own() -> None:
    found = accounts()
    found.add(AddUser(name="redis", home="/var/lib/redis"))
    found.add(AddUser(name="redis"))
    found.add(AddUser(name="t", group="nogroup", shell="/bin/false", gecos="T"))  # noqa: S604 - a login shell
    assert found.files == {
        "passwd": PASSWD
        + "redis:x:100:101::/var/lib/redis:/usr/sbin/nologin\nt:x:101:65534:T:/nonexistent:/bin/false\n",
        "group": GROUP + "redis:x:101:\n",
        "shadow": "root:*:1::::::\nredis:!:3653::::::\nt:!:3653::::::\n",
        "gshadow": "root:*::\nredis:!::\n",
    }


def test_useradd_and_groupadd_count_down() -> None:
    found = accounts()
    found.add(AddGroup(name="g", descending=True))
    found.add(AddUser(name="u", descending=True))
    found.add(AddUser(name="v", uid=500, descending=True))
    assert [found.number("group", name) for name in "guv"] == [999, 998, 500]
    assert [found.number("passwd", name) for name in "uv"] == [999, 500]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(PackageError, match="group `gone`"):
        accounts().add(AddUser(name="u", group="gone"))
    full = Accounts({"passwd": "", "group": "".join(f"g{n}:x:{n}:\n" for n in range(100, 1000))})
    with pytest.raises(PackageError, match="between 100 and 999"):
        full.add(AddGroup(name="g"))
