"""Reads of jackpots: exact meters, and everything that a contribution is decided upon."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from core.errors import NotFound
from jackpots.enums import ContributionType, Funding, InstanceStatus
from jackpots.models import Boost, Instance, JackpotSettings, Pot
from jackpots.rules.contributions import ContributionTerms
from operators.models import Operator


@dataclass(frozen=True, slots=True)
class PotMeter:
    """
    The value of one pot and its reserve, exact at the instant of the reading.

    What lies beyond the ceiling, or beyond the amount a pot must hit by, is in the reserve.
    """

    name: str
    position: int
    value: Decimal
    reserve: Decimal


@dataclass(frozen=True, slots=True)
class PotShare:
    """A pot's name, its share of every contribution, and its chance per unit wagered."""

    name: str
    share: Decimal
    hit_probability: Decimal | None


@dataclass(frozen=True, slots=True)
class UsdRateFact:
    """US dollars for one unit of a currency, and the row that says so (none for USD itself)."""

    rate: Decimal
    valid_from: datetime | None
    id: str | None


@dataclass(frozen=True, slots=True)
class Target:
    """
    An instance that a contribution reaches, as it stood when it was read.

    The id is text, as it goes to the database and over the wire. ``lock_number`` is its
    advisory lock (core.locks.AdvisoryLock.INSTANCE).
    """

    instance_id: str
    revision: int
    lock_number: int
    status: InstanceStatus
    is_paused: bool
    opens_at: datetime | None
    closes_at: datetime | None
    currency: str
    terms: ContributionTerms
    funding: Funding
    opt_in_required: bool
    ticket_cost: Decimal | None
    pots: tuple[PotShare, ...]
    drops_by_chance: bool


@dataclass(frozen=True, slots=True)
class ContributionPlan:
    """
    What one statement says about a contribution: the instances, the rates, the player.

    ``targets`` are the instance and those it is linked to, in the links' order. ``rates``
    has None for a currency that has none. ``wallet_currency`` is that of the player who was
    asked for, and None if nobody was. ``decisions`` are what was concluded from all that
    (jackpots.services.decisions).
    """

    targets: tuple[Target, ...]
    rates: Mapping[str, UsdRateFact | None]
    wallet_currency: str | None
    decisions: dict[tuple[Decimal, str, bool], Any] = field(default_factory=dict, compare=False)


# The bound above the watermark bounds nothing: with it the planner knows the tail for a narrow
# range, and without it for a third of all rows, which it would read from end to end. OFFSET 0
# keeps it from adding the tail up once for each time that the sum is used.
_METERS = """
    SELECT meter.instance_id, meter.name, meter.position,
        least(meter.accrued, meter.ceiling, meter.drop_amount),
        meter.reserve + greatest(
            meter.accrued - least(meter.accrued, meter.ceiling, meter.drop_amount), 0)
    FROM (
        SELECT pot.instance_id, pot.name, pot.position, pot.ceiling, pot.drop_amount, pot.reserve,
            pot.opening + pot.folded + coalesce((
                SELECT sum(contribution.pot_amounts[pot.position + 1])
                FROM jackpots_contribution AS contribution
                WHERE contribution.instance_id = pot.instance_id
                    AND contribution.xid BETWEEN instance.folded_to AND '18446744073709551615'
            ), 0) - coalesce((
                SELECT sum(original.pot_amounts[pot.position + 1])
                FROM jackpots_contribution AS reversal
                JOIN jackpots_contribution AS original ON original.id = reversal.reverses_id
                WHERE reversal.instance_id = pot.instance_id
                    AND reversal.xid BETWEEN instance.folded_to AND '18446744073709551615'
                    AND reversal.status = 'reversal'
                    AND (original.xid, original.number)
                        > (pot.cycle_from_xid, pot.cycle_from_number)
            ), 0) AS accrued
        FROM jackpots_pot AS pot
        JOIN jackpots_instance AS instance ON instance.id = pot.instance_id
        WHERE pot.instance_id = ANY (%s)
        OFFSET 0
    ) AS meter
    ORDER BY meter.instance_id, meter.position
"""


