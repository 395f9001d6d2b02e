"""Promo codes: claim, activate, roll over, lock, claw back."""
