"""Operating system packages without apt: from a Debian archive to layers, nothing installed and no script run."""
