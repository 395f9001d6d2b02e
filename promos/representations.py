"""How a claim looks on the wire, and the codes of a batch in a file: one form for every door."""

from collections.abc import Iterator
from typing import Any

from core.csv_cells import iterate_csv
from core.instants import format_instant
from promos.models import CodeBatch, PromoBatchCode, UserPromo
from promos.selectors import iterate_codes
from promos.services.announcements import describe_user_promo


def represent_user_promo(user_promo: UserPromo) -> dict[str, Any]:
    """Return a claim, its player fetched, as the API shows it; ``progress`` once activated."""
    return describe_user_promo(user_promo=user_promo)


def iterate_csv_lines(*, batch: CodeBatch) -> Iterator[str]:
    """
    Return the lines of the file of a batch's codes: code, claimed_at, player_id.

    A cell that a spreadsheet program would take for a formula begins with an apostrophe.
    """
    rows = (_cells(batch_code) for batch_code in iterate_codes(batch=batch))
    return iterate_csv(["code", "claimed_at", "player_id"], rows)


def _cells(batch_code: PromoBatchCode) -> list[str]:
    claim = getattr(batch_code, "user_promo", None)
    if claim is None:
        return [batch_code.code, "", ""]
    return [batch_code.code, format_instant(claim.claimed_at), claim.player.reference]
