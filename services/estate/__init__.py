"""All registries and clusters together: search over them, what needs attention, and what a clean-up would free."""
