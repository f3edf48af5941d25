"""The process's connection and settings, background work, response headers."""
