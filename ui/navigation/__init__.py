"""The list of pages, which registry and repository the URL names, filters in the URL."""
