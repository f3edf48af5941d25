"""Integration checker and pull matrix."""
