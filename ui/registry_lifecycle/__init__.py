"""Create, settings, delete."""
