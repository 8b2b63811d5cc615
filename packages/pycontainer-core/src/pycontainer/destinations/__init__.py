"""Where an image goes: a registry, an OCI layout, an archive, a container engine."""
