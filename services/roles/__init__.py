"""Roles advised, assigned, removed, or asked of an administrator."""
