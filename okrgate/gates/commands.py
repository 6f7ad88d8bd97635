"""`okrgate rules …`: check, test, judge and print rules files. Needs no database and no web."""

import dataclasses
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import click

from okrgate.gates.checks import check_in_child_process, run_tests_in_child_process
from okrgate.gates.engine import judge_twice
from okrgate.gates.examining import (
    Examined,
    check_thoroughly,
    examine_in_child_process,
    unnoticed,
)
from okrgate.gates.fact_files import read_facts
from okrgate.gates.language import load_rulebook
from okrgate.gates.model import Fact, Rulebook
from okrgate.gates.problems import RulebookError
from okrgate.gates.verdict import GateUnjudgeable, Verdict
from okrgate.gates.vocabulary import APPLICATION_COLLECTIONS, APPLICATION_FACTS, section_of

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def rules() -> None:
    """Check, test and try rules files."""


@rules.command()
@click.argument("file", type=_FILE)
def check(file: Path) -> None:
    """Say what is wrong with FILE, with line and column. Exit 1 if it has errors."""
    problems = check_in_child_process(text_of(file), check=check_thoroughly)
    for problem in problems:
        click.echo(f"{file}:{problem}")
    errors = sum(problem.severity == "error" for problem in problems)
    click.echo(f"{errors} errors, {len(problems) - errors} warnings", err=True)
    if errors:
        raise SystemExit(1)


@rules.command()
@click.argument("file", type=_FILE)
@click.option(
    "--coverage", "also_coverage", is_flag=True, help="Say what the tests do not show or notice."
)
def test(file: Path, also_coverage: bool) -> None:
    """Run the tests embedded in FILE. Exit 0 only if all pass."""
    results, problems = run_tests_in_child_process(text_of(file))
    errors = [problem for problem in problems if problem.severity == "error"]
    for problem in errors:
        click.echo(f"{file}:{problem}")
    for result in results:
        if not result.passed:
            click.echo(
                f"{file}:{result.line}:{result.column}: failed: {result.name}: {'; '.join(result.faults)}"
            )
    passed = sum(result.passed for result in results)
    click.echo(f"{passed} of {len(results)} tests passed")
    if also_coverage and not errors:
        _say_coverage(file)
    if errors or passed < len(results):
        raise SystemExit(1)


def _say_coverage(file: Path) -> None:
    found = examine_in_child_process(text_of(file))
    if not isinstance(found, Examined):
        for problem in found:
            click.echo(f"{file}:{problem}")
        return
    lacking = [one for one in found.shown if one.lacking]
    for one in lacking:
        click.echo(f"{file}:{one.line}: no test shows {one.requirement} {one.lacking_in_words}")
    for problem in unnoticed(found.mistakes):
        click.echo(f"{file}:{problem.line}: {problem.sentence}")
    click.echo(f"{len(found.shown) - len(lacking)} of {len(found.shown)} requirements fully shown")
    mistakes = found.mistakes
    noticed = mistakes.tried - len(mistakes.survivors)
    untried = f"; {mistakes.untried} were not tried, for want of time" if mistakes.untried else ""
    click.echo(f"{noticed} of {mistakes.tried} small mistakes are noticed{untried}")


