"""The list of pages, the registry and repository that the URL names, filters in the URL."""
