"""What apps above this one add to the demo world: each registers a step of its own."""

from datetime import datetime
from typing import Protocol, TypeVar

from core.actors import Actor
from operators.models import Operator


class Step(Protocol):
    """A part of the world. What an interrupted load has done is not done again."""

    def __call__(self, *, operator: Operator, actor: Actor, now: datetime) -> None: ...


StepT = TypeVar("StepT", bound=Step)

_steps: list[Step] = []


def demo_step(step: StepT) -> StepT:
    """Have the decorated function add to the demo world while it is loaded."""
    _steps.append(step)
    return step


def take_further_steps(*, operator: Operator, actor: Actor, now: datetime) -> None:
    """Let every app that registered a step add its part."""
    for step in _steps:
        step(operator=operator, actor=actor, now=now)
