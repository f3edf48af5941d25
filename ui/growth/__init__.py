"""How storage grows."""
