"""The demo world: one operator with players, games, linked jackpots and a day of history."""
