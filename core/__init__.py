"""The kernel: errors, money, locks, audit, idempotency, problem documents. No business words."""
