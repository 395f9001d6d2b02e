"""Casino platforms: their adapters, webhooks in, webhooks out."""
