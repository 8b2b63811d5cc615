"""The image runs as a user that has a number, a name and a home."""

from __future__ import annotations

import pytest

from pycontainer.errors import BaseImageError, ConfigError
from pycontainer.plan.account import Account, choose_account

PASSWD = b"root:x:0:0:root:/root:/bin/bash\nwww-data:x:33:33::/var/www:/usr/sbin/nologin\nmalformed\n"
GROUP = b"root:x:0:\nwww-data:x:33:\nstaff:x:50:me"


def account(user: str | None = None, inherited: str = "", passwd: bytes = PASSWD) -> Account:
    return choose_account(user=user, inherited=inherited, passwd=passwd, group=GROUP)


def test_a_base_that_says_nothing_gives_a_nonroot_user_with_a_name_and_a_home() -> None:
    chosen = account()
    assert chosen.user == "65532:65532"
    assert chosen.home == "/home/nonroot"
    assert chosen.files["/etc/passwd"] == PASSWD + b"nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
    assert chosen.files["/etc/group"] == GROUP + b"\nnonroot:x:65532:\n"


def test_a_base_without_account_files_gets_them_with_root() -> None:
    assert account(passwd=b"").files["/etc/passwd"].startswith(b"root:x:0:0:")


@pytest.mark.parametrize("user", ["root", "0", "0:0", "root:root"])
def test_root_stays_root_when_somebody_says_so(user: str) -> None:
    assert account(user) == account(inherited=user) == Account(user=user, uid=0, gid=0, home=None, files={})


@pytest.mark.parametrize(("user", "ids"), [("www-data", (33, 33)), ("33", (33, 33)), ("www-data:staff", (33, 50))])
def test_a_user_of_the_base_needs_no_files(user: str, ids: tuple[int, int]) -> None:
    chosen = account(user)
    assert (chosen.uid, chosen.gid, chosen.files) == (*ids, {})


def test_a_number_that_the_base_does_not_know_gets_a_name() -> None:
    chosen = account("1234:50")
    assert (chosen.uid, chosen.gid) == (1234, 50)
    assert b"user1234:x:1234:50:" in chosen.files["/etc/passwd"]
    assert "/etc/group" not in chosen.files


@pytest.mark.parametrize("user", ["nobody-here", "33:nogroup", "4294967296", "2147483648", "1:4294967296"])
def test_a_user_that_cannot_be_is_refused(user: str) -> None:
    with pytest.raises(ConfigError):
        account(user)
    with pytest.raises(BaseImageError):
        account(inherited=user)
