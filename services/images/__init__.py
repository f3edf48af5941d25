"""What a registry's data plane holds: repositories, tags, manifests, locks, bytes. Reading, tagging and locking."""
