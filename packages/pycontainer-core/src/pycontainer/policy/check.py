"""Asks an image's policies of its plan, and of its layers.

check_plan(plan)                # what can be known before anything is downloaded or made; `--dry-run` ends here
check_layers(plan, images)      # licences, and what is in the project's wheel, before anything is pushed or written
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from pycontainer.policy.packages import check_license, check_platform, check_settings
from pycontainer.policy.patterns import matches
from pycontainer.policy.violations import Violation, raise_violations
from pycontainer.sources.locks.filenames import normalize

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from pycontainer.config import Policy
    from pycontainer.image import Image
    from pycontainer.layers.layer import Layer
    from pycontainer.layers.record import PackageContents
    from pycontainer.plan import BuildPlan
    from pycontainer.policy.files import Scanned
    from pycontainer.sources.locks import Chosen


def check_plan(plan: BuildPlan, *, default_index: Callable[[], str | None] = lambda: None) -> None:
    """Whether what a build will do keeps its policies, as far as that is known before it.

    Args:
        plan: What will be done.
        default_index: Gives the URL of the index that is asked where the lock names none.

    Raises:
        PolicyError: It does not; one error has all violations.
        ProjectError: A file of the project cannot be read.
    """
    policies = plan.config.policies
    if not policies:
        return
    from pycontainer.policy.files import scan_plan  # noqa: PLC0415 - most builds have no policy

    index = default_index() if any(policy.allowed_indexes for policy in policies) else None
    broken = [
        (policy, each)
        for policy in policies
        for each in chain(
            check_settings(policy, plan.config),
            *(check_platform(policy, plan, platform, index) for platform in plan.platforms),
        )
    ]
    found = [Violation(rule=each.rule, what=each.what, origin=policy.origin) for policy, each in broken]
    raise_violations([*found, *_file_violations(policies, lambda contents: scan_plan(plan, contents=contents))])


def check_layers(plan: BuildPlan, images: Sequence[Image]) -> None:
    """Whether the layers that were made keep the policies: licences of packages, files of the project's own.

    Raises:
        PolicyError: They do not; one error has all violations.
        PyContainerError: A layer cannot be read.
    """
    policies = plan.config.policies
    if not policies:
        return
    from pycontainer.policy.files import scan_layers  # noqa: PLC0415 - most builds have no policy

    own = {normalize(plan.metadata.name), *(each.package.name for each in _local(plan))}
    layers = {layer.diff_id: layer for image in images for layer in image.layers if layer.contents}
    packages = {
        (package.name, package.version, package.license): package
        for layer in layers.values()
        for package in _packages(layer)
        if package.name not in own
    }
    installed = [layer for layer in layers.values() if any(package.name in own for package in _packages(layer))]
    found = [*_license_violations(policies, packages.values())]
    raise_violations([*found, *_file_violations(policies, lambda contents: scan_layers(installed, contents=contents))])


def _local(plan: BuildPlan) -> Iterator[Chosen]:
    return chain.from_iterable(platform.local_packages for platform in plan.platforms)


def _packages(layer: Layer) -> tuple[PackageContents, ...]:
    return layer.contents.packages if layer.contents else ()


def _license_violations(policies: Sequence[Policy], packages: Iterable[PackageContents]) -> Iterator[Violation]:
    judging = [policy for policy in policies if policy.allowed_licenses or policy.denied_licenses]
    for package in packages:
        for policy in judging:
            for each in check_license(policy, package, _exceptions(policy, policies, "licenses")):
                yield Violation(rule=each.rule, what=each.what, origin=policy.origin)


def _file_violations(policies: Sequence[Policy], scan: Callable[[bool], Iterable[Scanned]]) -> Iterator[Violation]:
    judging = [policy for policy in policies if policy.no_secrets or policy.forbidden_files]
    if not judging:
        return
    allowed = {policy.origin: _exceptions(policy, policies, "allowed_files") for policy in judging}
    for scanned in scan(any(policy.no_secrets for policy in judging)):
        for policy in judging:
            if not matches(scanned.path, allowed[policy.origin]):
                yield from _judge_file(policy, scanned)


def _judge_file(policy: Policy, scanned: Scanned) -> Iterator[Violation]:
    if scanned.is_file and matches(scanned.path, policy.forbidden_files):
        yield Violation(rule="forbidden-files", what=f"`{scanned.path}`", origin=policy.origin)
    if policy.no_secrets:
        for finding in scanned.findings:
            yield Violation(rule="no-secrets", what=scanned.tell(finding), origin=policy.origin)


def _exceptions(policy: Policy, policies: Sequence[Policy], rule: str) -> Mapping[str, str]:
    """What a policy excuses: its own exceptions, and where it allows that those of the others."""
    counting = policies if policy.allow_exceptions else [policy]
    return {key: value for each in counting for key, value in getattr(each, rule).items()}
