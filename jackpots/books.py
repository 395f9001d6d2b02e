"""
The checks of jackpots: pots, wins, parts, tickets and player-funded money, each from its rows.

Imported when the app starts, so that core.books knows them.
"""

from collections.abc import Iterator
from decimal import Decimal

from django.db import connection

from core.books import Difference, register_check
from jackpots.ports import get_payouts


def _differences(check: str, query: str) -> Iterator[Difference]:
    """Yield a difference for each row (subject, recorded, computed) of the query."""
    with connection.cursor() as cursor:
        cursor.execute(query)
        for subject, recorded, computed in cursor.fetchall():
            yield Difference(check, subject, Decimal(recorded), Decimal(computed))


@register_check("jackpots.meters")
def check_meters() -> Iterator[Difference]:
    """Every pot's folded value is the sum of its running cycle, below the watermark."""
    return _differences(
        "jackpots.meters",
        """
        SELECT 'pot ' || pot.name || ' of instance ' || pot.instance_id, pot.folded,
            coalesce(cycle.amount, 0)
        FROM jackpots_pot AS pot
        LEFT JOIN (
            SELECT pot.id AS pot_id, sum(
                CASE WHEN contribution.status = 'reversal'
                    THEN -original.pot_amounts[pot.position + 1]
                    ELSE contribution.pot_amounts[pot.position + 1]
                END) AS amount
            FROM jackpots_contribution AS contribution
            JOIN jackpots_instance AS instance ON instance.id = contribution.instance_id
            JOIN jackpots_pot AS pot ON pot.instance_id = contribution.instance_id
            LEFT JOIN jackpots_contribution AS original ON original.id = contribution.reverses_id
            WHERE contribution.xid < instance.folded_to
                AND (contribution.xid, contribution.number)
                    > (pot.cycle_from_xid, pot.cycle_from_number)
                AND (original.id IS NULL OR (original.xid, original.number)
                    > (pot.cycle_from_xid, pot.cycle_from_number))
            GROUP BY pot.id
        ) AS cycle ON cycle.pot_id = pot.id
        WHERE pot.folded <> coalesce(cycle.amount, 0)
        """,
    )


@register_check("jackpots.hours")
def check_hours() -> Iterator[Difference]:
    """What a pot's hours say was contributed is what was, below the watermark."""
    return _differences(
        "jackpots.hours",
        """
        SELECT 'hours of pot ' || pot.name || ' of instance ' || pot.instance_id,
            coalesce(hours.amount, 0), coalesce(given.amount, 0)
        FROM jackpots_pot AS pot
        LEFT JOIN (
            SELECT pot_id, sum(contributed) AS amount FROM jackpots_meterhour GROUP BY 1
        ) AS hours ON hours.pot_id = pot.id
        LEFT JOIN (
            SELECT added.instance_id, part.position, sum(part.amount) AS amount
            FROM jackpots_contribution AS added
            JOIN jackpots_instance AS instance ON instance.id = added.instance_id
            CROSS JOIN unnest(added.pot_amounts) WITH ORDINALITY AS part (amount, position)
            WHERE added.xid < instance.folded_to
            GROUP BY 1, 2
        ) AS given ON given.instance_id = pot.instance_id AND given.position = pot.position + 1
        WHERE coalesce(hours.amount, 0) <> coalesce(given.amount, 0)
        """,
    )


@register_check("jackpots.conservation")
def check_conservation() -> Iterator[Difference]:
    """
    What came into a pot is in its meter, in its reserve, or won.

    What came in is contributions, seeds, boosts and transfers, less what was rolled back in
    time; a rollback after the win takes nothing back, and is a loss of the house.
    """
    return _differences(
        "jackpots.conservation",
        """
        SELECT 'pot ' || pot.name || ' of instance ' || pot.instance_id,
            pot.opening + pot.folded + pot.reserve + coalesce(won.amount, 0),
            coalesce(moved.amount, 0) + coalesce(entered.amount, 0) + coalesce(lost.amount, 0)
        FROM jackpots_pot AS pot
        JOIN jackpots_instance AS instance ON instance.id = pot.instance_id
        LEFT JOIN (
            SELECT move.instance_id, part.position, sum(
                CASE WHEN move.status = 'reversal' THEN -part.amount ELSE part.amount END
            ) AS amount
            FROM jackpots_contribution AS move
            JOIN jackpots_instance AS instance ON instance.id = move.instance_id
            LEFT JOIN jackpots_contribution AS original ON original.id = move.reverses_id
            CROSS JOIN unnest(coalesce(original.pot_amounts, move.pot_amounts))
                WITH ORDINALITY AS part (amount, position)
            WHERE move.xid < instance.folded_to
            GROUP BY 1, 2
        ) AS moved ON moved.instance_id = pot.instance_id AND moved.position = pot.position + 1
        LEFT JOIN (
            SELECT pot_id, sum(CASE kind
                WHEN 'reserve' THEN 0 WHEN 'transfer_out' THEN -amount ELSE amount END) AS amount
            FROM jackpots_potentry GROUP BY 1
        ) AS entered ON entered.pot_id = pot.id
        LEFT JOIN (
            SELECT pot_id, sum(amount) AS amount FROM jackpots_rollbackloss GROUP BY 1
        ) AS lost ON lost.pot_id = pot.id
        LEFT JOIN (
            SELECT pot_id, sum(amount) AS amount FROM jackpots_win
            WHERE status <> 'rejected' GROUP BY 1
        ) AS won ON won.pot_id = pot.id
        WHERE instance.activated_at IS NOT NULL
            AND pot.opening + pot.folded + pot.reserve + coalesce(won.amount, 0)
                <> coalesce(moved.amount, 0) + coalesce(entered.amount, 0)
                    + coalesce(lost.amount, 0)
        """,
    )


