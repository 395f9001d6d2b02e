"""The demo world, as `manage.py load_demo` leaves it."""

import json
import stat
from decimal import Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from django.apps import apps
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.db.models import Count, Sum
from django.test import RequestFactory, TestCase
from django.utils import timezone

from activity import books as activity_books
from activity.models import Deposit
from approvals.models import Approval
from bonuses import books as bonus_books
from bonuses.models import BonusCampaign, BonusGrant, BonusIssuance
from games.models import Game
from jackpots import books as jackpot_books
from jackpots.models import Boost, Contribution, Draw, Instance, InstanceLink, Pot, Win
from operators.models import ApiKey, Operator
from players.models import Player
from promos import books as promo_books
from promos.models import Promo, PromoBatchCode, UserPromo
from simulations.models import TermsLimits
from simulations.selectors import get_promo_offer
from simulations.services.simulating import simulate_terms
from tests.conftest import Client
from wallets import books as wallet_books
from wallets.models import Transfer

_CHECKS = [
    getattr(books, name)
    for books in (activity_books, promo_books, bonus_books, jackpot_books, wallet_books)
    for name in dir(books)
    if name.startswith("check_")
]


def row_counts() -> dict[str, int]:
    """Return how many rows every table has."""
    return {
        model._meta.label: model._default_manager.count()
        for model in apps.get_models()
        if model._meta.managed
    }


def links() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for link in InstanceLink.objects.select_related("source", "target").order_by("position"):
        found.setdefault(link.source.name, []).append(link.target.name)
    return found


