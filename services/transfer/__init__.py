"""Images in and out: archives, push, download, copy."""