@register_check("jackpots.openings")
def check_openings() -> Iterator[Difference]:
    """A progressive's cycle began with its seed and has its boosts; transfers have two sides."""
    return _differences(
        "jackpots.openings",
        """
        SELECT 'opening of pot ' || pot.name || ' of instance ' || pot.instance_id,
            pot.opening, coalesce(entered.amount, 0)
        FROM jackpots_pot AS pot
        JOIN jackpots_instance AS instance ON instance.id = pot.instance_id
        LEFT JOIN (
            SELECT pot_id, cycle, sum(amount) AS amount FROM jackpots_potentry
            WHERE kind IN ('seed', 'reserve', 'boost') GROUP BY 1, 2
        ) AS entered ON entered.pot_id = pot.id AND entered.cycle = pot.cycle
        WHERE instance.kind = 'progressive' AND instance.activated_at IS NOT NULL
            AND pot.opening <> coalesce(entered.amount, 0)
        UNION ALL
        SELECT 'transfers from pot ' || source_id || ' to pot ' || target_id, sum(gone), sum(come)
        FROM (
            SELECT pot_id AS source_id, counterpart_id AS target_id, amount AS gone, 0 AS come
            FROM jackpots_potentry WHERE kind = 'transfer_out'
            UNION ALL
            SELECT counterpart_id, pot_id, 0, amount
            FROM jackpots_potentry WHERE kind = 'transfer_in'
        ) AS transfer
        GROUP BY source_id, target_id
        HAVING sum(gone) <> sum(come)
        UNION ALL
        SELECT 'boost ' || boost.id, boost.amount, 0
        FROM jackpots_boost AS boost
        WHERE boost.status = 'applied' AND NOT EXISTS (
            SELECT FROM jackpots_potentry AS entry
            WHERE entry.pot_id = boost.pot_id AND entry.kind = 'boost'
                AND entry.amount = boost.amount AND entry.created_at = boost.decided_at
        )
        """,
    )


@register_check("jackpots.wins")
def check_wins() -> Iterator[Difference]:
    """A win belongs where it was won; one that our ledger has paid is there, and no other."""
    yield from _differences(
        "jackpots.wins",
        """
        SELECT 'win ' || win.id, win.amount, 0
        FROM jackpots_win AS win
        JOIN jackpots_pot AS pot ON pot.id = win.pot_id
        JOIN jackpots_instance AS instance ON instance.id = win.instance_id
        JOIN players_player AS player ON player.id = win.player_id
        LEFT JOIN jackpots_contribution AS contribution ON contribution.id = win.contribution_id
        WHERE pot.instance_id <> instance.id OR win.operator_id <> instance.operator_id
            OR win.operator_id <> player.operator_id OR win.currency <> instance.currency
            OR contribution.instance_id <> instance.id OR contribution.player_id <> win.player_id
        UNION ALL
        SELECT 'transfer ' || transfer.reference, transfer.amount, coalesce(win.payout_amount, 0)
        FROM wallets_transfer AS transfer
        LEFT JOIN jackpots_win AS win ON transfer.reference = 'jackpot:' || win.id
            AND win.operator_id = transfer.operator_id AND win.status = 'paid'
        WHERE starts_with(transfer.reference, 'jackpot:')
            AND transfer.amount IS DISTINCT FROM win.payout_amount
        """,
    )
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT 'win ' || win.id, win.payout_amount, win.adapter_slug
            FROM jackpots_win AS win
            LEFT JOIN wallets_transfer AS transfer ON transfer.operator_id = win.operator_id
                AND transfer.reference = 'jackpot:' || win.id
            WHERE win.status = 'paid' AND win.payout_amount > 0 AND transfer.id IS NULL
                AND win.platform_payout_id = ''
            """
        )
        unpaid = cursor.fetchall()
    # A platform may have paid a win without a name of its own for it.
    for subject, amount, slug in unpaid:
        if not slug or get_payouts().get_channel(slug=slug).is_internal:
            yield Difference("jackpots.wins", subject, Decimal(amount), Decimal(0))


@register_check("jackpots.losses")
def check_losses() -> Iterator[Difference]:
    """A loss by a late rollback is the part that the pot's winner has kept."""
    return _differences(
        "jackpots.losses",
        """
        SELECT 'loss ' || loss.id, loss.amount, coalesce(original.pot_amounts[pot.position + 1], 0)
        FROM jackpots_rollbackloss AS loss
        JOIN jackpots_pot AS pot ON pot.id = loss.pot_id
        JOIN jackpots_contribution AS reversal ON reversal.id = loss.reversal_id
        LEFT JOIN jackpots_contribution AS original ON original.id = reversal.reverses_id
            AND original.instance_id = pot.instance_id
        WHERE loss.amount IS DISTINCT FROM original.pot_amounts[pot.position + 1]
        """,
    )


