"""Who plays: players, their standing and exclusions, and segments of them."""
