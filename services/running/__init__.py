"""Which images run where: asked of clusters, joined with registries."""
