"""
Every route of the API, found in the URL resolver, and what its parts stand for.

Found, not listed: a route that is added tomorrow is tested tomorrow. What cannot be found
is said in tables, one line each: what a part of a path names (OBJECTS, TOGETHER), a body
that a method takes (BODIES), what a body names (NAMED), and rows that a list shows (ROWS). A
route that is missing from them fails its tests.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.converters import StringConverter, UUIDConverter
from django.urls.resolvers import RoutePattern
from rest_framework.views import APIView

from adapters.http.signing import make_secret
from jackpots.models import Boost, Contribution, Win
from operators.models import Operator
from tests.factories.activity import BetFactory, bet_by, deposit_by
from tests.factories.adapters import AdapterConfigFactory
from tests.factories.bonuses import (
    BonusCampaignFactory,
    BonusGrantFactory,
    BonusIssuanceFactory,
    BonusTemplateFactory,
)
from tests.factories.games import GameFactory
from tests.factories.jackpots import (
    BoostFactory,
    ContributionRequestFactory,
    DrawFactory,
    InstanceFactory,
    OptInFactory,
    WinFactory,
    contribution_by,
)
from tests.factories.operators import ExchangeRateFactory
from tests.factories.players import PlayerFactory, SegmentFactory
from tests.factories.promos import CodeBatchFactory, PromoFactory, UserPromoFactory
from tests.factories.webhooks import WebhookDeliveryFactory, WebhookEndpointFactory


def wager_by(player_id: str) -> dict[str, str]:
    """Return the body of a contribution by that player."""
    return {"player_id": player_id, "base_wager": "10.00", "currency": "EUR"}


def wager_of(operator: Operator) -> dict[str, str]:
    """Return the body of a contribution by a player of ``operator``."""
    return wager_by(PlayerFactory.create(operator=operator).reference)


def opt_in_of(operator: Operator) -> dict[str, Any]:
    """Return the parts of the path of an opt-in that stands."""
    opt_in = OptInFactory.create(instance__operator=operator)
    return {"instance_id": opt_in.instance.pk, "player_id": opt_in.player.reference}


def pot_of(operator: Operator) -> dict[str, Any]:
    """Return the parts of the path of a pot that can be boosted and dropped; no other's name."""
    instance = InstanceFactory.create(
        operator=operator,
        progressive=True,
        pots=[{"name": f"grand of {operator.slug}", "seed": Decimal(10)}],
    )
    return {"instance_id": instance.pk, "pot_name": instance.pots.get().name}


def boost_of(operator: Operator) -> Boost:
    """Return a boost of a pot of ``operator`` that somebody else has asked for."""
    return BoostFactory.create(
        pot__instance__operator=operator, expires_at=datetime(2999, 1, 1, tzinfo=UTC)
    )


def win_of(operator: Operator) -> Win:
    """Return a win of ``operator`` that somebody else has made, and that waits for approval."""
    return WinFactory.create(pot__instance__operator=operator, status="awaiting_approval")


def contribution_of(operator: Operator) -> Contribution:
    """Return a contribution by a player of ``operator``."""
    player = PlayerFactory.create(operator=operator)
    return contribution_by(player, InstanceFactory.create(operator=operator))


def bet_of(operator: Operator) -> dict[str, Any]:
    """Return the parts of the path of a bet that is placed, with money that is there."""
    # In dollars, so that no exchange rate is needed.
    player = PlayerFactory.create(operator=operator, currency="USD")
    deposit_by(player, 10)
    bet = bet_by(player, GameFactory.create(operator=operator), 1).bet
    return {"player_id": player.reference, "bet_id": bet.bet_id}


def stake_on(slug: str) -> dict[str, str]:
    """Return the body of the check of a bet on that game."""
    return {"game": slug, "stake": "10.00", "currency": "EUR"}


def stake_of(operator: Operator) -> dict[str, str]:
    """Return the body of the check of a bet on a game of ``operator``."""
    return stake_on(GameFactory.create(operator=operator).slug)


def claimant_of(operator: Operator) -> dict[str, str]:
    """Return the body of a claim by a player of ``operator``."""
    return {"player_id": PlayerFactory.create(operator=operator).reference}


def code_of(operator: Operator) -> dict[str, str]:
    """Return the body of a claim, by a player of ``operator``, of one of its codes."""
    return {**claimant_of(operator), "code": PromoFactory.create(operator=operator).code}