@rules.command()
@click.option("--rulebook", "file", type=_FILE, required=True, help="The rules file.")
@click.option("--transition", required=True, help="The id of the transition.")
@click.option(
    "--facts", type=_FILE, required=True, help="The facts as JSON, in the shape of a fixture."
)
@click.option(
    "--today", type=click.DateTime(["%Y-%m-%d"]), help="The day to judge on; today if not given."
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def judge(file: Path, transition: str, facts: Path, today: datetime | None, as_json: bool) -> None:
    """Judge one transition on the facts of a file. Exit 0 whether allowed or not, 2 if it cannot be judged."""
    rulebook = loaded(file)
    if transition not in rulebook.transitions:
        _refuse(f"{file} has no transition {transition}.")
    try:
        known, own_day = read_facts(rulebook, text_of(facts))
        day = today.date() if today else own_day or datetime.now(UTC).astimezone().date()
        verdict = judge_twice(rulebook, transition, known, today=day)
    except GateUnjudgeable as problem:
        _refuse(f"{facts}: {problem.sentence}")
    click.echo(
        json.dumps(said(verdict), ensure_ascii=False, indent=2) if as_json else _in_words(verdict)
    )


def said(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict in the shape of the command line."""
    keys = ("id", "status", "severity", "mode", "items", "blocks", "why", "message")
    findings = [
        {key: one[key] for key in keys} for one in (each.to_json() for each in verdict.findings)
    ]
    return {
        "allowed": verdict.allowed,
        "gate": verdict.gate,
        "today": verdict.today.isoformat(),
        "rulebook_sha256": verdict.rulebook_sha256,
        "findings": findings,
    }


def _in_words(verdict: Verdict) -> str:
    lines = ["allowed" if verdict.allowed else "not allowed"]
    for one in verdict.findings:
        blocks = " (blocks)" if one.blocks else ""
        lines.append(f"{one.status:8} {one.id}{blocks}: {one.message}")
        lines += [
            f"         {why.label}: needs {why.needed}, has {why.has or 'nothing'}"
            for why in one.why
        ]
    return "\n".join(lines)


@rules.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def vocabulary(as_json: bool) -> None:
    """Print the facts and lists that rules may speak about."""
    if as_json:
        content = {"facts": APPLICATION_FACTS, "collections": APPLICATION_COLLECTIONS}
        click.echo(json.dumps(plain(content), ensure_ascii=False, indent=2))
        return
    for fact in APPLICATION_FACTS.values():
        click.echo(_line(fact.name, fact, section_of(fact.name)))
    for collection in APPLICATION_COLLECTIONS.values():
        click.echo(f"\n{collection.name}: {collection.label}")
        for field in collection.fields.values():
            click.echo(_line(f"  {field.name}", field, section_of(collection.name, [field.name])))


def _line(name: str, fact: Fact, section: str | None) -> str:
    details = [
        fact.type if not fact.many else "list of users",
        *(["{" + ", ".join(fact.values) + "}"] if fact.values else []),
        *([f"in {fact.unit}"] if fact.unit else []),
        *(["always"] if fact.always else []),
        *([f"set in {section}"] if section else []),
    ]
    return f"{name:32} {fact.label} ({', '.join(details)})"


@rules.command()
@click.argument("file", type=_FILE)
def export(file: Path) -> None:
    """Print FILE as canonical JSON: sorted, every name resolved, every default written out."""
    click.echo(exported(loaded(file)))


def exported(rulebook: Rulebook) -> str:
    """Return a rulebook as canonical JSON, without its text."""
    parts = {
        one.name: getattr(rulebook, one.name)
        for one in dataclasses.fields(rulebook)
        if one.name != "text"
    }
    return json.dumps(plain(parts), ensure_ascii=False, sort_keys=True, indent=2)


def plain(value: Any) -> Any:
    """Return any value of a rulebook as plain JSON; a condition says its kind."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kind = type(value)
        told = {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
        return {"is": kind.__name__, **told} if kind.__module__.endswith(".conditions") else told
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, Decimal | date):
        return str(value)
    return value


def text_of(file: Path) -> str:
    """Return what a file says; ends the command when it is not text."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        click.echo(f"{file}:1:1: error: the file is not UTF-8", err=True)
        raise SystemExit(1) from None


def loaded(file: Path) -> Rulebook:
    """Return the rulebook of a file; ends the command with everything that is wrong with it."""
    try:
        return load_rulebook(text_of(file), name=file.stem)
    except RulebookError as error:
        for problem in error.problems:
            click.echo(f"{file}:{problem}", err=True)
        raise SystemExit(1) from error


def _refuse(sentence: str) -> NoReturn:
    click.echo(sentence, err=True)
    raise SystemExit(2)


if __name__ == "__main__":
    rules()
