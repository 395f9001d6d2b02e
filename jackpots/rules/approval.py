"""Above what a win waits for a second person where the operator has set nothing."""

from decimal import Decimal

#: In the operator's base currency.
WIN_APPROVAL_ABOVE = Decimal(10_000)
