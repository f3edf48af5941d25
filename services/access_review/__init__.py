"""Who can do what on a registry, and what a switch to ABAC would change. Read-only reviews over many principals."""
