"""The arithmetic of jackpots. Plain values in and out."""
