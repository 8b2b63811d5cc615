"""Is this the image that its sources give? Two builds, compared down to the byte.

differences = compare_images(published, rebuilt)

compare       manifests, configs, layers
files         two layers that differ: which files, and where in them
"""
