"""The `okrgate` command. Nothing is imported before it is needed: `rules check` wants no settings and no database."""

from contextlib import AbstractContextManager
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from flask import Flask

_COMMANDS = {
    "demo": (
        "okrgate.commands.demo:demo",
        "Show a company with projects in every stage, on this machine.",
    ),
    "serve": ("okrgate.commands.serving:serve", "Serve the pages."),
    "worker": (
        "okrgate.commands.serving:worker",
        "Send mail and do what is due each minute and each day.",
    ),
    "migrate": ("okrgate.commands.upkeep:migrate", "Bring the database to this version's tables."),
    "reindex": (
        "okrgate.commands.upkeep:reindex",
        "Compare the words by which projects are found with their texts, and mend them.",
    ),
    "first-admin": (
        "okrgate.commands.upkeep:first_admin",
        "Print a link for the first administrator.",
    ),
    "doctor": ("okrgate.commands.doctor:doctor", "Say what is wrong with this installation."),
    "rules": ("okrgate.commands.rules:rules", "Check, test, try and publish rules files."),
    "audit": ("okrgate.commands.record:audit", "Verify and export the audit record."),
    "import": ("okrgate.imports.commands:import_projects", "Bring in projects from a file."),
    "backup": (
        "okrgate.commands.backup:backup",
        "Keep everything in one file, while servers and workers go on.",
    ),
    "restore": ("okrgate.commands.backup:restore", "Bring back what a backup holds."),
    "demo-mail": ("okrgate.commands.serving:demo_mail", "Catch mail in a folder, for the demo."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named, and whose faults are told in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, without importing any."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        if cmd_name not in _COMMANDS:
            return None
        place, _help = _COMMANDS[cmd_name]
        module, _, name = place.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{place} is not a command.")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table above: help must work even where a command cannot."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_place, words) in _COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; say in one line what it cannot work with."""
        from okrgate.config import BadSettings
        from okrgate.errors import Refused

        try:
            return super().invoke(ctx)
        except BadSettings as problem:
            raise _BadSettings(str(problem)) from problem
        except Refused as refusal:
            raise _Told(refusal.sentence) from refusal
        except Exception as problem:
            raise _told(problem) from problem


class _Told(click.ClickException):
    """A fault with its sentence."""


class _BadSettings(_Told):
    """Settings that nothing can start with."""

    exit_code = 2


def _told(problem: Exception) -> Exception:
    """Find words for a fault that a person can mend; give every other one back as it is."""
    if isinstance(problem, click.ClickException | click.exceptions.Exit | click.Abort):
        return problem
    if isinstance(problem, OSError):
        return _Told(
            f"{problem.strerror or problem}{f': {problem.filename}' if problem.filename else ''}."
        )
    if type(problem).__module__.startswith("sqlalchemy."):
        from sqlalchemy.exc import OperationalError, ProgrammingError

        if isinstance(problem, OperationalError | ProgrammingError):
            return _Told(
                f"The database cannot be used: {_first_line(problem.orig)} (try `okrgate doctor`)"
            )
    return problem


def _first_line(problem: object) -> str:
    return (str(problem).strip().splitlines() or ["unknown"])[0]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="okrgate")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Take projects from an idea to a proven result, through gates that hold."""
    # Rooms below may not import us: with @click.pass_obj their commands get the way into the application.
    ctx.obj = _application


def _application() -> AbstractContextManager["Flask"]:
    from okrgate.commands import surroundings

    return surroundings.application()
