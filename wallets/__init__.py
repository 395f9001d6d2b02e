"""The double-entry ledger: the only place where money moves."""
