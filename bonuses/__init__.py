"""Bonuses: templates, grants, wagering, and issuing them through casino platforms."""
