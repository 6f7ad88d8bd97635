"""Logs: one line of JSON for each thing worth knowing, with the request's id, without secrets or control characters."""

import logging
import sys
import unicodedata
from collections.abc import Callable, Mapping, MutableMapping
from contextvars import ContextVar
from typing import Any

import structlog

request_id: ContextVar[str] = ContextVar("request_id", default="")

Listener = Callable[[Mapping[str, Any]], None]

_listeners: list[Listener] = []
_SECRET_WORDS = ("password", "secret", "token", "authorization", "cookie")


def configure(*, as_json: bool) -> None:
    """Send structured logs to standard error."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            _on_one_line,
            _tell,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def on_error(listener: Listener) -> None:
    """Call `listener` with every line that is logged as an error, without its secrets. It must not fail or wait."""
    if listener not in _listeners:
        _listeners.append(listener)


def _tell(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if event.get("level") == "error":
        for listener in _listeners:
            listener(event)
    return event


def _without_secrets(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    for key in event:
        if any(word in key.lower() for word in _SECRET_WORDS):
            event[key] = "[hidden]"
    return event


def _on_one_line(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Escape what could forge a line or hide one: control and direction characters."""
    for key, value in event.items():
        if isinstance(value, str):
            event[key] = "".join(
                character
                if unicodedata.category(character) not in {"Cc", "Cf"}
                else f"\\u{ord(character):04x}"
                for character in value
            )
    return event
