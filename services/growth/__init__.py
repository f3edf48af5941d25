"""How the storage of registries grows: a snapshot a day, what grew, and a forecast."""