def campaign_of(operator: Operator) -> dict[str, str]:
    """Return the body of a campaign for a segment of ``operator``."""
    return {
        "name": "Spring",
        "segment_id": str(SegmentFactory.create(operator=operator).pk),
        "template_id": str(BonusTemplateFactory.create(operator=operator).pk),
    }


def euros(operator: Operator) -> dict[str, str]:
    """Return the body of a deposit, a withdrawal, or a move of the vault."""
    return {"amount": "10.00", "currency": "EUR"}


def grant_of(operator: Operator) -> dict[str, str]:
    """Return the body of a bonus for a player of ``operator``, in dollars: no rate is needed."""
    template = BonusTemplateFactory.create(operator=operator, currency="USD")
    player = PlayerFactory.create(operator=operator, currency="USD")
    return {"template_id": str(template.pk), "player_id": player.reference}


def simulation_of(template_id: Any) -> dict[str, Any]:
    """Return the body of a small simulation of that template."""
    return {"template_id": str(template_id), "players": 100, "rtp": "0.5"}


#: What a part of a path names: how to make one for an operator, as it stands in the path.
OBJECTS: dict[str, Callable[[Operator], Any]] = {
    "adapter_slug": lambda operator: AdapterConfigFactory.create(operator=operator).slug,
    "batch_id": lambda operator: CodeBatchFactory.create(promo__operator=operator).pk,
    "boost_id": lambda operator: boost_of(operator).pk,
    "bet_id": lambda operator: BetFactory.create(operator=operator).bet_id,
    "contribution_id": lambda operator: contribution_of(operator).pk,
    "campaign_id": lambda operator: BonusCampaignFactory.create(operator=operator).pk,
    "draw_id": lambda operator: DrawFactory.create(instance__operator=operator).pk,
    "grant_id": lambda operator: BonusGrantFactory.create(asked_template__operator=operator).pk,
    "instance_id": lambda operator: InstanceFactory.create(operator=operator).pk,
    "issuance_id": lambda operator: BonusIssuanceFactory.create(template__operator=operator).pk,
    "player_id": lambda operator: PlayerFactory.create(operator=operator).reference,
    "pot_name": lambda operator: pot_of(operator)["pot_name"],
    "promo_id": lambda operator: PromoFactory.create(operator=operator).pk,
    "request_id": lambda operator: ContributionRequestFactory.create(operator=operator).pk,
    "segment_id": lambda operator: SegmentFactory.create(operator=operator).pk,
    "slug": lambda operator: GameFactory.create(operator=operator).slug,
    "template_id": lambda operator: BonusTemplateFactory.create(operator=operator).pk,
    "endpoint_id": lambda operator: WebhookEndpointFactory.create(operator=operator).pk,
    "delivery_id": lambda operator: (
        WebhookDeliveryFactory.create(endpoint__operator=operator, status="failed").pk
    ),
    "win_id": lambda operator: win_of(operator).pk,
    "user_promo_id": lambda operator: UserPromoFactory.create(promo__operator=operator).pk,
}

#: A path that names a thing by several parts: how to make them together, by route name.
TOGETHER: dict[str, Callable[[Operator], dict[str, Any]]] = {
    "instance-opt-in": opt_in_of,
    "pot-boosts": pot_of,
    "pot-drop": pot_of,
    "bet-settlement": bet_of,
    "bet-rollback": bet_of,
}

#: Parts of paths that name nothing of an operator, and a value for each.
WORDS: dict[str, str] = {"currency": "EUR"}

