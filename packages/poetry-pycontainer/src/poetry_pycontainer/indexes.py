"""Poetry's sources and credentials for the core's own client.

    ImageBuilder(config, adapt=…, indexes=poetry_indexes(poetry, emit=emit))

Nobody is asked for a password before an index is: what is known already moves no byte and opens no keyring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from poetry.repositories.http_repository import HTTPRepository
from poetry.repositories.single_page_repository import SinglePageRepository
from poetry.utils.authenticator import Authenticator

from pycontainer.events import Warned
from pycontainer.sources.indexes import Index, IndexSettings, User
from pycontainer.transports.secrets import Redacted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from poetry.core.packages.package import Package
    from poetry.poetry import Poetry
    from poetry.repositories import RepositoryPool

    from pycontainer.events import Emit


def poetry_indexes(poetry: Poetry, *, emit: Emit) -> IndexSettings:
    """The sources of the project, each for what is locked to it, and Poetry's answers to who we are there."""
    sources = [each for each in poetry.pool.all_repositories if isinstance(each, HTTPRepository)]
    return IndexSettings(
        extra=tuple(_index(each) for each in sources if not isinstance(each, SinglePageRepository)),
        find_links=tuple(_index(each) for each in sources if isinstance(each, SinglePageRepository)),
        ca_files=tuple(path for each in sources if (path := _certificates(each, emit)) is not None),
        ask=_asking(poetry, sources, emit),
    )


def index_of(package: Package, pool: RepositoryPool) -> str | None:
    """The address of the index that Poetry would take a locked package from; none where it has none to say.

    A package that is locked without a source is from the index that Poetry calls `pypi`, whatever a plugin has put in
    its place, or from the first of the project's sources where it has none of that name.
    """
    if package.source_url:
        return package.source_url
    try:
        repository = pool.repository("pypi") if pool.has_repository("pypi") else pool.repositories[0]
    except IndexError:
        return None
    return repository.url if isinstance(repository, HTTPRepository) else None


def _index(repository: HTTPRepository) -> Index:
    return Index.parse(repository.url, source="Poetry's sources", tool="poetry", name=repository.name, explicit=True)


def _certificates(repository: HTTPRepository, emit: Emit) -> Path | None:
    """The authorities to trust besides the system's, from `certificates.<name>.cert`."""
    certificates = repository.certificates
    if not certificates.verify:
        emit(
            Warned(
                message=f"Certificates of `{repository.name}` are checked, although Poetry is told not to",
                hint=f"Run `poetry config certificates.{repository.name}.cert FILE`",
            )
        )
    if certificates.client_cert is not None:
        emit(Warned(message=f"The client certificate of `{repository.name}` is not used"))
    return certificates.cert


def _asking(poetry: Poetry, sources: list[HTTPRepository], emit: Emit) -> Callable[[str], User | None]:
    """What asks Poetry's settings, variables and keyring for the credentials of an address."""
    authenticator = Authenticator(poetry.config, disable_cache=True)
    for each in sources:
        authenticator.add_repository(each.name, each.url)

    def ask(url: str) -> User | None:
        try:
            found = authenticator.get_credentials_for_url(url)
        except Exception as error:  # noqa: BLE001 - backends of keyrings raise what they like, and may quote a password
            emit(
                Warned(
                    message=f"Poetry's keyring failed with `{type(error).__name__}`; it is passed over",
                    hint="`poetry config keyring.enabled false` turns it off",
                )
            )
            return None
        if found.username is None and found.password is None:
            return None
        return User(name=found.username or "", password=Redacted(found.password or ""))

    return ask
