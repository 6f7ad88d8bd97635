"""The sections of the ticket: problem, potential value, suggested solution."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from okrgate.events import Event
from okrgate.projects import money
from okrgate.projects.models import Project
from okrgate.projects.rows import RowsPage, change, find_one, listed, one_for
from okrgate.projects.sections import Answer, Gathered, Page, Section
from okrgate.projects.ticket_forms import (
    KINDS,
    DiscoveryForm,
    ProblemForm,
    ReachForm,
    SolutionForm,
    ValueForm,
)
from okrgate.projects.ticket_models import DiscoveryEntry, Problem, Solution, Value
from okrgate.web.filters import show_date, show_money, show_number

_TO_WHOM = (
    ("users", "user", "users"),
    ("customers", "customer", "customers"),
    ("business", "business", "the business"),
    ("platform", "platform", "the platform"),
)


class ProblemPage(Page):
    """The title and what is wrong."""

    key, title, form = "problem", "The problem", ProblemForm
    facts = {"project.title_length": "title", "problem.length": "problem"}

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is stored."""
        found = _problem(project)
        return {
            "title": project.title,
            "problem": found.problem,
            "affected": found.affected,
            "since": found.since,
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the title on the project and the rest beside it."""
        change(project, {"title": data["title"]})
        row = one_for(Problem, project.id)
        change(row, {name: data[name] for name in ("problem", "affected", "since")})
        return ()


class ValuePage(Page):
    """The four kinds of value."""

    key, title, form = "value", "Value to whom", ValueForm
    facts = {
        "value.user_length": "users",
        "value.customer_length": "customers",
        "value.business_length": "business",
        "value.platform_length": "platform",
    }
    intro = "Describe each kind of value on its own. Leave out what does not apply."

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return texts and amounts."""
        found = _value(project)
        return {
            **{name: getattr(found, name) for name, _, _ in _TO_WHOM},
            **{
                f"{name}_amount": money.in_company_currency(_minor(found, name), found.currency)
                for name, _, _ in _TO_WHOM
            },
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store texts and amounts."""
        row, currency = one_for(Value, project.id), money.company_currency()
        change(row, {name: data[name] for name, _, _ in _TO_WHOM})
        amounts = {f"{name}_minor": data[f"{name}_amount"] for name, _, _ in _TO_WHOM}
        change(row, {name: money.minor_or_none(one, currency) for name, one in amounts.items()})
        change(row, {"currency": currency})
        return ()


class DiscoveryPage(RowsPage):
    """What was found out."""

    key, title, form = "discovery", "Discovery", DiscoveryForm
    facts = {"value.discovery_entries": "entries"}
    model, field = DiscoveryEntry, "entries"
    columns = {"kind": "kind", "who": "who", "on": "on", "finding": "finding", "link": "link"}


class ReachPage(Page):
    """How much, for how many, how soon."""

    key, title, form = "reach", "Size and speed", ReachForm
    facts = {
        "value.amount": "amount",
        "value.reach": "reach",
        "value.first_value_by": "first_value_by",
    }

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is stored."""
        found = _value(project)
        return {
            "amount": money.in_company_currency(found.total_minor, found.total_currency),
            "reach": found.reach,
            "first_value_by": found.first_value_by,
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store it."""
        row, currency = one_for(Value, project.id), money.company_currency()
        total = money.minor_or_none(data["amount"], currency)
        change(row, {"total_minor": total, "total_currency": currency})
        change(row, {name: data[name] for name in ("reach", "first_value_by")})
        return ()


class SolutionPage(Page):
    """The suggestion."""

    key, title, form = "solution", "Suggested solution", SolutionForm
    facts = {"solution.length": "solution"}

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is stored."""
        found = _solution(project)
        return {"solution": found.solution, "alternatives": found.alternatives}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store it."""
        row = one_for(Solution, project.id)
        change(row, {name: data[name] for name in ("solution", "alternatives")})
        return ()


def gather_problem(project: Project, _today: date) -> Gathered:
    """Measure the title and the problem."""
    found = _problem(project)
    return Gathered(
        values={"project.title_length": len(project.title), "problem.length": len(found.problem)},
        content={
            "project.title_length": project.title,
            "problem.length": [project.title, found.problem, found.affected, found.since],
        },
    )


def problem_answers(project: Project) -> Sequence[Answer]:
    """Return the problem as people read it."""
    found = _problem(project)
    return (
        Answer("problem", "title", "Title", project.title),
        Answer("problem", "problem", "Problem or challenge", found.problem),
        Answer("problem", "affected", "Who is affected", found.affected),
        Answer("problem", "since", "Since when, and how often", found.since),
    )


def gather_value(project: Project, _today: date) -> Gathered:
    """Measure the texts, count the discovery and compare amounts in the company's currency."""
    found, entries = _value(project), listed(DiscoveryEntry, project.id)
    values: dict[str, Any] = {
        f"value.{fact}_length": len(getattr(found, name)) for name, fact, _ in _TO_WHOM
    }
    values["value.discovery_entries"] = len(entries)
    amount = money.in_company_currency(found.total_minor, found.total_currency)
    if amount is not None:
        values["value.amount"] = amount
    if found.reach is not None:
        values["value.reach"] = found.reach
    if found.first_value_by is not None:
        values["value.first_value_by"] = found.first_value_by
    content: dict[str, Any] = {
        f"value.{fact}_length": _agreed_value(found, name) for name, fact, _ in _TO_WHOM
    }
    total = (found.total_minor, found.total_currency)
    content["value.amount"] = list(total) if found.total_minor is not None else None
    content["value.discovery_entries"] = [
        [row.kind, row.who, row.on.isoformat() if row.on else None, row.finding, row.link]
        for row in entries
    ]
    return Gathered(values=values, content=content)


def value_answers(project: Project) -> Sequence[Answer]:
    """Return the value as people read it; money only for those involved."""
    found, answers = _value(project), []
    for name, _, whom in _TO_WHOM:
        amount = _shown(_minor(found, name), found.currency)
        answers += [
            Answer("value", name, f"Value to {whom}", getattr(found, name)),
            Answer("value", f"{name}_amount", f"Value to {whom} in money", amount, private=True),
        ]
    total = _shown(found.total_minor, found.total_currency)
    reach = f"{show_number(found.reach)} people" if found.reach is not None else ""
    first = show_date(found.first_value_by) if found.first_value_by else ""
    entries = "\n".join(_as_line(row) for row in listed(DiscoveryEntry, project.id))
    return (
        *answers,
        Answer("discovery", "entries", "Discovery", entries),
        Answer("reach", "amount", "Value in total, in a year", total, private=True),
        Answer("reach", "reach", "People reached", reach),
        Answer("reach", "first_value_by", "First value by", first),
    )


def gather_solution(project: Project, _today: date) -> Gathered:
    """Measure the suggestion."""
    found = _solution(project)
    return Gathered(
        values={"solution.length": len(found.solution)},
        content={"solution.length": [found.solution, found.alternatives]},
    )


def solution_answers(project: Project) -> Sequence[Answer]:
    """Return the suggestion as people read it."""
    found = _solution(project)
    return (
        Answer("solution", "solution", "Suggested solution", found.solution),
        Answer("solution", "alternatives", "Alternatives considered", found.alternatives),
    )


def _problem(project: Project) -> Problem:
    return find_one(Problem, project.id) or Problem(problem="", affected="", since="")


def _value(project: Project) -> Value:
    blank = Value(users="", customers="", business="", platform="", currency="", total_currency="")
    return find_one(Value, project.id) or blank


def _solution(project: Project) -> Solution:
    return find_one(Solution, project.id) or Solution(solution="", alternatives="")


def _minor(found: Value, name: str) -> int | None:
    minor: int | None = getattr(found, f"{name}_minor")
    return minor


def _shown(minor: int | None, currency: str) -> str:
    return "" if minor is None else show_money(minor, currency)


def _agreed_value(found: Value, name: str) -> Any:
    """Return what a signature covers: the text, and its amount if there is one."""
    text, minor = getattr(found, name), _minor(found, name)
    return text if minor is None else [text, minor, found.currency]


def _as_line(row: DiscoveryEntry) -> str:
    kind = dict(KINDS).get(row.kind or "", "")
    head = ", ".join(part for part in (kind, row.who, show_date(row.on) if row.on else "") if part)
    text = f"{head}: {row.finding}" if head else row.finding
    return f"{text} ({row.link})" if row.link else text


PROBLEM = Section(
    "problem",
    "Problem",
    (ProblemPage(),),
    gather=gather_problem,
    answers=problem_answers,
    tables=(Problem,),
)
VALUE = Section(
    "value",
    "Potential value",
    (ValuePage(), DiscoveryPage(), ReachPage()),
    gather=gather_value,
    answers=value_answers,
    tables=(Value, DiscoveryEntry),
)
SOLUTION = Section(
    "solution",
    "Suggested solution",
    (SolutionPage(),),
    gather=gather_solution,
    answers=solution_answers,
    tables=(Solution,),
)
