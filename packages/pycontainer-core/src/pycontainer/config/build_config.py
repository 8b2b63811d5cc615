"""`BuildConfig`: every option of a build, checked when it is made, frozen afterwards.

    config = BuildConfig(tag="myapp:latest", env={"PORT": "8080"})
    config.references[0].tag == "latest"

Values may be written as the standard library has them (a string or a list of them, `int` or `str` for a port); what is
stored is plain data in one form: tuples of strings, dictionaries, texts. The properties give the parsed values.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from pycontainer.config.values import ExtraFile, Output, Port
from pycontainer.value import Value, force_setattr

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from pycontainer.config.policy import Policy
    from pycontainer.oci import Platform, Reference
    from pycontainer.sources.target import Libc, PythonVersion
    from pycontainer.transports.secrets import Redacted

DEFAULT_OUTPUT: Final = "oci:dist/image"
DEFAULT_LAYER_BUDGET: Final = 40
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
_BASE_ARCHIVES: Final = ("oci:", "oci-archive:", "docker-archive:")


class BuildConfig(Value, frozen=True, kw_only=True):
    """All options of a build. The reference lists them with their defaults: `docs/reference/options.md`.

    Relative paths are relative to `context_path`. No field is read from the environment or a file: that is
    `load_config`.

    Attributes:
        tag: Names of the image, `registry/repository:tag`; see `references`.
        context_path: The project's directory.
        output: `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, `docker`, `podman`; see `outputs`.
        push: Whether to push to the registries that the tags name.
        generate_sbom: `spdx` or `cyclonedx`.
        provenance: Whether to say, in a document attached to the image, how it came to be.
        annotations: Of manifest and index; they go before those that are found.
        reproducible: Whether the same inputs give the same digest; else the image tells the time of its build.
        created: Seconds since 1970, or RFC 3339; stored as seconds.
        base_image: A reference, `oci:DIR`, `oci-archive:FILE`, `docker-archive:FILE`, or `deb:SUITE`, which is made of
            Debian packages.
        platform: `linux/arm64`; see `platforms`. Empty means the architecture of this host.
        python: `3.12` or `3.12.4`, where the base image does not tell.
        libc: `glibc:2.36` or `musl:1.2`, where the base image does not tell.
        entrypoint: The command, as words or as one text that is split as a shell does; none means that it is found.
        cmd: Arguments that whoever runs the image can replace.
        env: Variables of the container.
        labels: Labels of the image.
        workdir: Absolute path in the image.
        user: `name`, `uid`, `name:group` or `uid:gid`; none means the base image's, or one that is not root.
        ports: `8000`, `"8000/udp"`; stored as `8000/tcp`.
        volumes: Absolute paths in the image.
        stop_signal: `SIGINT` or a number.
        include_paths: Files and directories of the project, for one that is not a package. Empty means all.
        exclude_paths: Patterns as in `.gitignore`.
        extra_files: `SRC:DEST[:MODE[:OWNER]]` or `ExtraFile`; see `added_files`.
        layer_budget: Most layers to add to the base.
        compression: `gzip`, `zstd` or `estargz`: the form of the layers that are added.
        compile_bytecode: Whether to add the bytecode of all modules; the digest then depends on the version of the
            Python that compiles.
        include_deps: Whether dependencies go into the image.
        lock: The lock file; none means that it is found.
        locked: Whether to fail when the lock is missing or older than the project.
        extras: Optional dependencies, by name.
        groups: Dependency groups, by name.
        only_groups: Whether to leave out the project's own dependencies.
        package: Member of the workspace.
        no_build: Whether to refuse dependencies that are not wheels.
        build_sdists: Dependencies that may be built although they have wheels, by name.
        lenient_wheels: Dependencies whose wheels may have an incomplete or wrong `RECORD`, by name.
        allow_outside: Whether dependencies may come from directories outside of the lock file's.
        index_url: The package index where the lock names none. May hold credentials: it is not shown.
        strict: Whether two wheels with different files of one path are an error.
        check_libraries: `error`, `warn` or `off`: what to do about shared libraries that nobody brings.
        sign: Whether to sign as an identity, with Sigstore.
        sign_key: The private key to sign with instead, PEM.
        sign_key_password: Its passphrase; stored as `Redacted`.
        sigstore_trust: Client trust config of another Sigstore than the public one.
        os_packages: Packages of the base's distribution to add: `name` or `name=version`.
        os_exclude: Packages to leave out although others need them, by name.
        os_allow_upgrades: Packages of the base that may be upgraded, by name.
        os_unconfigured: Packages to add although their scripts would have to be run, by name.
        base_packages: What a base `deb:SUITE` is made of; empty means the usual packages.
        os_archive: `URI` or `URI SUITE COMPONENT…`. May hold credentials: it is not shown.
        os_keyring: OpenPGP keys of the archive.
        os_snapshot: URL of the snapshot service, with `{time}` where the time stands.
        registry: Host, or host and repository, for tags that name no registry.
        username: At the registry that is pushed to.
        password: Its password; stored as `Redacted`.
        anonymous_pull: Whether a base image is pulled without credentials where a credential helper fails.
        insecure_registries: `host[:port]` of registries that are spoken to over plain http.
        mirrors: Registry → mirrors to pull from first, with commas between them; see `mirrors_by_registry`.
        cache_registry: Repository of the record cache that builds share; see `cache_repository`.
        cache_read_only: Whether nothing is put there.
        verify_cache: Whether layers are made here all the same, and compared with those of that cache.
        ca_file: Certificates to trust besides the system's.
        allow_http: `host[:port]` of package indexes that may be spoken to over plain http.
        policy: Rules that the image must keep: a `Policy`, its table, or several, all of which count.
        cache: Whether layers and downloads are kept between builds.
        cache_dir: Where; none means the user's cache directory.
        jobs: How much happens at a time; none leaves it to the host.
        dry_run: For front ends: whether to show the plan alone.
        verbose: For front ends, as are `quiet` and `progress`.

    Raises:
        ConfigError: One or more options are wrong; `facts` has all of them.
    """

    _unshown = ("index_url", "os_archive")  # their URLs may hold passwords

    tag: str | Sequence[str] = ()
    context_path: str | os.PathLike[str] = "."
    output: str | Sequence[str] = ()
    push: bool = False
    generate_sbom: str | None = None
    provenance: bool = False
    annotations: Mapping[str, str] = _NOTHING
    reproducible: bool = True
    created: int | str | None = None

    sign: bool = False
    sign_key: str | os.PathLike[str] | None = None
    sign_key_password: str | Redacted | None = None
    sigstore_trust: str | os.PathLike[str] | None = None

    base_image: str | None = None
    platform: str | Sequence[str] = ()
    python: str | None = None
    libc: str | None = None

    entrypoint: str | Sequence[str] | None = None
    cmd: str | Sequence[str] | None = None
    env: Mapping[str, str] = _NOTHING
    labels: Mapping[str, str] = _NOTHING
    workdir: str = "/app"
    user: str | None = None
    ports: Sequence[int | str] = ()
    volumes: Sequence[str] = ()
    stop_signal: str | None = None

    include_paths: Sequence[str] = ()
    exclude_paths: Sequence[str] = ()
    extra_files: Sequence[str | ExtraFile] = ()
    layer_budget: int = DEFAULT_LAYER_BUDGET
    compression: str = "gzip"
    compile_bytecode: bool = False

    include_deps: bool = True
    lock: str | os.PathLike[str] | None = None
    locked: bool = False
    extras: Sequence[str] = ()
    all_extras: bool = False
    groups: Sequence[str] = ()
    all_groups: bool = False
    only_groups: bool = False
    package: str | None = None
    no_build: bool = False
    build_sdists: Sequence[str] = ()
    lenient_wheels: Sequence[str] = ()
    allow_outside: bool = False
    index_url: str | None = None
    strict: bool = False
    check_libraries: str = "error"

    os_packages: Sequence[str] = ()
    os_exclude: Sequence[str] = ()
    os_allow_upgrades: Sequence[str] = ()
    os_unconfigured: Sequence[str] = ()
    base_packages: Sequence[str] = ()
    os_archive: Sequence[str] = ()
    os_keyring: str | os.PathLike[str] | None = None
    os_snapshot: str | None = None

    registry: str | None = None
    username: str | None = None
    password: str | Redacted | None = None
    anonymous_pull: bool = False
    insecure_registries: Sequence[str] = ()
    mirrors: Mapping[str, str] = _NOTHING
    cache_registry: str | None = None
    cache_read_only: bool = False
    verify_cache: bool = False
    ca_file: str | os.PathLike[str] | None = None
    allow_http: Sequence[str] = ()

    policy: Policy | Mapping[str, Any] | Sequence[Policy] = ()

    cache: bool = True
    cache_dir: str | os.PathLike[str] | None = None
    jobs: int | None = None
    dry_run: bool = False

    verbose: bool = False
    quiet: bool = False
    progress: bool = True

    def __post_init__(self) -> None:
        # Checking needs the OCI floor, which takes longer to import than `pycontainer --help` may take.
        from pycontainer.config.checks import check  # noqa: PLC0415
        from pycontainer.config.problems import raise_problems  # noqa: PLC0415

        # None stands for the default: callers pass it on for options that they did not get.
        defaults = dict(zip(self.__struct_fields__, self.__struct_defaults__, strict=True))
        given = {name: value for name, value in self.as_dict().items() if value is not None}
        values, problems = check({**defaults, **given})
        raise_problems(problems)
        for name, value in values.items():
            force_setattr(self, name, value)

    @property
    def references(self) -> tuple[Reference, ...]:
        """The names of the image, complete: `registry` where a tag names none, `latest` where it has no tag."""
        return self.references_of(_texts(self.tag))

    def references_of(self, tags: Sequence[str]) -> tuple[Reference, ...]:
        """As `references`, of other tags: of the project's name where the options give none."""
        from pycontainer.config.names import complete_reference  # noqa: PLC0415 - as in `__post_init__`

        return tuple(dict.fromkeys(complete_reference(text, self.registry) for text in tags))

    @property
    def outputs(self) -> tuple[Output, ...]:
        """Where the image is written, paths ready to use. An image that is only pushed is written nowhere."""
        texts = _texts(self.output) or (() if self.push else (DEFAULT_OUTPUT,))
        outputs = (Output.parse(text) for text in texts)
        return tuple(Output(item.format, str(self.path(item.path)) if item.path else None) for item in outputs)

    @property
    def platforms(self) -> tuple[Platform, ...]:
        """The platforms asked for, each once, in their order."""
        from pycontainer.oci import Platform  # noqa: PLC0415 - as in `__post_init__`

        return tuple(Platform.parse(text) for text in _texts(self.platform))

    @property
    def target_python(self) -> PythonVersion | None:
        """`python`, parsed."""
        from pycontainer.sources.target import PythonVersion  # noqa: PLC0415 - as in `__post_init__`

        return PythonVersion.parse(self.python) if self.python else None

    @property
    def target_libc(self) -> Libc | None:
        """`libc`, parsed."""
        from pycontainer.sources.target import Libc  # noqa: PLC0415 - as in `__post_init__`

        return Libc.parse(self.libc) if self.libc else None

    @property
    def base(self) -> str | None:
        """`base_image`, its path ready to use where it names one."""
        for prefix in _BASE_ARCHIVES:
            if self.base_image and self.base_image.startswith(prefix):
                return f"{prefix}{self.path(self.base_image.removeprefix(prefix))}"
        return self.base_image

    @property
    def exposed_ports(self) -> tuple[Port, ...]:
        """`ports`, parsed."""
        return tuple(Port.parse(str(port)) for port in self.ports)

    @property
    def added_files(self) -> tuple[ExtraFile, ...]:
        """`extra_files`, parsed; their sources are relative to the context."""
        return tuple(item if isinstance(item, ExtraFile) else ExtraFile.parse(item) for item in self.extra_files)

    @property
    def mirrors_by_registry(self) -> dict[str, tuple[str, ...]]:
        """`mirrors`, parsed."""
        return {
            registry: tuple(part.strip() for part in hosts.split(",") if part.strip())
            for registry, hosts in self.mirrors.items()
        }

    @property
    def policies(self) -> tuple[Policy, ...]:
        """`policy`, as stored."""
        return self.policy  # type: ignore[return-value]  # this is the one form that is stored

    @property
    def cache_repository(self) -> Reference | None:
        """`cache_registry`, parsed."""
        from pycontainer.oci import Reference  # noqa: PLC0415 - as in `__post_init__`

        return Reference.parse(self.cache_registry) if self.cache_registry else None

    @property
    def created_at(self) -> str | None:
        """`created` as RFC 3339, in UTC."""
        from pycontainer.config.checks import rfc3339  # noqa: PLC0415 - as in `__post_init__`

        return rfc3339(self.created) if isinstance(self.created, int) else None

    @property
    def root(self) -> Path:
        """The project's directory, absolute."""
        return Path(self.context_path).resolve()

    def path(self, path: str | os.PathLike[str]) -> Path:
        """A path of an option, ready to use: the context joined before it where it is relative."""
        return Path(self.context_path) / path

    def as_dict(self) -> dict[str, Any]:
        """Every field by name, as stored; the password stays `Redacted`."""
        return {name: getattr(self, name) for name in self.__struct_fields__}


def _texts(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
