"""The command line: what it needs, and what it says when it cannot."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from okrgate.commands import _COMMANDS, demo, main
from tests.conftest import SECRET


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in (
        "OKRGATE_SECRET_FILE",
        "OKRGATE_DATABASE_URL",
        "OKRGATE_DEMO",
        "OKRGATE_RULES",
        "OKRGATE_RULES_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OKRGATE_SECRET_KEY", SECRET)
    monkeypatch.setenv("OKRGATE_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def test_help_imports_no_command() -> None:
    code = (
        "import sys; from click.testing import CliRunner; from okrgate.commands import main; "
        "result = CliRunner().invoke(main, ['--help']); assert result.exit_code == 0, result.output; "
        "assert 'flask' not in sys.modules and 'sqlalchemy' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603

    assert done.returncode == 0, done.stderr


def test_help_names_every_command() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output

    assert all(name in shown for name in _COMMANDS)


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_can_be_imported(name: str) -> None:
    context = click.Context(main)

    assert isinstance(main.get_command(context, name), click.Command)


@pytest.mark.parametrize("command", [["migrate"], ["serve"], ["worker"], ["doctor"], ["demo-mail"]])
def test_bad_settings_are_told_in_one_line(
    environment: Path, monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    monkeypatch.setenv("OKRGATE_SECRET_KEY", "short")

    result = CliRunner().invoke(main, command)

    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert "OKRGATE_SECRET_KEY" in result.output


def test_an_unknown_command_is_refused() -> None:
    assert CliRunner().invoke(main, ["fly"]).exit_code == 2


def test_a_database_that_cannot_be_used_is_told_in_one_line(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OKRGATE_DATABASE_URL", f"sqlite:///{environment}")
    environment.mkdir()

    result = CliRunner().invoke(main, ["migrate"])

    assert result.exit_code == 1
    assert "The database cannot be used" in result.output


def test_the_doctor_finds_a_missing_database_and_mail_server(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OKRGATE_SMTP_PORT", "9")

    result = CliRunner().invoke(main, ["doctor"])

    assert result.exit_code == 1
    assert "wrong" in result.output
    assert "Traceback" not in result.output


def test_the_demos_secret_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    first = demo._secret_file(tmp_path).read_text()
    second = demo._secret_file(tmp_path).read_text()

    assert first == second
    assert len(first) > 40
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_the_demo_uses_nothing_of_a_real_installation(tmp_path: Path) -> None:
    given = demo._environment(tmp_path, 8000, 1025)

    assert given["OKRGATE_DATABASE_URL"].startswith(f"sqlite:///{tmp_path}")
    assert given["OKRGATE_SMTP_HOST"] == "127.0.0.1"
