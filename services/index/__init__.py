"""The index: what registries hold, kept in the console's database to be searched."""
