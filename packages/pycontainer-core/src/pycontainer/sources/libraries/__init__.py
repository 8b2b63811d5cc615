"""Shared libraries: what files need of them, and whether an image has it."""
