"""All cached reads, and what each change makes stale. Who asks is part of every key."""
