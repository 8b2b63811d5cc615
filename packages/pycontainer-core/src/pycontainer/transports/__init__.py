"""One module a medium, read and write: the distribution API, OCI layouts, tar archives, index pages."""
