"""Azure Monitor, as far as registries need it: where logs go, what was logged, and metrics."""
