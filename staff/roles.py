"""
What each role may do, by the names of permissions.

Migrations and `manage.py sync_roles` make Django's groups from this table. What it does not
name is for superusers only: SUPERUSER_ONLY lists what pages ask for and no role has.
"""

VIEWER_ROLE = "Viewer"
CRM_ROLE = "CRM"
JACKPOT_ROLE = "Jackpot manager"
FINANCE_ROLE = "Finance approver"
COMPLIANCE_ROLE = "Compliance"

#: Everything but secrets and keys, who works here, and the audit trail, which names people.
_VIEW = frozenset(
    {
        "activity.view_bet",
        "adapters.view_adapterconfig",
        "adapters.view_webhookdelivery",
        "adapters.view_webhookendpoint",
        "adapters.view_webhookmessage",
        "approvals.view_approval",
        "approvals.view_approvalsettings",
        "bonuses.view_bonuscampaign",
        "bonuses.view_bonusgrant",
        "bonuses.view_bonusissuance",
        "bonuses.view_bonustemplate",
        "bonuses.view_discrepancy",
        "bonuses.view_platformevent",
        "bonuses.view_reconciliationrun",
        "core.view_bookscheck",
        "games.view_game",
        "jackpots.view_boost",
        "jackpots.view_contribution",
        "jackpots.view_contributionrequest",
        "jackpots.view_instance",
        "jackpots.view_jackpotsettings",
        "jackpots.view_optin",
        "jackpots.view_rollbackloss",
        "jackpots.view_win",
        "operators.view_exchangerate",
        "operators.view_operator",
        "players.view_player",
        "players.view_segment",
        "promos.view_codebatch",
        "promos.view_promo",
        "promos.view_userpromo",
        "promos.view_withdrawallock",
        "reports.view_report",
        "simulations.view_termslimits",
        "wallets.view_account",
        "wallets.view_transfer",
    }
)

#: Promos, bonuses and campaigns, from the idea to the player.
_CRM = frozenset(
    {
        "bonuses.add_bonuscampaign",
        "bonuses.add_bonustemplate",
        "bonuses.cancel_bonusgrant",
        "bonuses.change_bonuscampaign",
        "bonuses.change_bonustemplate",
        "bonuses.forfeit_bonusgrant",
        "bonuses.give_up_bonusissuance",
        "bonuses.issue_bonusgrant",
        "bonuses.pause_bonuscampaign",
        "bonuses.retry_bonusissuance",
        "bonuses.start_bonuscampaign",
        "players.add_segment",
        "promos.add_promo",
        "promos.adjust_promo_claims",
        "promos.archive_promo",
        "promos.cancel_userpromo",
        "promos.change_promo",
        "promos.claw_back_userpromo",
        "promos.create_codebatch",
        "promos.disable_codebatch",
        "promos.download_codebatch",
        "reports.export_report",
        "simulations.simulate",
    }
)

#: Jackpots and everything they consist of; money for them is asked for, not approved.
_JACKPOTS = frozenset(
    {
        "jackpots.activate_instance",
        "jackpots.add_instance",
        "jackpots.cancel_instance",
        "jackpots.change_instance",
        "jackpots.change_live_terms",
        "jackpots.close_instance",
        "jackpots.draw_instance",
        "jackpots.drop_pot",
        "jackpots.link_instance",
        "jackpots.pause_instance",
        "jackpots.request_boost",
        "reports.export_report",
    }
)

#: The second person: decides about money that others ask for, and explains differences.
_FINANCE = frozenset(
    {
        "bonuses.approve_manual_grant",
        "bonuses.explain_discrepancy",
        "jackpots.approve_boost",
        "jackpots.approve_live_terms",
        "jackpots.approve_win",
        "jackpots.explain_rollbackloss",
        "jackpots.retry_win",
        "operators.add_exchangerate",
        "promos.approve_clawback",
        "reports.export_report",
    }
)

#: Looks at what everybody did, sets limits, ends what must end, and grants nothing. Of what the
#: limits guard it may do nothing: whoever lowers one cannot go on to use it.
_COMPLIANCE = frozenset(
    {
        "approvals.change_approvalsettings",
        "auth.view_group",
        "auth.view_user",
        "bonuses.cancel_bonusgrant",
        "bonuses.forfeit_bonusgrant",
        "core.view_auditentry",
        "jackpots.change_jackpotsettings",
        "promos.cancel_userpromo",
        "promos.lift_withdrawallock",
        "reports.export_audit",
        "reports.export_report",
        "reports.view_personal_data",
        "simulations.change_termslimits",
        "simulations.simulate",
    }
)

ROLES: dict[str, frozenset[str]] = {
    VIEWER_ROLE: _VIEW,
    CRM_ROLE: _VIEW | _CRM,
    JACKPOT_ROLE: _VIEW | _JACKPOTS,
    FINANCE_ROLE: _VIEW | _FINANCE,
    COMPLIANCE_ROLE: _VIEW | _COMPLIANCE,
}

#: What pages ask for and no role has: who works here, how systems are connected, and keys.
SUPERUSER_ONLY = frozenset(
    {
        "adapters.add_webhookendpoint",
        "adapters.change_webhookendpoint",
        "adapters.disable_webhookendpoint",
        "adapters.put_adapterconfig",
        "adapters.replay_webhookdelivery",
        "adapters.rotate_webhookendpoint_secret",
        "adapters.test_adapterconfig",
        "adapters.test_webhookendpoint",
        "auth.add_group",
        "auth.add_user",
        "auth.change_group",
        "auth.change_user",
        "operators.add_operator",
        "operators.change_operator",
        "operators.issue_apikey",
        "operators.revoke_apikey",
        "operators.view_apikey",
    }
)


def granted_names() -> frozenset[str]:
    """Return every permission that some role has."""
    return frozenset().union(*ROLES.values())
