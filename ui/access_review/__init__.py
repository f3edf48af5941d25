"""Who can do what, one principal, the dry run of ABAC mode, what the registry grants."""