#: A body that passes validation, for a method that needs one: by route name and method.
BODIES: dict[tuple[str, str], Callable[[Operator], Any]] = {
    ("player", "PUT"): lambda operator: {"currency": "EUR"},
    ("self-exclusion", "PUT"): lambda operator: {"until": "2999-01-01T00:00:00Z"},
    ("game", "PUT"): lambda operator: {"name": "Sums", "category": "slots"},
    ("segments", "POST"): lambda operator: {"name": "All", "rules": {}},
    ("exchange-rate", "PUT"): lambda operator: {"usd_rate": "1.25"},
    ("adapter", "PUT"): lambda operator: {
        "kind": "http",
        "base_url": "https://93.184.216.34",
        "secret": make_secret(),
    },
    ("instances", "POST"): lambda operator: {
        "name": "Daily",
        "kind": "progressive",
        "currency": "EUR",
        "contribution": {"type": "percent", "percent": "1"},
    },
    ("instance-links", "PUT"): lambda operator: {"linked_instances": []},
    ("v1-contributions", "POST"): wager_of,
    ("v2-contributions", "POST"): wager_of,
    ("v2-contributions-batch", "POST"): lambda operator: {"contributions": [wager_of(operator)]},
    ("pot-boosts", "POST"): lambda operator: {"amount": "10.00", "reason": "Ten years"},
    ("pot-drop", "POST"): claimant_of,
    ("boost-rejection", "POST"): lambda operator: {"reason": "It was a mistake."},
    ("win-rejection", "POST"): lambda operator: {"reason": "It was a mistake."},
    ("jackpot-settings", "PUT"): lambda operator: {"win_approval_above": "1000.00"},
    ("deposits", "POST"): euros,
    ("withdrawals", "POST"): euros,
    ("vault-deposits", "POST"): euros,
    ("vault-withdrawals", "POST"): euros,
    ("tips", "POST"): lambda operator: {
        **euros(operator),
        "to_player_id": PlayerFactory.create(operator=operator).reference,
    },
    ("bets", "POST"): lambda operator: {**stake_of(operator), "bet_id": "round-1"},
    ("bet-check", "POST"): stake_of,
    ("bet-settlement", "POST"): lambda operator: {"payout": "0"},
    ("promos", "POST"): lambda operator: {
        "code": "TENNER",
        "type": "INSTANT",
        "amount": "10.00",
        "currency": "EUR",
    },
    ("promo", "PATCH"): lambda operator: {"title": "Welcome"},
    ("promo-games", "PUT"): lambda operator: {
        "games": [{"game": GameFactory.create(operator=operator).slug}]
    },
    ("promo-claim", "POST"): claimant_of,
    ("promo-code-claim", "POST"): code_of,
    ("promo-validation", "POST"): code_of,
    ("promo-codes", "POST"): lambda operator: {"count": 2, "pattern": "VIP-@@@@####"},
    ("promo-settings", "PUT"): lambda operator: {
        "activation_window_days": 7,
        "restrict_bets_while_claimed": True,
    },
    ("bonus-campaigns", "POST"): campaign_of,
    ("bonus-campaign-budget", "PUT"): lambda operator: {"budget_base": "100.00"},
    ("bonus-grants", "POST"): grant_of,
    ("bonus-grant-cancellation", "POST"): lambda operator: {"reason": "It was a mistake."},
    ("bonus-grant-forfeiture", "POST"): lambda operator: {"reason": "It was fraud."},
    ("bonus-templates", "POST"): lambda operator: {
        "name": "Ten euros",
        "type": "no_deposit",
        "config": {"amount": "10.00", "currency": "EUR"},
        "wagering_requirement_multiplier": "30",
    },
    ("webhook-endpoints", "POST"): lambda operator: {"url": "https://93.184.216.34/hooks"},
    ("webhook-endpoint", "PATCH"): lambda operator: {"description": "The journal"},
    ("user-promo-cancellation", "POST"): lambda operator: {"reason": "The player asked for it."},
    ("simulations", "POST"): lambda operator: simulation_of(
        BonusTemplateFactory.create(operator=operator).pk
    ),
}

#: What a body names: as which part of a path, and the body that names one so.
NAMED: dict[tuple[str, str], tuple[str, Callable[[Any], Any]]] = {
    ("segments", "POST"): ("player_id", lambda player: {"name": "One", "player_ids": [player]}),
    ("instance-links", "PUT"): ("instance_id", lambda target: {"linked_instances": [str(target)]}),
    ("v1-contributions", "POST"): ("player_id", wager_by),
    ("v2-contributions", "POST"): ("player_id", wager_by),
    ("bet-check", "POST"): ("slug", stake_on),
    ("pot-drop", "POST"): ("player_id", lambda player: {"player_id": player}),
    ("promo-games", "PUT"): ("slug", lambda slug: {"games": [{"game": slug}]}),
    ("promo-claim", "POST"): ("player_id", lambda player: {"player_id": player}),
    ("simulations", "POST"): ("template_id", simulation_of),
}

