"""The arithmetic of bonuses, and what a template's config can be. Plain values in and out."""
