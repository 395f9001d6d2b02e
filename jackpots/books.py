"""
The checks of jackpots: meters, parts, tickets and player-funded money, each from its rows.

Imported when the app starts, so that core.books knows them.
"""

from collections.abc import Iterator
from decimal import Decimal

from django.db import connection

from core.books import Difference, register_check


def _differences(check: str, query: str) -> Iterator[Difference]:
    """Yield a difference for each row (subject, recorded, computed) of the query."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        for subject, recorded, computed in cursor.fetchall():
            yield Difference(check, subject, Decimal(recorded), Decimal(computed))


@register_check("jackpots.meters")
def check_meters() -> Iterator[Difference]:
    """Every pot's folded value is the sum of the contributions below its instance's watermark."""
    return _differences(
        "jackpots.meters",
        """
        SELECT 'pot ' || pot.name || ' of instance ' || pot.instance_id, pot.folded,
            coalesce(rows.amount, 0)
        FROM jackpots_pot AS pot
        LEFT JOIN (
            SELECT contribution.instance_id, part.position, sum(part.amount) AS amount
            FROM jackpots_contribution AS contribution
            JOIN jackpots_instance AS instance ON instance.id = contribution.instance_id
            CROSS JOIN unnest(contribution.pot_amounts) WITH ORDINALITY AS part (amount, position)
            WHERE contribution.xid < instance.folded_to
            GROUP BY 1, 2
        ) AS rows ON rows.instance_id = pot.instance_id AND rows.position = pot.position + 1
        WHERE pot.folded <> coalesce(rows.amount, 0)
        """,
    )


@register_check("jackpots.parts")
def check_parts() -> Iterator[Difference]:
    """The parts of every contribution sum to its amount, one for each pot."""
    return _differences(
        "jackpots.parts",
        """
        SELECT 'contribution ' || contribution.id, contribution.amount, parts.amount
        FROM jackpots_contribution AS contribution
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(part), 0) AS amount
            FROM unnest(contribution.pot_amounts) AS part
        ) AS parts
        WHERE contribution.amount <> parts.amount
        """,
    )


@register_check("jackpots.orphans")
def check_orphans() -> Iterator[Difference]:
    """Every contribution belongs to an instance of its own operator and currency."""
    return _differences(
        "jackpots.orphans",
        """
        SELECT 'contribution ' || contribution.id, contribution.amount, 0
        FROM jackpots_contribution AS contribution
        LEFT JOIN jackpots_instance AS instance ON instance.id = contribution.instance_id
        LEFT JOIN players_player AS player ON player.id = contribution.player_id
        WHERE instance.operator_id IS DISTINCT FROM contribution.operator_id
            OR player.operator_id IS DISTINCT FROM contribution.operator_id
            OR instance.currency <> contribution.currency
        """,
    )


@register_check("jackpots.tickets")
def check_tickets() -> Iterator[Difference]:
    """A player's tickets are the whole multiples of the ticket cost in all they contributed."""
    return _differences(
        "jackpots.tickets",
        """
        SELECT 'tickets of player ' || player.reference || ' in instance ' || held.instance_id,
            held.tickets, div(held.amount, held.ticket_cost)
        FROM (
            SELECT contribution.instance_id, contribution.player_id, instance.ticket_cost,
                sum(contribution.tickets_earned) AS tickets,
                sum(contribution.amount) AS amount,
                max(contribution.accumulated) AS accumulated,
                max(contribution.tickets_total) AS total
            FROM jackpots_contribution AS contribution
            JOIN jackpots_instance AS instance ON instance.id = contribution.instance_id
            WHERE instance.ticket_cost IS NOT NULL AND contribution.status = 'accepted'
            GROUP BY 1, 2, 3
        ) AS held
        JOIN players_player AS player ON player.id = held.player_id
        WHERE held.tickets IS DISTINCT FROM div(held.amount, held.ticket_cost)
            OR held.total IS DISTINCT FROM held.tickets
            OR held.accumulated IS DISTINCT FROM held.amount
        """,
    )


@register_check("jackpots.player_funds")
def check_player_funds() -> Iterator[Difference]:
    """What players paid for contributions is what the ledger moved to each instance."""
    return _differences(
        "jackpots.player_funds",
        """
        SELECT 'contribution ' || contribution.id, contribution.debit_amount,
            coalesce(transfer.amount, 0)
        FROM jackpots_contribution AS contribution
        LEFT JOIN wallets_transfer AS transfer
            ON transfer.operator_id = contribution.operator_id
            AND transfer.reference = 'contribution:' || contribution.id
        WHERE contribution.debit_amount IS NOT NULL
            AND contribution.debit_amount <> coalesce(transfer.amount, 0)
        UNION ALL
        SELECT 'transfer ' || transfer.reference, 0, transfer.amount
        FROM wallets_transfer AS transfer
        LEFT JOIN jackpots_contribution AS contribution
            ON transfer.reference = 'contribution:' || contribution.id
        WHERE starts_with(transfer.reference, 'contribution:') AND contribution.debit_amount IS NULL
        """,
    )
