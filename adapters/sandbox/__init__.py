"""
A casino platform to play with: a real HTTP server that grants bonuses and plays them on.

It is the other party. It shares no state with Windfall, touches no database, and speaks only
the wire contract: `/v1/bonuses/…` for the adapter, signed webhooks back, and `/sandbox/…` for
people and tests who want to move a bonus on, or make the platform misbehave.
"""
