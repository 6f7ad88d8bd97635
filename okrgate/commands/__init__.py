"""The `okrgate` command. Nothing is imported before it is needed: `rules check` wants no settings and no database."""

from importlib import import_module
from typing import Any

import click

_COMMANDS = {
    "serve": "okrgate.commands.serving:serve",
    "worker": "okrgate.commands.serving:worker",
    "demo-mail": "okrgate.commands.serving:demo_mail",
    "demo": "okrgate.commands.demo:demo",
    "migrate": "okrgate.commands.upkeep:migrate",
    "first-admin": "okrgate.commands.upkeep:first_admin",
    "doctor": "okrgate.commands.doctor:doctor",
    "rules": "okrgate.commands.rules:rules",
    "audit": "okrgate.audit.commands:audit",
    "import": "okrgate.imports.commands:import_projects",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are named, and whose faults are told in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command, without importing any."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        place = _COMMANDS.get(cmd_name)
        if place is None:
            return None
        module, _, name = place.partition(":")
        command = getattr(import_module(module), name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{place} is not a command.")
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; say in one line what it cannot work with."""
        from okrgate.config import BadSettings
        from okrgate.errors import Refused

        try:
            return super().invoke(ctx)
        except BadSettings as problem:
            raise _Told(str(problem), 2) from problem
        except Refused as refusal:
            raise _Told(refusal.sentence, 1) from refusal
        except Exception as problem:
            raise _told(problem) from problem


class _Told(click.ClickException):
    """A fault with its sentence and exit code."""

    def __init__(self, sentence: str, exit_code: int) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


def _told(problem: Exception) -> Exception:
    """Find words for a fault that a person can mend; give every other one back as it is."""
    if isinstance(problem, click.ClickException | click.exceptions.Exit | click.Abort):
        return problem
    if isinstance(problem, OSError):
        return _Told(
            f"{problem.strerror or problem}{f': {problem.filename}' if problem.filename else ''}.",
            1,
        )
    if type(problem).__module__.startswith("sqlalchemy."):
        from sqlalchemy.exc import OperationalError, ProgrammingError

        if isinstance(problem, OperationalError | ProgrammingError):
            return _Told(
                f"The database cannot be used: {_first_line(problem.orig)} (try `okrgate doctor`)",
                1,
            )
    return problem


def _first_line(problem: object) -> str:
    return (str(problem).strip().splitlines() or ["unknown"])[0]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="okrgate")
def main() -> None:
    """Take projects from an idea to a proven result, through gates that hold."""
