"""What reports are made of, on plain values: days, tables, and what is masked."""
