"""Signing in: what allauth and axes ask of us, and the pages of somebody's own account."""
