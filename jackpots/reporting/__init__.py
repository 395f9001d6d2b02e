"""What jackpots did in a span of time: the figures behind the reports."""
