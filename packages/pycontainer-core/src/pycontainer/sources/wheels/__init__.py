"""Wheels: checked from the first to the last byte, and installed into a layer without being unpacked."""

from pycontainer.sources.wheels.collisions import Collision, collision_warnings, find_collisions, footprint, may_collide
from pycontainer.sources.wheels.environment import Environment, EnvironmentRecipe
from pycontainer.sources.wheels.grouping import group_wheels
from pycontainer.sources.wheels.limits import Limits
from pycontainer.sources.wheels.recipe import WheelInput, WheelsRecipe, collisions_between

__all__ = [
    "Collision",
    "Environment",
    "EnvironmentRecipe",
    "Limits",
    "WheelInput",
    "WheelsRecipe",
    "collision_warnings",
    "collisions_between",
    "find_collisions",
    "footprint",
    "group_wheels",
    "may_collide",
]
