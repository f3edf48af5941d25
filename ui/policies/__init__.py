"""Retention policies: edited as a form and as text, simulated, compared, run."""
