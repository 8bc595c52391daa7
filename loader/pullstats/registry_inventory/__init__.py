"""The inventory of a registry: its tags, its manifests, and the blobs that they name."""
