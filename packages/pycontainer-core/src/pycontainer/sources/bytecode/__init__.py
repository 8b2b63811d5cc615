"""Bytecode: compiled on this host, by a Python of the image's version, so that no start has to compile it again."""

from pycontainer.sources.bytecode.interpreter import HostPython, HostPythons, find_python
from pycontainer.sources.bytecode.recipe import BytecodeRecipe, Places

__all__ = ["BytecodeRecipe", "HostPython", "HostPythons", "Places", "find_python"]
