"""
The arithmetic of simulated play: plain values and arrays in and out.

Amounts are whole minor units of the player's currency, progress is in units of 0.00000001:
integers, so that nothing is rounded that the product does not round.
"""
