"""How simulations are asked for and answered: one form for the API, commands and pages."""
