"""How fast Windfall is, beside the limit of the same database in the same minutes."""
