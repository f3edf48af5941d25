"""An image promoted to another registry: checks before, a copy by digest with its referrers, and the record of both."""
