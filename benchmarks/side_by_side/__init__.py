"""What `benchmarks/build.py` is made of.

rows            what is measured, and what is aimed at
suites          how: cold, warm, platforms, scale, floor; each measures the rows of its own
projects        what is built: dependencies, wheels, locks
contenders      who builds: pycontainer, `docker build`, `buildah build`
place, index    where: a registry and an index on loopback, which count the bytes they move
measure         one program, run and measured
results         the figures as they are kept
page, plot      the figures as they are shown, in tables and as a picture
"""
