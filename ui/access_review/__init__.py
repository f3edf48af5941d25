"""Who can, one principal, the ABAC dry run, what the registry grants."""
