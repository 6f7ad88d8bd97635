"""Settings: read once from the environment, refused if they are unsafe."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_SHORTEST_SECRET = 32
_SHORTEST_TOKEN = 16
_EXAMPLE_SECRETS = ("change-me", "changeme", "secret", "example", "0000", "1234")
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class BadSettings(ValueError):
    """Raised at start-up; its text names the variable to mend."""


@dataclass(frozen=True, kw_only=True)
class Mail:
    """How to reach the mail relay. Timeouts are seconds."""

    host: str = "127.0.0.1"
    port: int = 1025
    username: str = ""
    password: str = field(default="", repr=False)
    security: str = "none"
    sender: str = "okrgate <okrgate@localhost>"
    timeout: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that differs from one installation to the next."""

    database_url: str
    secret_key: str = field(repr=False)
    secret_key_before: str = field(default="", repr=False)
    base_url: str = "http://127.0.0.1:8000"
    data_dir: Path = Path("var")
    timezone: str = "UTC"
    currency: str = "EUR"
    rules_file: Path = Path("rules/stage_gates.yaml")
    rules_source: Path | None = None
    mail: Mail = field(default_factory=Mail)
    session_idle: timedelta = timedelta(hours=12)
    session_absolute: timedelta = timedelta(days=7)
    trusted_proxies: int = 0
    demo: bool = False
    testing: bool = False
    log_json: bool = True
    metrics_token: str = field(default="", repr=False)
    sqlite_on_network: bool = False
    checkpoint_days: int = 7

    @property
    def secure(self) -> bool:
        """Tell whether people reach us over TLS."""
        return urlsplit(self.base_url).scheme == "https"

    @property
    def host(self) -> str:
        """Return the host (with port) that links carry and requests must name."""
        return urlsplit(self.base_url).netloc

    def __post_init__(self) -> None:
        """Refuse what cannot work or is not safe."""
        _check_secret(self.secret_key)
        if self.secret_key_before:
            _check_secret(self.secret_key_before)
        _check_base_url(self.base_url)
        _check_timezone(self.timezone)
        if 0 < len(self.metrics_token) < _SHORTEST_TOKEN:
            raise BadSettings(
                f"OKRGATE_METRICS_TOKEN must hold at least {_SHORTEST_TOKEN} random characters, or be left out."
            )
        if len(self.currency) != 3 or not self.currency.isalpha() or not self.currency.isupper():
            raise BadSettings("OKRGATE_CURRENCY must be a three-letter code such as EUR.")
        if self.mail.security not in {"none", "starttls", "tls"}:
            raise BadSettings("OKRGATE_SMTP_SECURITY must be none, starttls or tls.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Build settings from `OKRGATE_*` variables."""
        data_dir = Path(environment.get("OKRGATE_DATA", "var")).absolute()
        return cls(
            database_url=environment.get(
                "OKRGATE_DATABASE_URL", f"sqlite:///{data_dir}/okrgate.db"
            ),
            secret_key=_secret_from(environment),
            secret_key_before=_secret_from(environment, "_BEFORE"),
            base_url=environment.get("OKRGATE_BASE_URL", "http://127.0.0.1:8000").rstrip("/"),
            data_dir=data_dir,
            timezone=environment.get("OKRGATE_TIMEZONE", "UTC"),
            currency=environment.get("OKRGATE_CURRENCY", "EUR"),
            rules_file=Path(environment.get("OKRGATE_RULES_FILE", str(shipped_rules()))),
            rules_source=_path("OKRGATE_RULES", environment),
            mail=Mail(
                host=environment.get("OKRGATE_SMTP_HOST", "127.0.0.1"),
                port=_whole("OKRGATE_SMTP_PORT", environment, 1025),
                username=environment.get("OKRGATE_SMTP_USERNAME", ""),
                password=environment.get("OKRGATE_SMTP_PASSWORD", ""),
                security=environment.get("OKRGATE_SMTP_SECURITY", "none"),
                sender=environment.get("OKRGATE_MAIL_FROM", "okrgate <okrgate@localhost>"),
            ),
            trusted_proxies=_whole("OKRGATE_TRUSTED_PROXIES", environment, 0),
            demo=environment.get("OKRGATE_DEMO", "") == "1",
            log_json=environment.get("OKRGATE_LOG", "json") != "text",
            checkpoint_days=_whole("OKRGATE_CHECKPOINT_DAYS", environment, 7),
            metrics_token=environment.get("OKRGATE_METRICS_TOKEN", ""),
            sqlite_on_network=environment.get("OKRGATE_SQLITE_ON_NETWORK", "") == "1",
        )


def resources() -> Path:
    """Return the folder that holds templates/, static/ and rules/: the checkout, or the wheel's copy."""
    checkout = Path(__file__).resolve().parent.parent
    inside = Path(__file__).resolve().parent / "resources"
    return inside if inside.is_dir() else checkout


def shipped_rules() -> Path:
    """Return the path of the rulebook that comes with okrgate."""
    return resources() / "rules" / "stage_gates.yaml"


def _secret_from(environment: Mapping[str, str], which: str = "") -> str:
    path = environment.get(f"OKRGATE_SECRET_FILE{which}")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as problem:
            raise BadSettings(
                f"OKRGATE_SECRET_FILE{which} cannot be read: {problem.strerror}."
            ) from problem
    return environment.get(f"OKRGATE_SECRET_KEY{which}", "")


def _path(name: str, environment: Mapping[str, str]) -> Path | None:
    return Path(environment[name]).absolute() if environment.get(name) else None


def _whole(name: str, environment: Mapping[str, str], default: int) -> int:
    text = environment.get(name, str(default))
    if not text.isdecimal() or int(text) > 65535:
        raise BadSettings(f"{name} must be a whole number, not {text!r}.")
    return int(text)


def _check_secret(secret: str) -> None:
    if len(secret) < _SHORTEST_SECRET:
        raise BadSettings(
            f"OKRGATE_SECRET_KEY (or OKRGATE_SECRET_FILE) must hold at least {_SHORTEST_SECRET} random characters."
        )
    if len(set(secret)) < 10 or any(secret.lower().startswith(word) for word in _EXAMPLE_SECRETS):
        raise BadSettings("OKRGATE_SECRET_KEY looks like an example. Use random characters.")


def _check_base_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise BadSettings("OKRGATE_BASE_URL must be an address such as https://gates.example.com.")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise BadSettings("OKRGATE_BASE_URL must use https, except on this machine itself.")


def _check_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise BadSettings(f"OKRGATE_TIMEZONE: {name!r} is not a time zone.") from problem
