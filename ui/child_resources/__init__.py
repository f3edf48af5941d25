"""Webhooks, replicas, tokens."""
