"""The project's own files: which ones, and the layer they become."""

from pycontainer.sources.files.collect import SourceFile, collect_files
from pycontainer.sources.files.ignore import IgnoreRules
from pycontainer.sources.files.recipe import DirectoryRecipe, FilesRecipe, PlacedFile

__all__ = ["DirectoryRecipe", "FilesRecipe", "IgnoreRules", "PlacedFile", "SourceFile", "collect_files"]
