"""Parts of the repository, image and storage pages."""
