"""Whether an image keeps its policies: asked of the plan before anything is made, of the layers before any is sent."""

from pycontainer.policy.check import check_layers, check_plan

__all__ = ["check_layers", "check_plan"]
