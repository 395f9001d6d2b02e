"""Linked jackpots: one contribution reaches every directly linked instance."""
