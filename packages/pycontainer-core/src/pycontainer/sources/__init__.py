"""Where layers come from: base images, locks, wheels and files."""
