"""Retention policies: ordered rules that say which images of a repository are deleted, and why the others stay."""