def read_meters(*, instance_ids: Sequence[UUID]) -> dict[UUID, list[PotMeter]]:
    """
    Return the meters of every pot of the instances, in the order of the pots.

    What has been folded and what has not is read in one statement, so a value is exact
    whether or not a fold or a contribution is under way.
    """
    meters: dict[UUID, list[PotMeter]] = {instance_id: [] for instance_id in instance_ids}
    with connection.cursor() as cursor:
        cursor.execute(_METERS, [list(instance_ids)])
        for instance_id, *meter in cursor.fetchall():
            meters[instance_id].append(PotMeter(*meter))
    return meters


# One row per instance, the main one first; rates are those in force at the instant.
_PLAN = """
    WITH target AS (
        SELECT id AS instance_id, -1 AS position
        FROM jackpots_instance WHERE id = %(instance)s AND operator_id = %(operator)s
        UNION ALL
        SELECT link.target_id, link.position
        FROM jackpots_linked_instance AS link
        WHERE link.source_id = %(instance)s AND link.operator_id = %(operator)s
    ), player AS (
        SELECT currency FROM players_player
        WHERE operator_id = %(operator)s AND reference = %(player)s
    ), rate AS (
        SELECT wanted.currency, in_force.usd_rate, in_force.valid_from, in_force.id
        FROM (
            SELECT currency FROM jackpots_instance
            WHERE id IN (SELECT instance_id FROM target)
            UNION SELECT unnest(%(currencies)s::text[])
            UNION SELECT currency FROM player
        ) AS wanted
        LEFT JOIN LATERAL (
            SELECT 1::numeric AS usd_rate, NULL::timestamptz AS valid_from, NULL::uuid AS id
            WHERE wanted.currency = 'USD'
            UNION ALL (
                SELECT usd_rate, valid_from, id FROM operators_exchangerate
                WHERE operator_id = %(operator)s AND currency = wanted.currency
                    AND valid_from <= %(now)s
                ORDER BY valid_from DESC, id DESC
                LIMIT 1
            )
        ) AS in_force ON true
    )
    SELECT
        (SELECT currency FROM player),
        (SELECT jsonb_object_agg(
            currency, jsonb_build_array(usd_rate::text, valid_from, id)) FROM rate),
        instance.id, instance.revision, hashtext(instance.id::text), instance.status,
        instance.paused_at IS NOT NULL,
        instance.opens_at, instance.closes_at, instance.currency, instance.contribution_type,
        instance.contribution_amount, instance.contribution_percent, instance.funding,
        instance.opt_in_required, instance.ticket_cost,
        (SELECT jsonb_agg(
            jsonb_build_array(pot.name, pot.share::text, pot.drop_probability::text)
            ORDER BY pot.position)
            FROM jackpots_pot AS pot WHERE pot.instance_id = instance.id)
    FROM target JOIN jackpots_instance AS instance ON instance.id = target.instance_id
    ORDER BY target.position
"""


