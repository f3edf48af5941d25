"""An estate of any size: its registries are there from the start, what a repository holds when first asked for."""