@register_check("jackpots.parts")
def check_parts() -> Iterator[Difference]:
    """The parts of a contribution sum to its amount; a rollback has none, and the same amount."""
    return _differences(
        "jackpots.parts",
        """
        SELECT 'contribution ' || contribution.id, contribution.amount, parts.amount
        FROM jackpots_contribution AS contribution
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(part), 0) AS amount
            FROM unnest(contribution.pot_amounts) AS part
        ) AS parts
        WHERE contribution.status <> 'reversal' AND contribution.amount <> parts.amount
        UNION ALL
        SELECT 'rollback ' || reversal.id, reversal.amount, original.amount
        FROM jackpots_contribution AS reversal
        JOIN jackpots_contribution AS original ON original.id = reversal.reverses_id
        WHERE reversal.amount <> original.amount OR original.status <> 'accepted'
            OR reversal.instance_id <> original.instance_id
            OR reversal.player_id <> original.player_id
            OR (reversal.xid, reversal.number) <= (original.xid, original.number)
            OR cardinality(reversal.pot_amounts) > 0
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
        SELECT DISTINCT ON (move.instance_id, move.player_id)
            'tickets of player ' || player.reference || ' in instance ' || move.instance_id,
            coalesce(move.tickets, 0), div(move.amount, move.ticket_cost)
        FROM (
            SELECT contribution.instance_id, contribution.player_id, contribution.number,
                contribution.accumulated, contribution.tickets_total AS total,
                instance.ticket_cost, sum(contribution.tickets_earned) OVER held AS tickets,
                sum(CASE contribution.status WHEN 'reversal' THEN -contribution.amount
                    ELSE contribution.amount END) OVER held AS amount
            FROM jackpots_contribution AS contribution
            JOIN jackpots_instance AS instance ON instance.id = contribution.instance_id
            WHERE instance.ticket_cost IS NOT NULL AND contribution.status <> 'failed'
            WINDOW held AS (
                PARTITION BY contribution.instance_id, contribution.player_id
                ORDER BY contribution.number)
        ) AS move
        JOIN players_player AS player ON player.id = move.player_id
        WHERE move.tickets IS DISTINCT FROM div(move.amount, move.ticket_cost)
            OR move.total IS DISTINCT FROM move.tickets
            OR move.accumulated IS DISTINCT FROM move.amount
        ORDER BY move.instance_id, move.player_id, move.number
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
        UNION ALL
        SELECT 'refund of contribution ' || coalesce(contribution.id::text, paid.reference),
            coalesce(refund.amount, 0),
            CASE WHEN reversal.id IS NULL THEN 0 ELSE paid.amount END
        FROM wallets_transfer AS paid
        LEFT JOIN wallets_transfer AS refund ON refund.reverses_id = paid.id
        LEFT JOIN jackpots_contribution AS contribution
            ON paid.reference = 'contribution:' || contribution.id
        LEFT JOIN jackpots_contribution AS reversal ON reversal.reverses_id = contribution.id
        WHERE starts_with(paid.reference, 'contribution:')
            AND coalesce(refund.amount, 0)
                <> CASE WHEN reversal.id IS NULL THEN 0 ELSE paid.amount END
        """,
    )
