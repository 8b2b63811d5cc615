"""What will be done, before it is done: config and project become a `BuildPlan`."""

from pycontainer.plan.make import host_platform, make_plan
from pycontainer.plan.plan import BuildPlan, PlatformPlan

__all__ = ["BuildPlan", "PlatformPlan", "host_platform", "make_plan"]
