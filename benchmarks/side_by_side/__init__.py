"""What `benchmarks/build.py` is made of: cases, a local index, contenders, measuring, the report."""
