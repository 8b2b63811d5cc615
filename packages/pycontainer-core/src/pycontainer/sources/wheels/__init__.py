"""Wheels: checked from the first to the last byte, and installed into a layer without being unpacked."""

from pycontainer.sources.wheels.archive import Limits
from pycontainer.sources.wheels.collisions import Collision, collision_warnings, find_collisions
from pycontainer.sources.wheels.environment import Environment, EnvironmentRecipe
from pycontainer.sources.wheels.grouping import group_wheels
from pycontainer.sources.wheels.recipe import WheelInput, WheelsRecipe, collisions_between
from pycontainer.sources.wheels.wheel import WheelFile

__all__ = [
    "Collision",
    "Environment",
    "EnvironmentRecipe",
    "Limits",
    "WheelFile",
    "WheelInput",
    "WheelsRecipe",
    "collision_warnings",
    "collisions_between",
    "find_collisions",
    "group_wheels",
]
