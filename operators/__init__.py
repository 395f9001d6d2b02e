"""Tenants, their API keys and their exchange rates."""
