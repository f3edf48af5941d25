"""What is soft deleted: listed, and restored with its digests byte-equal."""
