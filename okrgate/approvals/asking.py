"""What a round asks for in one sentence, and how long there is left for it."""

from collections.abc import Iterable
from datetime import date

from okrgate import clock
from okrgate.approvals.models import Round
from okrgate.gates.model import Rulebook
from okrgate.projects.plan_models import Scope
from okrgate.web.filters import show_date, show_money, show_number


def ask(rulebook: Rulebook, found: Round, title: str, sums: Iterable[str] = ()) -> str:
    """Say what is asked: to sign which project off, for what to happen, at what price."""
    shown = ", ".join(one for one in sums if one)
    onward = rulebook.transitions.get(found.transition)
    stage = rulebook.stages.get(onward.target) if onward else None
    purpose = f" so that it can go on to {stage.label}" if stage else ""
    return f"Sign off “{title}”{purpose}{': ' + shown if shown else ''}."


def gate_label(rulebook: Rulebook, found: Round) -> str:
    """Return what people call the round's gate."""
    gate = rulebook.gates.get(found.gate)
    return gate.label if gate else found.gate


def sums_of(scope: Scope | None) -> tuple[str, ...]:
    """Return money, effort and dates of a plan as short texts, without what is not filled in."""
    if scope is None:
        return ()
    return tuple(
        one
        for one in (
            short_money(scope.budget_minor, scope.currency),
            f"{show_number(scope.effort_days)} days of work" if scope.effort_days else "",
            dates(scope.starts_on, scope.ends_on),
        )
        if one
    )


def short_money(minor: int | None, currency: str) -> str:
    """Write an amount without empty decimals; nothing for no amount."""
    return show_money(minor, currency).removesuffix(".00") if minor is not None else ""


def dates(starts: date | None, ends: date | None) -> str:
    """Write a span of days."""
    if starts and ends:
        return f"{show_date(starts)} – {show_date(ends)}"  # noqa: RUF001 an en dash spans
    if starts:
        return f"from {show_date(starts)}"
    return f"until {show_date(ends)}" if ends else ""


def time_left(due: date | None) -> str:
    """Say how long there is until a day, or for how long it is over."""
    if due is None:
        return ""
    days = (due - clock.today()).days
    if days == 0:
        return "due today"
    if days == 1:
        return "due tomorrow"
    count = f"{abs(days)} day{'s' if abs(days) != 1 else ''}"
    return f"due in {count}" if days > 0 else f"{count} overdue"