#: A list's rows: how to make one for an operator, by route name.
ROWS: dict[str, Callable[[Operator], Any]] = {
    "players": lambda operator: PlayerFactory.create(operator=operator),
    "segments": lambda operator: SegmentFactory.create(operator=operator),
    "games": lambda operator: GameFactory.create(operator=operator),
    "exchange-rates": lambda operator: ExchangeRateFactory.create(operator=operator),
    "instances": lambda operator: InstanceFactory.create(operator=operator),
    "boosts": boost_of,
    "contributions": contribution_of,
    "ticker": lambda operator: InstanceFactory.create(operator=operator),
    "wins": win_of,
    "bonus-campaigns": lambda operator: BonusCampaignFactory.create(operator=operator),
    "bonus-grants": lambda operator: BonusGrantFactory.create(asked_template__operator=operator),
    "bonus-templates": lambda operator: BonusTemplateFactory.create(operator=operator),
    "promos": lambda operator: PromoFactory.create(operator=operator),
    "webhook-endpoints": lambda operator: WebhookEndpointFactory.create(operator=operator),
    "webhook-deliveries": lambda operator: WebhookDeliveryFactory.create(
        endpoint__operator=operator
    ),
    "user-promos": lambda operator: UserPromoFactory.create(promo__operator=operator),
}

#: Routes that name nothing in their path and are no list either: one thing of each operator.
SINGLES = {"promo-settings", "jackpot-settings"}

#: Lists that are never empty, since every operator is born with a row; with tests of their own.
BORN_WITH = {"adapters"}

#: What names a thing among those of all operators: that a name is taken, everybody may hear.
GLOBAL_NAMES = {("adapter", "PUT")}

#: Routes without an API key: the sender's signature stands in for it, and tests of its own.
KEYLESS = {"bonus-events"}

#: A value that names nothing anywhere, for every kind of part of a path.
ABSENT: dict[type, str] = {
    StringConverter: "absent",
    UUIDConverter: "019a0000-0000-7000-8000-000000000000",
}

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
WRITES = ("POST", "PUT", "PATCH")


@dataclass(frozen=True)
class Route:
    """One path of the API: its template, the view behind it, and the parts of the path."""

    name: str
    template: str
    view: type[APIView]
    parts: tuple[tuple[str, Any], ...]

    @property
    def methods(self) -> list[str]:
        return [method for method in METHODS if hasattr(self.view, method.lower())]

    @property
    def object_parts(self) -> list[str]:
        return [part for part, _converter in self.parts if part not in WORDS]

    def path(self, **values: Any) -> str:
        """Return the path with ``values`` in it, and the word of each part that names none."""
        path = self.template
        for part, _converter in self.parts:
            path = path.replace(f"<{part}>", str(values.get(part, WORDS.get(part))))
        assert "None" not in path, f"a part of {self.template} has no value"
        return path

    def objects_of(self, operator: Operator) -> dict[str, Any]:
        """Make, for every part that names one, an object of ``operator``."""
        if self.name in TOGETHER:
            return TOGETHER[self.name](operator)
        return {part: OBJECTS[part](operator) for part in self.object_parts}

    def absent(self, part: str) -> Any:
        """Return a value for ``part`` that names nothing anywhere."""
        return ABSENT[type(dict(self.parts)[part])]

    def body(self, method: str, operator: Operator) -> Any:
        make = BODIES.get((self.name, method))
        return make(operator) if make else {}

    def __str__(self) -> str:
        return self.template


def routes() -> list[Route]:
    """Return every route below /v1/ and /v2/."""
    found = [
        route
        for route in _walk(get_resolver(), "/")
        if route.template[:3] in ("/v1", "/v2") and route.name not in KEYLESS
    ]
    assert len({route.name for route in found}) == len(found), "two routes of one name"
    return found


def calls(*methods: str) -> list[tuple[Route, str]]:
    """Return every route with every method, of ``methods``, that it takes."""
    wanted = methods or METHODS
    return [(route, method) for route in routes() for method in route.methods if method in wanted]


def _walk(resolver: URLResolver, prefix: str) -> Iterator[Route]:
    for pattern in resolver.url_patterns:
        # A prefix or path as a regular expression could not be read here; there is none.
        route = pattern.pattern._route if isinstance(pattern.pattern, RoutePattern) else None
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern, f"{prefix}{route}")
        elif isinstance(pattern, URLPattern):
            view = getattr(pattern.callback, "view_class", None)
            if view is None or not prefix.startswith("/v"):
                continue
            assert route is not None, f"{pattern} below {prefix} is not a plain path"
            template = prefix + route
            for part in pattern.pattern.converters:
                for kind in ("str", "uuid"):
                    template = template.replace(f"<{kind}:{part}>", f"<{part}>")
            yield Route(
                name=str(pattern.name),
                template=template,
                view=view,
                parts=tuple(pattern.pattern.converters.items()),
            )
