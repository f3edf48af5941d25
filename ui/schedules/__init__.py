"""Schedules of retention policies: saved, run by a worker of the console, and decided by people."""
