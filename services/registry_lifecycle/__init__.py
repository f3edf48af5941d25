"""A registry created, its settings and SKU changed, deleted."""
