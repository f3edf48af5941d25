"""ACR Tasks of a registry: read, listed, created from a policy, and changed."""
