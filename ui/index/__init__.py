"""The index of what registries hold: brought up to date, and searched."""
