"""Reports of what bonuses, jackpots and promos cost, and their CSV."""
