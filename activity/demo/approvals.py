"""What waits for a second person in the demo world: a clawback that is more than one may take."""

from datetime import datetime
from decimal import Decimal

from django.contrib.auth.models import User

from activity.demo.staff import LOGINS_BY_ROLE
from approvals.models import Approval
from core.actors import Actor, ActorKind
from operators.models import Operator
from promos.selectors import list_user_promos
from promos.services.clawbacks import cancel_or_ask
from staff.roles import CRM_ROLE

#: Whose wallet holds more than is asked for, and of which claim.
PLAYER, CODE = "player-018", "WELCOME100"
#: In euros: 540 dollars, where one person may take 500.
AMOUNT = Decimal(500)


def ask_for_a_clawback(*, operator: Operator, now: datetime) -> None:
    """Let somebody ask for it; what an interrupted load has asked for is not asked for again."""
    if Approval.objects.for_operator(operator).exists():
        return
    crm = User.objects.get(username=LOGINS_BY_ROLE[CRM_ROLE])
    claim = list_user_promos(operator=operator).get(player__reference=PLAYER, code=CODE)
    cancel_or_ask(
        operator=operator,
        user_promo_id=claim.pk,
        reason="Played with a second account",
        custom_decrease_amount=AMOUNT,
        actor=Actor(kind=ActorKind.STAFF, ref=str(crm.pk)),
        now=now,
    )
