"""The theme of the back office: its name, its colours, and its sidebar."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy


def _file(path: str) -> Callable[[HttpRequest], str]:
    # Resolved per request: the manifest of static files is not there when settings load.
    return lambda _request: static(path)


def _page(title: str, icon: str, app_label: str, model: str) -> dict[str, Any]:
    """Return a sidebar entry for a model's list, shown to those who may see it."""
    permission = f"{app_label}.view_{model}"
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app_label}_{model}_changelist"),
        "permission": lambda request: request.user.has_perm(permission),
    }


UNFOLD = {
    "SITE_TITLE": "Windfall",
    "SITE_HEADER": "Windfall",
    "SITE_SUBHEADER": "Back office",
    "SITE_URL": None,
    "SITE_ICON": _file("windfall/mark.svg"),
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": _file("windfall/mark.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": False,
    "ENVIRONMENT": None,
    "STYLES": [_file("windfall/backoffice.css")],
    "SCRIPTS": [_file("windfall/backoffice.js"), _file("windfall/bonuses.js")],
    "DASHBOARD_CALLBACK": "core.admin.panels.home_context",
    "BORDER_RADIUS": "8px",
    "ACCOUNT": {
        "navigation": [
            {"title": "Security", "link": reverse_lazy("mfa_index")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ],
    },
    "COLORS": {
        # White on 600, and 700 on white, keep a contrast above 4.5 to 1.
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(66% .125 183.5)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .052 190)",
            "950": "oklch(27.7% .046 192.524)",
        },
    },
    "SIDEBAR": {
        "show_search": True,
        "command_search": True,
        "show_all_applications": False,
        "navigation": [
            {
                "items": [
                    {"title": "Home", "icon": "home", "link": reverse_lazy("admin:index")},
                    _page("Approvals", "approval", "approvals", "approval"),
                ],
            },
            {
                "title": "Jackpots",
                "items": [
                    _page("Instances", "trophy", "jackpots", "instance"),
                    _page("Wins", "celebration", "jackpots", "win"),
                    _page("Boosts", "add_circle", "jackpots", "boost"),
                    _page("Contributions", "database", "jackpots", "contribution"),
                    _page("Promised requests", "schedule_send", "jackpots", "contributionrequest"),
                    _page("Rollback losses", "money_off", "jackpots", "rollbackloss"),
                    _page("Opt-ins", "how_to_reg", "jackpots", "optin"),
                ],
            },
            {
                "title": "Promos",
                "items": [
                    _page("Promo codes", "redeem", "promos", "promo"),
                    _page("Claims", "fact_check", "promos", "userpromo"),
                    _page("Withdrawal locks", "lock_clock", "promos", "withdrawallock"),
                    _page("Batches of codes", "confirmation_number", "promos", "codebatch"),
                ],
            },
            {
                "title": "Bonuses",
                "items": [
                    _page("Templates", "card_giftcard", "bonuses", "bonustemplate"),
                    _page("Grants", "featured_seasonal_and_gifts", "bonuses", "bonusgrant"),
                    _page("Issuances", "hourglass_empty", "bonuses", "bonusissuance"),
                    _page("Campaigns", "campaign", "bonuses", "bonuscampaign"),
                    _page("Platform events", "webhook", "bonuses", "platformevent"),
                    _page("Discrepancies", "rule", "bonuses", "discrepancy"),
                    _page("Reconciliations", "sync_alt", "bonuses", "reconciliationrun"),
                ],
            },
            {
                "title": "Simulator",
                "items": [
                    {
                        "title": "Simulate terms",
                        "icon": "monitoring",
                        "link": reverse_lazy("admin:simulations_termslimits_simulate"),
                        "permission": lambda request: request.user.has_perm("simulations.simulate"),
                    },
                    {
                        **_page("Limits of terms", "speed", "simulations", "termslimits"),
                        # The simulator's address begins with that of the limits.
                        "active": lambda request: (
                            "/termslimits/" in request.path and "/simulate/" not in request.path
                        ),
                    },
                ],
            },
            {
                "title": "Platforms",
                "items": [
                    _page("Adapters", "hub", "adapters", "adapterconfig"),
                    _page("Webhook inbox", "inbox", "adapters", "webhookmessage"),
                    _page("Webhook endpoints", "outbound", "adapters", "webhookendpoint"),
                    _page("Webhook deliveries", "send", "adapters", "webhookdelivery"),
                ],
            },
            {
                "title": "Players",
                "items": [
                    _page("Players", "group", "players", "player"),
                    _page("Segments", "groups", "players", "segment"),
                    _page("Games", "casino", "games", "game"),
                    _page("Bets", "playing_cards", "activity", "bet"),
                ],
            },
            {
                "title": "Money",
                "items": [
                    _page("Transfers", "swap_horiz", "wallets", "transfer"),
                    _page("Accounts", "account_balance", "wallets", "account"),
                    _page("Exchange rates", "currency_exchange", "operators", "exchangerate"),
                    _page("Checks of the books", "fact_check", "core", "bookscheck"),
                ],
            },
            {
                "title": "Reports",
                "items": [
                    {
                        "title": "Reports",
                        "icon": "lab_profile",
                        "link": reverse_lazy("reports:index"),
                        "permission": lambda request: request.user.has_perm("reports.view_report"),
                    },
                ],
            },
            {
                "title": "Operators",
                "items": [
                    _page("Operators", "storefront", "operators", "operator"),
                    _page("API keys", "key", "operators", "apikey"),
                    _page("Approval limits", "rule_settings", "approvals", "approvalsettings"),
                    _page("Jackpot settings", "tune", "jackpots", "jackpotsettings"),
                ],
            },
            {
                "title": "System",
                "items": [
                    _page("Audit trail", "history", "core", "auditentry"),
                    _page("Staff", "badge", "auth", "user"),
                    _page("Roles", "shield_person", "auth", "group"),
                ],
            },
        ],
    },
}
