"""AKS clusters: their resources, identities, networks, run commands and pods."""
