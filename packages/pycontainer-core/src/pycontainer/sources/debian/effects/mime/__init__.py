"""What `update-mime-database` writes: the shared MIME-info specification of freedesktop.org, byte for byte."""
