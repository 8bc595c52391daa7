"""Lands what a registry says it holds: tags, manifests and the blobs that they name."""
