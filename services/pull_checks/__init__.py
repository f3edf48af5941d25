"""Can this cluster pull from this registry: checks C1-C19, and the matrix of all pairs."""
