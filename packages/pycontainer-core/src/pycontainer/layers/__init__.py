"""Layers: tar entries, the splice that writes them, recipes and the cache of what they gave."""
