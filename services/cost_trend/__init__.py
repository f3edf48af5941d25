"""What registries cost day by day: the trend, what changed, and the next quarter."""
