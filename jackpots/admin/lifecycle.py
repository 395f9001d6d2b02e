"""Moves of an instance: each on a page that says what it will do, behind its own permission."""

from collections.abc import Callable
from typing import Any, ClassVar

from unfold.enums import ActionVariant

from core.admin import ServicePage
from core.admin.display import amount_text
from jackpots.admin.display import (
    contribution_sentence,
    funding_sentence,
    names_of,
    schedule_sentence,
)
from jackpots.enums import InstanceStatus
from jackpots.models import Instance
from jackpots.selectors import read_meters
from jackpots.services import instances


class MovePage(ServicePage[Instance]):
    """One move of an instance, with a reason."""

    service: ClassVar[Callable[..., Instance]]
    #: From which state the move leads; the service has the last word.
    source: ClassVar[InstanceStatus]
    #: What became of the instance: "paused".
    done: ClassVar[str]

    def obstacle(self) -> str:
        """Say from which state the move is possible."""
        if self.subject.status == self.source:
            return ""
        wanted = "a draft" if self.source == InstanceStatus.DRAFT else self.source.label.lower()
        return (
            f"{self.subject} is {self.subject.get_status_display().lower()}. This is only "
            f"possible while an instance is {wanted}."
        )

    def call(self, form: Any) -> str:
        """Make the move."""
        type(self).service(
            operator=self.subject.operator,
            instance_id=self.subject.pk,
            reason=form.cleaned_data["reason"],
            actor=self.actor,
            now=self.now,
        )
        return f"{self.subject} was {self.done}."

    def pots_sentence(self) -> str:
        """Say what the pots hold at this instant."""
        meters = read_meters(instance_ids=[self.subject.pk])[self.subject.pk]
        values = [
            f"{each.name} {amount_text(each.value, self.subject.currency)}" for each in meters
        ]
        return f"At this instant its pots hold: {', '.join(values)}."

    def linked_from_sentences(self) -> list[str]:
        """Say which instances lead here, and what becomes of their links meanwhile."""
        sources = list(Instance.objects.filter(links__target=self.subject).order_by("name"))
        if not sources:
            return []
        return [
            (
                f"{names_of(sources)} {'links' if len(sources) == 1 else 'link'} here: those "
                "contributions go on, and only their leg to this instance fails."
            )
        ]


class ActivatePage(MovePage):
    """Open a draft."""

    name = "activate"
    permission = "jackpots.activate_instance"
    verb = "Activate"
    icon = "play_circle"
    variant = ActionVariant.PRIMARY
    source = InstanceStatus.DRAFT
    service = staticmethod(instances.activate_instance)
    done = "activated"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        subject = self.subject
        sentences = [
            f"From now on it takes contributions: {contribution_sentence(subject)}.",
            f"{funding_sentence(subject)}.",
            _open_sentence(subject),
            "Its terms are fixed: name, contribution, pots and prizes cannot be edited any more.",
        ]
        if subject.opt_in_required:
            standing = subject.opt_ins.filter(opted_out_at=None).count()
            sentences.append(f"Only players who have opted in take part: {standing:,} so far.")
        targets = [each.target for each in subject.links.select_related("target")]
        if targets:
            sentences.append(f"Every contribution to it also reaches {names_of(targets)}.")
        return sentences


class PausePage(MovePage):
    """Let nothing accrue for a while."""

    name = "pause"
    permission = "jackpots.pause_instance"
    verb = "Pause"
    icon = "pause_circle"
    source = InstanceStatus.ACTIVE
    service = staticmethod(instances.pause_instance)
    done = "paused"

    def obstacle(self) -> str:
        """Refuse what is paused already."""
        return super().obstacle() or (
            f"{self.subject} is paused already." if self.subject.is_paused else ""
        )

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "Nothing accrues until somebody resumes it: contributions are refused within a second.",
            self.pots_sentence(),
            *self.linked_from_sentences(),
            "The reason is shown beside the pause.",
        ]


class ResumePage(MovePage):
    """End a pause."""

    name = "resume"
    permission = "jackpots.pause_instance"
    verb = "Resume"
    icon = "play_circle"
    variant = ActionVariant.PRIMARY
    source = InstanceStatus.ACTIVE
    service = staticmethod(instances.resume_instance)
    done = "resumed"

    def obstacle(self) -> str:
        """Refuse what is not paused."""
        return super().obstacle() or (
            "" if self.subject.is_paused else f"{self.subject} is not paused."
        )

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            f"It takes contributions again: {contribution_sentence(self.subject)}.",
            "What was refused during the pause is not made up for.",
            self.pots_sentence(),
        ]


class ClosePage(MovePage):
    """Take no more contributions, for good."""

    name = "close"
    permission = "jackpots.close_instance"
    verb = "Close"
    icon = "stop_circle"
    variant = ActionVariant.DANGER
    is_dangerous = True
    source = InstanceStatus.ACTIVE
    service = staticmethod(instances.close_instance)
    done = "closed to contributions"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        after = (
            "The raffle then waits to be drawn."
            if self.subject.is_raffle
            else "It ends as soon as its last contributions have been added up."
        )
        return [
            "It takes no more contributions, for good. A closed instance cannot be opened again.",
            self.pots_sentence(),
            after,
            *self.linked_from_sentences(),
        ]


class CancelPage(MovePage):
    """Give up a draft."""

    name = "cancel"
    permission = "jackpots.cancel_instance"
    verb = "Cancel"
    icon = "cancel"
    variant = ActionVariant.DANGER
    is_dangerous = True
    source = InstanceStatus.DRAFT
    service = staticmethod(instances.cancel_instance)
    done = "cancelled"

    def consequences(self) -> list[str]:
        """Say what will happen."""
        return [
            "The draft is given up and cannot be brought back.",
            "It was never active, so it holds no money of anybody's.",
            *self.linked_from_sentences(),
        ]


def _open_sentence(instance: Instance) -> str:
    when = schedule_sentence(instance)
    if instance.opens_at is None and instance.closes_at is None:
        return f"It is open {when}, until somebody pauses or closes it."
    return f"It is open {when}; at other times contributions are refused."
