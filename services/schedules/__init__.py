"""Retention policies that run by themselves: when, what each run proposes, and what was decided."""
