"""Creating a registry, changing its settings and SKU, deleting it."""
