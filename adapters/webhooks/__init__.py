"""Webhooks: what platforms tell us, and what we tell operators."""
