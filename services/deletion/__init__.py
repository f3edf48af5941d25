"""Deleting tags, manifests, repositories: chosen, planned, run, recorded."""