class TestDemoWorld(TestCase):
    """Loading takes seconds, so all look at one world; what a test changes is rolled back."""

    credentials: Path
    printed: str
    kept: str

    @classmethod
    def setUpTestData(cls) -> None:
        cls.credentials = Path(cls.enterClassContext(TemporaryDirectory())) / "data" / "demo.json"
        cls.printed = cls.load()
        cls.kept = cls.credentials.read_text()

    def setUp(self) -> None:
        self.credentials.write_text(self.kept)

    @classmethod
    def load(cls) -> str:
        output = StringIO()
        call_command("load_demo", credentials=cls.credentials, stdout=output)
        return output.getvalue()

    def test_loads_a_world_that_looks_alive(self) -> None:
        operator = Operator.objects.get(slug="demo")
        assert (operator.name, operator.base_currency) == ("Lucky Star Casino", "USD")
        by_currency = Player.objects.values_list("currency").annotate(count=Count("pk"))
        assert dict(by_currency) == {"USD": 134, "EUR": 38, "GBP": 11, "JPY": 6, "BTC": 11}
        assert Game.objects.count() == 12
        assert Game.objects.filter(is_house=True).count() == 1
        statuses = Instance.objects.values_list("status").annotate(count=Count("pk"))
        assert dict(statuses) == {"active": 13, "draft": 1, "drawn": 1}
        assert Instance.objects.exclude(paused_at=None).get().name == "Rush Hour"
        progressive = Instance.objects.get(name="Lucky Star Progressive")
        assert [pot.name for pot in progressive.pots.all()] == ["Mini", "Minor", "Major", "Grand"]
        assert Instance.objects.get(funding="player").name == "Community Raffle"

    def test_links_the_jackpots_as_in_the_three_scenarios(self) -> None:
        assert links() == {
            "Daily": ["Weekly", "Monthly"],
            "Daily (chain)": ["Weekly (chain)"],
            "Weekly (chain)": ["Monthly (chain)"],
            "Daily (opt-in)": ["Weekly (opt-in)", "Monthly (opt-in)"],
            "Rush Hour": ["Weekly", "Monthly"],
        }
        assert [row.name for row in Instance.objects.filter(opt_in_required=True)] == [
            "Weekly (opt-in)"
        ]

    def test_has_a_history_that_is_the_same_everywhere(self) -> None:
        history = Contribution.objects.exclude(instance__name="Midweek Raffle")
        outcomes = history.values_list("role", "error_code").annotate(count=Count("pk"))
        assert {(role, code): count for role, code, count in outcomes} == {
            ("main", ""): 388,
            ("linked", ""): 398,
            ("linked", "OPT_IN_REQUIRED"): 57,
        }
        daily = Contribution.objects.filter(instance__name="Daily").aggregate(Sum("amount"))
        assert daily == {"amount__sum": Decimal("10.78925")}

    def test_puts_money_into_the_wallets_of_some(self) -> None:
        deposits = Transfer.objects.filter(tag="DEPOSIT")
        # One each, and what promos and bonuses asked for.
        assert deposits.exclude(reference__regex="(promo|again|bonus|reload)$").count() == 40
        assert deposits.count() == Deposit.objects.count() == 55
        first = deposits.get(reference="deposit:demo:player-001")
        assert (first.amount, first.currency) == (Decimal(1000), "USD")
        assert Player.objects.get(reference="player-001").total_deposit_usd == 1000

    def test_has_promos_in_every_state(self) -> None:
        left = dict(Promo.objects.values_list("code", "claims_left"))
        assert left == {"WELCOME100": None, "FREE10": None, "VIP250": None, "FLASH20": 3}
        assert PromoBatchCode.objects.filter(batch__promo__code="FREE10").count() == 25
        assert {promo.games.count() for promo in Promo.objects.filter(type="DEPOSIT")} == {8}
        claims = UserPromo.objects.values_list("promo__code", "status").annotate(count=Count("pk"))
        assert {(code, status): count for code, status, count in claims} == {
            ("WELCOME100", "CLAIMED"): 1,
            ("WELCOME100", "ACTIVE"): 2,
            ("WELCOME100", "CANCELLED"): 3,
            ("VIP250", "ACTIVE"): 1,
            ("VIP250", "COMPLETED"): 1,
            ("VIP250", "EXPIRED"): 1,
            ("FLASH20", "COMPLETED"): 9,
            ("FREE10", "COMPLETED"): 4,
        }
        euros = UserPromo.objects.get(player__reference="player-018")
        # 200 euros at 1.08, thirty times; nine bets of nine euros on a slot.
        assert (euros.bonus_amount, euros.bonus_usd_amount) == (Decimal(200), Decimal(216))
        assert euros.target_usd_amount == Decimal(6480)
        assert euros.wagered_usd_amount == Decimal("87.48")
        poor = UserPromo.objects.get(player__reference="player-032", promo__code="WELCOME100")
        assert (poor.clawback_amount, poor.clawback_shortfall) == (Decimal(30), Decimal(20))
        late = UserPromo.objects.get(player__reference="player-029")
        assert (late.clawback_amount, late.clawback_shortfall) == (Decimal(50), Decimal(0))

    def test_has_bonuses_in_every_state(self) -> None:
        grants = BonusGrant.objects.exclude(issuance__granted_by_kind="campaign")
        told = {
            grant.player.reference: (grant.template.name, grant.status)
            for grant in grants.select_related("player", "template")
        }
        assert told == {
            "player-042": ("Welcome match", "active"),
            "player-043": ("20 spins on Lucky Star", "active"),
            "player-044": ("Ten dollars, no deposit", "active"),
            "player-045": ("Ten dollars, no deposit", "completed"),
            "player-046": ("Ten dollars, no deposit", "completed"),
            "player-047": ("Welcome match", "forfeited"),
            "player-048": ("20 spins on Lucky Star", "expired"),
            "player-049": ("Ten dollars, no deposit", "cancelled"),
            "player-050": ("Weekly cashback", "active"),
            "player-051": ("Friday reload", "active"),
        }
        offer = BonusIssuance.objects.get(status="awaiting_deposit")
        assert offer.player.reference == "player-041"
        capped = grants.get(player__reference="player-046")
        # Ten and three hundred won, less ten bets: what is above 10 + 100 is held back.
        assert (capped.released_amount, capped.excess_amount) == (Decimal(110), Decimal(100))
        campaign = BonusCampaign.objects.get()
        assert (campaign.status, campaign.audience_size) == ("issued", campaign.targets.count())

    def test_has_terms_that_the_simulator_warns_of(self) -> None:
        operator = Operator.objects.get(slug="demo")
        limits = TermsLimits.objects.get()
        welcome = Promo.objects.get(code="WELCOME100")

        simulation = simulate_terms(
            operator=operator,
            offer=get_promo_offer(operator=operator, promo_id=welcome.pk),
            wanted={},
            now=timezone.now(),
        )

        assert (limits.label, limits.wagering_multiple_max) == ("Great Britain", Decimal(10))
        warned = [each.detail for each in simulation.notices]
        assert (
            "Great Britain: the bonus may have to be wagered 10 times at most; these terms ask for "
            "30 times."
        ) in warned

    def test_balances_its_books(self) -> None:
        assert [str(difference) for check in _CHECKS for difference in check()] == []

    def test_has_jackpots_that_were_drawn_dropped_and_wait_for_people(self) -> None:
        draw = Draw.objects.get(instance__name="Midweek Raffle")
        assert draw.drawn_at is not None
        assert draw.wins.count() == 5
        assert not draw.wins.filter(status="awaiting_approval").exists()
        drop = Win.objects.get(instance__name="Anniversary Drop")
        assert (drop.amount, drop.status) == (Decimal(2500), "awaiting_approval")
        assert Boost.objects.get().status == "requested"
        asked = Approval.objects.get()
        assert asked.summary[0] == "Cancel WELCOME100 of player-018 and take 500.00 EUR"
        assert UserPromo.objects.get(pk=asked.subject_id).status == "ACTIVE"
        mini = Pot.objects.get(name="Mini")
        assert mini.pending_terms["seed"] == "150"

    def test_the_second_call_changes_nothing(self) -> None:
        counts = row_counts()

        second = self.load().splitlines()

        assert row_counts() == counts
        assert self.credentials.read_text() == self.kept
        assert second == self.printed.splitlines()[-2:]
        kept_where = f"the API key is in {self.credentials}."
        assert second == [
            "Lucky Star Casino: 200 players, 12 games, 15 jackpots, 4 promos, 5 bonus templates.",
            f"Operator demo, login demo, password lucky-star-demo; {kept_where}",
        ]

    def test_the_login_and_the_key_work(self) -> None:
        kept = json.loads(self.kept)
        assert set(kept) == {"api_key", "login", "operator", "password"}
        assert stat.S_IMODE(self.credentials.stat().st_mode) == 0o600
        user = authenticate(
            RequestFactory().post("/"), username=kept["login"], password=kept["password"]
        )
        assert user is not None
        assert user.is_superuser is True
        assert ApiKey.objects.get().scopes == ["manage", "play", "read"]
        assert Client(kept["api_key"]).get("/v2/jackpots/instances").status_code == 200

    def test_a_key_that_is_lost_is_replaced(self) -> None:
        lost: list[str | None] = [
            None,
            "",
            "[]",
            "{}",
            '{"api_key": 1}',
            '{"api_key": "wf_of-another-database"}',
        ]
        for left in lost:
            counts = row_counts()
            self.credentials.unlink()
            if left is not None:
                self.credentials.write_text(left)

            self.load()

            # A key and the entry that says who issued it; the world stays as it was.
            assert row_counts() == {
                **counts,
                "operators.ApiKey": counts["operators.ApiKey"] + 1,
                "core.AuditEntry": counts["core.AuditEntry"] + 1,
            }
            api_key = json.loads(self.credentials.read_text())["api_key"]
            assert Client(api_key).get("/v2/jackpots/instances").status_code == 200
