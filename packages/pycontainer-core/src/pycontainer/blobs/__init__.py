"""Bytes named by their digest: hashed while they stream, kept in a content-addressed store."""
