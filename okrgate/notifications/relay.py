"""One kept connection to the mail relay, and what its answers mean."""

import smtplib
import ssl
from contextlib import suppress
from email.message import EmailMessage
from types import TracebackType

from okrgate.config import Mail

_PERMANENT = 500
_CLOSING = 421


class Refusal(Exception):
    """The relay was reached and would not take this mail; `permanent` if it never will."""

    def __init__(self, sentence: str, *, permanent: bool) -> None:
        """Keep the relay's words."""
        super().__init__(sentence)
        self.permanent = permanent


class Unreachable(Exception):
    """The relay cannot be spoken with now; the mail is not at fault."""


class Relay:
    """A connection that is opened with the first mail, kept for the batch, and opened anew when it broke."""

    def __init__(self, settings: Mail) -> None:
        """Remember where the relay is; nothing is opened yet."""
        self._settings = settings
        self._connection: smtplib.SMTP | None = None

    def __enter__(self) -> "Relay":
        """Begin a batch."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the batch politely, if the relay still listens."""
        if self._connection is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._connection.quit()
            self._drop()

    def send(self, mail: EmailMessage) -> None:
        """Hand one mail to the relay. Raises Refusal or Unreachable."""
        connection = self._connected()
        try:
            connection.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            raise self._refusal(code, words) from refused
        except smtplib.SMTPDataError as refused:
            raise self._refusal(refused.smtp_code, refused.smtp_error) from refused
        except smtplib.SMTPNotSupportedError as refused:
            raise Refusal(
                "The mail server cannot write to this address.", permanent=True
            ) from refused
        except (smtplib.SMTPException, OSError) as problem:
            self._drop()
            raise Unreachable(_what(problem)) from problem

    def check(self) -> None:
        """Connect and sign in without sending. Raises Unreachable."""
        self._connected()

    def _connected(self) -> smtplib.SMTP:
        if self._connection is None:
            try:
                self._connection = _open(self._settings)
            except (smtplib.SMTPException, OSError) as problem:
                raise Unreachable(_what(problem)) from problem
        return self._connection

    def _refusal(self, code: int, words: bytes | str) -> Refusal:
        if code == _CLOSING:
            self._drop()
        return Refusal(f"The mail server said {code}: {_text(words)}", permanent=code >= _PERMANENT)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _open(settings: Mail) -> smtplib.SMTP:
    if settings.security == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            settings.host,
            settings.port,
            timeout=settings.timeout,
            context=ssl.create_default_context(),
        )
    else:
        connection = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout)
    try:
        if settings.security == "starttls":
            connection.starttls(context=ssl.create_default_context())
        if settings.username:
            connection.login(settings.username, settings.password)
    except BaseException:
        connection.close()
        raise
    return connection


def _what(problem: Exception) -> str:
    if isinstance(problem, smtplib.SMTPAuthenticationError):
        return "The mail server refused our user name or password."
    if isinstance(problem, smtplib.SMTPResponseException):
        return f"The mail server said {problem.smtp_code}: {_text(problem.smtp_error)}"
    if isinstance(problem, TimeoutError):
        return "The mail server did not answer in time."
    return f"The mail server could not be reached: {problem or type(problem).__name__}"


def _text(words: bytes | str) -> str:
    return words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words)
