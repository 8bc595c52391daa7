"""Lands what a registry lists: tags, manifests and the blobs that they name."""
