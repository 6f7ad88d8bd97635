"""What `okrgate doctor` says of each setting: what it does as it is, and what to do if that is not meant.

Every field of Settings and of Mail has its words here; a test fails for one that has none.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

from sqlalchemy import make_url

from okrgate.config import Settings

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Told:
    """What one check found. A warning is worth knowing and fails nothing."""

    sentence: str
    level: str = "ok"


Looker = Callable[[Settings], Told]


def settings_told(settings: Settings) -> Iterator[Told]:
    """Yield a sentence for every setting."""
    for look in LOOKERS.values():
        yield look(settings)


def _database_url(settings: Settings) -> Told:
    from okrgate.watching import filesystems

    url = make_url(settings.database_url)
    if url.get_backend_name() == "postgresql":
        if url.drivername != "postgresql+psycopg":
            return Told(
                "OKRGATE_DATABASE_URL must begin with postgresql+psycopg:// so that the driver that comes along is used.",
                "wrong",
            )
        return Told(f"The database is PostgreSQL, {url.database} at {url.host or 'this host'}.")
    if url.get_backend_name() != "sqlite":
        return Told(
            f"OKRGATE_DATABASE_URL speaks of {url.get_backend_name()}. Use sqlite:/// or postgresql+psycopg://.",
            "wrong",
        )
    network = filesystems.network_under(settings)
    if network and not settings.sqlite_on_network:
        return Told(
            f"The SQLite file is on a network file system ({network}): servers and workers refuse to start."
            " Put it on a local disk, or use PostgreSQL.",
            "wrong",
        )
    return Told(f"The database is SQLite, {url.database}: for one host.")


def _secret_key(settings: Settings) -> Told:
    return Told(
        f"The secret has {len(settings.secret_key)} characters. Keep it apart from the backups; after a change"
        " everybody signs in again."
    )


def _secret_key_before(settings: Settings) -> Told:
    if not settings.secret_key_before:
        return Told(
            "OKRGATE_SECRET_KEY_BEFORE is not set. Set it to the old secret when you change the secret, or everybody"
            " adds their authenticator app again."
        )
    if settings.secret_key_before == settings.secret_key:
        return Told("OKRGATE_SECRET_KEY_BEFORE is the secret itself: leave it out.", "warning")
    return Told(
        "OKRGATE_SECRET_KEY_BEFORE opens the authenticator apps that were added under the old secret; each is sealed"
        " anew when it is used next."
    )


def _base_url(settings: Settings) -> Told:
    if settings.secure:
        return Told(f"People reach okrgate at {settings.base_url}; links in mails begin with it.")
    return Told(
        f"OKRGATE_BASE_URL is {settings.base_url}: only this machine reaches it. For others set the https address"
        " of the proxy in front.",
        "ok" if settings.demo else "warning",
    )


def _data_dir(settings: Settings) -> Told:
    return Told(f"OKRGATE_DATA is {settings.data_dir}. It must be writable by servers and workers.")


def _timezone(settings: Settings) -> Told:
    return Told(
        f"OKRGATE_TIMEZONE is {settings.timezone}, until an administrator chooses another at /admin/settings."
    )


def _currency(settings: Settings) -> Told:
    return Told(
        f"OKRGATE_CURRENCY is {settings.currency}, until an administrator chooses another at /admin/settings."
    )


def _rules_file(settings: Settings) -> Told:
    return Told(
        f"OKRGATE_RULES_FILE is {settings.rules_file}. It is published once, into an empty database; after that"
        " rules are published on the page Rules or by `okrgate rules publish`."
    )


def _rules_source(settings: Settings) -> Told:
    path = settings.rules_source
    if path is None:
        return Told("OKRGATE_RULES is not set: rules are published on the page Rules.")
    if not path.is_file():
        return Told(
            f"OKRGATE_RULES is {path}, and there is no such file: the rules that bind stay, and nobody can change them.",
            "wrong",
        )
    return Told(
        f"OKRGATE_RULES is {path}: what it says binds within a minute, and the pages are read-only."
    )


def _mail_host(settings: Settings) -> Told:
    mail = settings.mail
    if mail.host in _LOOPBACK and mail.port == 1025 and not settings.demo:
        return Told(
            "OKRGATE_SMTP_HOST and OKRGATE_SMTP_PORT are not set: mail goes to port 1025 of this machine. Name your"
            " mail server.",
            "warning",
        )
    return Told(f"OKRGATE_SMTP_HOST is {mail.host}.")


def _mail_port(settings: Settings) -> Told:
    if settings.mail.port == 465 and settings.mail.security != "tls":
        return Told("OKRGATE_SMTP_PORT is 465, which wants OKRGATE_SMTP_SECURITY=tls.", "wrong")
    return Told(f"OKRGATE_SMTP_PORT is {settings.mail.port}.")


def _mail_username(settings: Settings) -> Told:
    mail = settings.mail
    if mail.password and not mail.username:
        return Told("OKRGATE_SMTP_PASSWORD is set without OKRGATE_SMTP_USERNAME.", "wrong")
    return Told(f"The mail server is {'used with' if mail.username else 'asked without'} a name.")


def _mail_password(settings: Settings) -> Told:
    mail = settings.mail
    if mail.username and not mail.password:
        return Told("OKRGATE_SMTP_USERNAME is set without OKRGATE_SMTP_PASSWORD.", "wrong")
    return Told(f"A password for the mail server is {'set' if mail.password else 'not set'}.")


def _mail_security(settings: Settings) -> Told:
    mail = settings.mail
    if mail.security == "none" and mail.host not in _LOOPBACK:
        return Told(
            "OKRGATE_SMTP_SECURITY is none: mail and password cross the network in the clear. Use starttls or tls.",
            "wrong" if mail.password else "warning",
        )
    return Told(f"OKRGATE_SMTP_SECURITY is {mail.security}.")


def _mail_sender(settings: Settings) -> Told:
    address = parseaddr(settings.mail.sender)[1]
    local, _, domain = address.rpartition("@")
    if not (local and domain):
        return Told("OKRGATE_MAIL_FROM is no address. Write: Gates <gates@example.com>.", "wrong")
    if domain == "localhost" and not settings.demo:
        return Told(
            "OKRGATE_MAIL_FROM is not set: mail comes from localhost and will be refused. Name an address of yours.",
            "warning",
        )
    return Told(f"Mail comes from {address}.")


def _mail_timeout(settings: Settings) -> Told:
    return Told(f"A silent mail server is given up after {settings.mail.timeout:g} seconds.")


def _session_idle(settings: Settings) -> Told:
    hours = settings.session_idle.total_seconds() / 3600
    return Told(f"Who does nothing for {hours:g} hours signs in again.")


def _session_absolute(settings: Settings) -> Told:
    return Told(f"Everybody signs in again after {settings.session_absolute.days} days.")


def _trusted_proxies(settings: Settings) -> Told:
    count = settings.trusted_proxies
    if settings.secure and not count:
        return Told(
            "OKRGATE_TRUSTED_PROXIES is 0, but https needs a proxy in front: every request seems to come from it, so"
            " that one person's failed sign-ins slow down everybody's. Set it to the number of proxies.",
            "warning",
        )
    if urlsplit(settings.base_url).hostname in _LOOPBACK and count:
        return Told(
            "OKRGATE_TRUSTED_PROXIES is set, but nobody is in front: anybody may claim any address. Set it to 0.",
            "warning",
        )
    return Told(f"OKRGATE_TRUSTED_PROXIES is {count}.")


def _demo(settings: Settings) -> Told:
    if settings.demo:
        return Told(
            "OKRGATE_DEMO is 1: anybody may sign in as a persona. Never with real projects.",
            "warning",
        )
    return Told("This is no demo.")


def _testing(settings: Settings) -> Told:
    if settings.testing:
        return Told("The settings are those of tests. Nothing can be relied on.", "wrong")
    return Told("These are no settings of tests.")


def _log_json(settings: Settings) -> Told:
    form = "one line of JSON each" if settings.log_json else "text, for people"
    return Told(f"Logs go to standard error, {form} (OKRGATE_LOG).")


def _metrics_token(settings: Settings) -> Told:
    if settings.metrics_token:
        return Told("OKRGATE_METRICS_TOKEN is set: /metricsz answers whoever shows it.")
    return Told("OKRGATE_METRICS_TOKEN is not set: /metricsz does not exist, nothing is counted.")


def _checkpoint_days(settings: Settings) -> Told:
    days = settings.checkpoint_days
    if days == 0:
        return Told(
            "OKRGATE_CHECKPOINT_DAYS is 0: auditors are not mailed how far the record goes. Set it to 7.",
            "warning",
        )
    return Told(
        f"Auditors are mailed how far the record goes every {days} days (OKRGATE_CHECKPOINT_DAYS)."
    )


def _sqlite_on_network(settings: Settings) -> Told:
    from okrgate.watching import filesystems

    if not settings.sqlite_on_network:
        return Told("SQLite on a network file system is refused (OKRGATE_SQLITE_ON_NETWORK).")
    if filesystems.network_under(settings):
        return Told(
            "OKRGATE_SQLITE_ON_NETWORK is 1 and the SQLite file is on a network file system: decisions could be lost."
            " Move it to a local disk.",
            "warning",
        )
    return Told("OKRGATE_SQLITE_ON_NETWORK is 1 without need. Remove it.", "warning")


LOOKERS: Mapping[str, Looker] = {
    "database_url": _database_url,
    "secret_key": _secret_key,
    "secret_key_before": _secret_key_before,
    "base_url": _base_url,
    "data_dir": _data_dir,
    "timezone": _timezone,
    "currency": _currency,
    "rules_file": _rules_file,
    "rules_source": _rules_source,
    "mail.host": _mail_host,
    "mail.port": _mail_port,
    "mail.username": _mail_username,
    "mail.password": _mail_password,
    "mail.security": _mail_security,
    "mail.sender": _mail_sender,
    "mail.timeout": _mail_timeout,
    "session_idle": _session_idle,
    "session_absolute": _session_absolute,
    "trusted_proxies": _trusted_proxies,
    "demo": _demo,
    "testing": _testing,
    "log_json": _log_json,
    "metrics_token": _metrics_token,
    "sqlite_on_network": _sqlite_on_network,
    "checkpoint_days": _checkpoint_days,
}
