"""Roles page, assigning and removing."""
