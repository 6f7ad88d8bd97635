"""The section of scope and resources: effort, time, people, money."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from wtforms import SelectChoice

from okrgate.events import Event
from okrgate.projects import money
from okrgate.projects.models import Project
from okrgate.projects.plan_models import Scope
from okrgate.projects.rows import change, find_one, one_for
from okrgate.projects.scope_forms import EffortForm, MoneyForm, TimeForm, WhoForm
from okrgate.projects.sections import Answer, Gathered, Page, Section
from okrgate.web.filters import show_date, show_money, show_number


class ScopePage(Page):
    """A page whose fields are columns of the scope; `columns` maps one to the other."""

    columns: Mapping[str, str]

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is stored."""
        found = _scope(project)
        return {name: getattr(found, column) for name, column in self.columns.items()}

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store it."""
        row = one_for(Scope, project.id)
        change(row, {column: data[name] for name, column in self.columns.items()})
        return ()


class EffortPage(ScopePage):
    """How much work."""

    key, title, form = "effort", "Level of effort", EffortForm
    facts = {"scope.effort_days": "effort_days"}
    columns = {name: name for name in ("effort_days", "size", "includes", "excludes")}


class TimePage(ScopePage):
    """When."""

    key, title, form = "time", "Time", TimeForm
    facts = {"scope.start": "start", "scope.end": "end"}
    columns = {"start": "starts_on", "end": "ends_on"}


class WhoPage(ScopePage):
    """Who is needed."""

    key, title, form = "people", "People", WhoForm
    facts = {"scope.people": "people"}
    columns = {"people": "people", "skills": "skills"}


class MoneyPage(ScopePage):
    """How much money."""

    key, title, form = "money", "Money and more", MoneyForm
    facts = {"scope.budget": "budget"}

    def prepare(self, form: Any, project: Project) -> None:
        """Offer the currencies, the company's first."""
        company, chosen = money.company_currency(), _scope(project).currency
        others = {*money.CURRENCIES, chosen} - {company, ""}
        form.currency.choices = [
            SelectChoice(company, f"{company} (the company's)"),
            *(SelectChoice(code, code) for code in sorted(others)),
        ]

    def load(self, project: Project) -> Mapping[str, Any]:
        """Return what is stored."""
        found = _scope(project)
        return {
            "budget": money.to_major(found.budget_minor, found.currency),
            "currency": found.currency or money.company_currency(),
            "rate": Decimal(found.rate) if found.rate else None,
            "rate_on": found.rate_on,
            "other": found.other,
        }

    def save(self, project: Project, data: Mapping[str, Any], *, by: int) -> Sequence[Event]:
        """Store the amount as it was given, with its rate if it is in another currency."""
        company = money.company_currency()
        currency = data["currency"]
        foreign = currency != company and data["rate"] is not None
        change(
            one_for(Scope, project.id),
            {
                "budget_minor": money.minor_or_none(data["budget"], currency),
                "currency": currency,
                "rate": f"{data['rate']:f}" if foreign else None,
                "rate_on": data["rate_on"] if foreign else None,
                "other": data["other"],
            },
        )
        return ()


def gather(project: Project, _today: date) -> Gathered:
    """Return effort, dates, people, and the budget in the company's currency if it can be known."""
    found = _scope(project)
    values = {
        "scope.effort_days": found.effort_days,
        "scope.start": found.starts_on,
        "scope.end": found.ends_on,
        "scope.people": found.people,
        "scope.budget": budget_in_company_currency(found),
    }
    rate_on = found.rate_on.isoformat() if found.rate_on else None
    return Gathered(
        values={name: value for name, value in values.items() if value is not None},
        content={
            "scope.effort_days": [found.effort_days, found.size, found.includes, found.excludes],
            "scope.people": [found.people, found.skills],
            "scope.budget": [
                found.budget_minor,
                found.currency if found.budget_minor is not None else None,
                found.rate,
                rate_on,
                found.other,
            ],
        },
    )


def answers(project: Project) -> Sequence[Answer]:
    """Return scope and resources as people read them; money only for those involved."""
    found = _scope(project)
    effort = f"{show_number(found.effort_days)} days" if found.effort_days is not None else ""
    people = show_number(found.people) if found.people is not None else ""
    return (
        Answer("effort", "effort_days", "Effort", effort),
        Answer("effort", "size", "Size", found.size or ""),
        Answer("effort", "includes", "Includes", found.includes),
        Answer("effort", "excludes", "Does not include", found.excludes),
        Answer(
            "time", "start", "Planned start", show_date(found.starts_on) if found.starts_on else ""
        ),
        Answer("time", "end", "Planned end", show_date(found.ends_on) if found.ends_on else ""),
        Answer("people", "people", "People needed", people),
        Answer("people", "skills", "Who, and with which skills", found.skills),
        Answer("money", "budget", "Budget", _budget_in_words(found), private=True),
        Answer("money", "other", "What else is needed", found.other),
    )


def budget_in_company_currency(found: Scope) -> Decimal | None:
    """Return the budget as rules compare it; nothing when it is in another currency without a dated rate."""
    if found.budget_minor is None:
        return None
    company = money.company_currency()
    if found.currency == company:
        return money.to_major(found.budget_minor, company)
    if found.rate is None or found.rate_on is None:
        return None
    minor = money.converted(found.budget_minor, found.currency, Decimal(found.rate))
    return money.to_major(minor, company)


def _budget_in_words(found: Scope) -> str:
    if found.budget_minor is None:
        return ""
    company, text = money.company_currency(), show_money(found.budget_minor, found.currency)
    if found.currency == company:
        return text
    if found.rate is None or found.rate_on is None:
        return f"{text} (no rate to {company} yet)"
    minor = money.converted(found.budget_minor, found.currency, Decimal(found.rate))
    at = f"at {found.rate} of {show_date(found.rate_on)}"
    return f"{text} = {show_money(minor, company)} {at}"


def _scope(project: Project) -> Scope:
    blank = Scope(includes="", excludes="", skills="", currency="", other="")
    return find_one(Scope, project.id) or blank


SCOPE = Section(
    "scope",
    "Scope and resources",
    (EffortPage(), TimePage(), WhoPage(), MoneyPage()),
    gather=gather,
    answers=answers,
    tables=(Scope,),
)
