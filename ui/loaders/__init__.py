"""All cached reads, and what each change makes stale. The identity is part of every key."""
