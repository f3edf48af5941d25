"""What a sandbox keeps: documents, repositories, manifests and blobs, in SQLite and as files."""