def load_contribution_plan(
    *,
    operator: Operator,
    instance_id: UUID,
    currencies: Iterable[str],
    player_reference: str | None = None,
    now: datetime,
) -> ContributionPlan:
    """
    Return all that a contribution is decided upon, from one statement and one snapshot.

    The rates are those of the instances' currencies, of ``currencies`` and of the wallet
    of the player, if one is named.

    :raises NotFound: if the operator has no such instance, or no such player.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _PLAN,
            {
                "instance": instance_id,
                "operator": operator.pk,
                "player": player_reference,
                "currencies": sorted(currencies),
                "now": now,
            },
        )
        rows = cursor.fetchall()
    if not rows:
        raise NotFound("There is no such jackpot instance.")
    wallet_currency, rates = rows[0][0], _json(rows[0][1])
    if player_reference is not None and wallet_currency is None:
        raise NotFound("There is no such player.")
    return ContributionPlan(
        targets=tuple(_target(row[2:]) for row in rows),
        rates={code: _rate_fact(*rate) for code, rate in rates.items()},
        wallet_currency=wallet_currency,
    )


def _rate_fact(rate: str | None, since: str | None, rate_id: str | None) -> UsdRateFact | None:
    if rate is None:
        return None
    valid_from = None if since is None else datetime.fromisoformat(since)
    return UsdRateFact(rate=Decimal(rate), valid_from=valid_from, id=rate_id)


def _target(row: tuple[Any, ...]) -> Target:
    (
        instance_id,
        revision,
        lock_number,
        status,
        is_paused,
        opens_at,
        closes_at,
        currency,
        contribution_type,
        contribution_amount,
        contribution_percent,
        funding,
        opt_in_required,
        ticket_cost,
        pots,
    ) = row
    shares = tuple(
        PotShare(name, Decimal(share), None if chance is None else Decimal(chance))
        for name, share, chance in _json(pots)
    )
    return Target(
        instance_id=str(instance_id),
        revision=revision,
        lock_number=lock_number,
        status=InstanceStatus(status),
        is_paused=is_paused,
        opens_at=opens_at,
        closes_at=closes_at,
        currency=currency,
        terms=ContributionTerms(
            type=ContributionType(contribution_type),
            amount=contribution_amount,
            percent=contribution_percent,
        ),
        funding=Funding(funding),
        opt_in_required=opt_in_required,
        ticket_cost=ticket_cost,
        pots=shares,
        drops_by_chance=any(pot.hit_probability is not None for pot in shares),
    )


def _json(value: Any) -> Any:
    # A raw cursor of Django returns jsonb as text.
    return json.loads(value) if isinstance(value, str) else value


def get_instance(*, operator: Operator, instance_id: UUID) -> Instance:
    """
    Return the operator's instance.

    :raises NotFound: if there is none.
    """
    instance = Instance.objects.for_operator(operator).filter(pk=instance_id).first()
    if instance is None:
        raise NotFound("There is no such jackpot instance.")
    return instance


def get_pot(*, instance: Instance, name: str) -> Pot:
    """
    Return the pot of the instance with that name, in whichever Unicode form it is written.

    :raises NotFound: if there is none.
    """
    pot = None
    # Other text is no name, and some of it the database would not even look for.
    if name.isprintable():
        canonical = unicodedata.normalize("NFC", name)
        pot = Pot.objects.filter(instance=instance, name=canonical).first()
    if pot is None:
        raise NotFound("The instance has no such pot.")
    return pot


def get_boost(*, operator: Operator, boost_id: UUID) -> Boost:
    """
    Return the operator's boost, its pot and instance fetched.

    :raises NotFound: if there is none.
    """
    boosts = Boost.objects.for_operator(operator).select_related("pot__instance")
    boost = boosts.filter(pk=boost_id).first()
    if boost is None:
        raise NotFound("There is no such boost.")
    return boost


def get_jackpot_settings(*, operator: Operator) -> JackpotSettings:
    """Return how the operator runs jackpots; what nobody has set is as it comes."""
    found = JackpotSettings.objects.filter(operator=operator).first()
    return JackpotSettings(operator=operator) if found is None else found


@dataclass(frozen=True, slots=True)
class LinkHealth:
    """How a link fared in the last 24 hours: what its target accepted and refused."""

    target: Instance
    accepted_count: int
    failed_count: int
    top_error_code: str | None


# Counted hours, and the rows that no fold has counted yet.
_LINK_HEALTH = """
    SELECT target_id, error_code, sum(count)::bigint
    FROM (
        SELECT target_id, error_code, count FROM jackpots_linktraffic
        WHERE source_id = %(source)s AND hour > %(since)s
        UNION ALL
        SELECT link.target_id, tail.error_code, tail.count
        FROM jackpots_linked_instance AS link
        JOIN jackpots_instance AS target ON target.id = link.target_id
        CROSS JOIN LATERAL (
            SELECT contribution.error_code, count(*) AS count
            FROM jackpots_contribution AS contribution
            WHERE contribution.instance_id = target.id
                AND contribution.xid BETWEEN target.folded_to AND '18446744073709551615'
                AND contribution.source_id = %(source)s
                AND contribution.status <> 'reversal'
            GROUP BY contribution.error_code
        ) AS tail
        WHERE link.source_id = %(source)s
    ) AS traffic
    GROUP BY target_id, error_code
"""


def link_health(*, instance: Instance, now: datetime) -> list[LinkHealth]:
    """
    Return how each link of the instance fared in the last 24 hours, in the links' order.

    Counted by the hour: the oldest hour counts from its start.
    """
    since = now - timedelta(hours=25)
    counts: dict[UUID, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LINK_HEALTH, {"source": instance.pk, "since": since})
        for target_id, error_code, count in cursor.fetchall():
            counts.setdefault(target_id, {})[error_code] = count
    found = []
    for link in instance.links.select_related("target").order_by("position"):
        by_code = dict(counts.get(link.target_id, {}))
        accepted = by_code.pop("", 0)
        top = max(by_code, key=lambda code: (by_code[code], code), default=None)
        found.append(LinkHealth(link.target, accepted, sum(by_code.values()), top))
    return found
