"""A walk over every page and every form of the application, and what is sent to each of them."""

import random
import re
import time
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from flask import Flask, Request
from flask.testing import FlaskClient
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect, Rule
from werkzeug.test import TestResponse

from okrgate import logs
from okrgate.database import db
from tests.browsing import Form, read
from tests.faults import hostile
from tests.faults.hostile import Pairs, Spoiled

PATIENCE = 10.0  # seconds of this process for one request; a few hundredths are usual
MOST_SHOWN = 200_000  # letters: a page that refuses does not hold more
EVERY = 10  # acts that were taken before all begins anew
_TYPED_TEXT = {"text", "textarea", "search", "email"}
# Nothing to send to: what is drawn, and what is said to machines.
_NO_PAGES = {"static", "web.favicon", "web.healthz", "watching.readyz"}
_OF_ONE_KIND = re.compile(r"\d+|OKR-\d+|[0-9a-f]{16,}")
_PLACE = re.compile(r"<[^<>]+>")
_UNSEEN = {"Cc", "Cf", "Cs", "Co", "Cn"}
_TOKENS = {"csrf_token", "csrf-token"}


class Asked(ImmutableMultiDict[str, str]):
    """The values of a request; notes every name that a view asks for."""

    names: set[str] = set()

    def __getitem__(self, key: str) -> str:
        """Note the name."""
        Asked.names.add(str(key))
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        """Note the name."""
        Asked.names.add(str(key))
        return super().__contains__(key)

    def get(self, key: str, *more: Any, **how: Any) -> Any:
        """Note the name."""
        Asked.names.add(str(key))
        return super().get(key, *more, **how)

    def getlist(self, key: str, *more: Any, **how: Any) -> Any:
        """Note the name."""
        Asked.names.add(str(key))
        return super().getlist(key, *more, **how)


@dataclass
class Target:
    """An address and a form that somebody may send there."""

    reader: str
    kind: str
    path: str
    method: str
    pairs: Pairs
    names: list[str]
    kinds: dict[str, str] = field(default_factory=dict)


@dataclass
class Found:
    """What went wrong, how often, and for what it was sent first."""

    times: Counter[str] = field(default_factory=Counter)
    first: dict[str, str] = field(default_factory=dict)

    def note(self, what: str, sent: str) -> None:
        """Count it."""
        self.times[what] += 1
        self.first.setdefault(what, sent[:600])

    def told(self) -> list[str]:
        """Return each with what it was found by."""
        return [f"{count} times {what}: {self.first[what]}" for what, count in self.times.items()]


@dataclass
class Fuzz:
    """One application with somebody at several browsers, and everything that was found in it."""

    app: Flask
    browsers: Mapping[str, FlaskClient]
    anew: Callable[[], None]
    thorough: bool = False
    found: Found = field(default_factory=Found)
    targets: dict[tuple[str, str, tuple[str, ...]], Target] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    given_back: int = 0
    sent: int = 0
    _taken: int = 0
    _met: set[tuple[str, str]] = field(default_factory=set)

    def discover(self, reader: str, paths: Iterable[str]) -> None:
        """Open these pages and those they lead to, one of each kind, and note their forms."""
        waiting = list(paths)
        while waiting:
            path = waiting.pop(0)
            kind = self.kind_of(path)
            if not kind or {(reader, kind), ("somebody", kind)} & self._met:
                continue
            self._met.add((reader, kind))
            waiting += self._look(reader, kind, path)

    def add(self, target: Target) -> None:
        """Note what may be sent; the same form is noted once for each kind of page, whoever sees it."""
        key = (target.kind, target.method, tuple(target.names))
        self.targets.setdefault(key, target)

    def propose(self, target: Target) -> None:
        """Note what nobody was shown, with every name that is asked for there."""
        with noting(self.app) as asked:
            self.send(target.reader, target.method, target.path, target.pairs)
        target.names = sorted({*target.names, *asked} - _TOKENS - {""})
        self.add(target)

    def choose(self, chance: random.Random, count: int) -> Iterator[Target]:
        """Yield every target in turn, in an order of chance, until so many were yielded."""
        every = [self.targets[key] for key in sorted(self.targets)]
        for number in range(count):
            if number % len(every) == 0:
                chance.shuffle(every)
            yield every[number % len(every)]

    def told(self) -> str:
        """Say what was sent and what came of it."""
        kinds = {target.kind for target in self.targets.values()}
        return f"{self.sent} sent to {len(self.targets)} forms of {len(kinds)} kinds: {dict(self.statuses)}; {self.given_back} texts given back"

    def kind_of(self, path: str, method: str = "GET") -> str:
        """Return what kind of page an address leads to; nothing when it leads to none."""
        try:
            matched = self.app.url_map.bind("localhost").match(urlsplit(path).path, method)
        except (RequestRedirect, HTTPException):
            return ""
        endpoint, values = matched
        if endpoint in _NO_PAGES:
            return ""
        words = [_OF_ONE_KIND.sub("#", str(value)) for _name, value in sorted(values.items())]
        return " ".join([str(endpoint), *words])

    def _look(self, reader: str, kind: str, path: str) -> list[str]:
        with noting(self.app) as asked:
            answer = self.send(reader, "GET", path)
        names = sorted({*asked, *(name for name, _ in parse_qsl(urlsplit(path).query))} - _TOKENS)
        self.add(Target(reader, kind, urlsplit(path).path, "GET", [], names or ["q"]))
        if answer is None or answer.mimetype != "text/html":
            return []
        if answer.status_code == 200 and not self.thorough:
            self._met.add(("somebody", kind))
        page = read(answer.get_data(as_text=True))
        for form in page.forms:
            self._take(reader, path, form)
        return [link for _text, link in page.links if link.startswith("/")]

    def _take(self, reader: str, path: str, form: Form) -> None:
        action, method = urlsplit(form.action or path).path, form.method.upper()
        kind = self.kind_of(action, method)
        known = (method, f"{kind} {sorted(form.names)}")
        if not kind or kind == "accounts.sign_out":
            return
        pairs = [one for one in form.values.items(multi=True) if one[0] not in _TOKENS]
        names = set(form.names)
        if method == "POST" and known not in self._met:
            self._met.add(known)
            with noting(self.app) as asked:
                answer = self.send(reader, method, action, pairs)
            names |= asked
            if form.adds_rows():
                names |= self._rows(reader, action, form, pairs)
            del answer
        buttons = {name for name, _value in form.buttons.values() if name != "-"}
        told = sorted((names | buttons) - _TOKENS - {""})
        self.add(Target(reader, kind, action, method, pairs, told, dict(form.kinds)))

    def _rows(self, reader: str, action: str, form: Form, pairs: Pairs) -> set[str]:
        names: set[str] = set()
        for name, value in form.buttons.values():
            if name == "add_row":
                answer = self.send(reader, "POST", action, [*pairs, (name, value)])
                page = read(answer.get_data(as_text=True)) if answer else None
                for one in page.forms if page else []:
                    names |= one.names if one.adds_rows() else set()
        return names

    def attack(self, target: Target, chance: random.Random, known: list[str]) -> None:
        """Send something odd there, and see what comes of it."""
        spoiled = hostile.spoil(target.pairs, target.names, chance, known)
        headers = chance.choice(hostile.HEADERS) if chance.random() < 0.05 else {}
        reader, path = target.reader, target.path
        if target.method == "GET":
            self.send(reader, "GET", path, query=spoiled.pairs, headers=headers)
        elif chance.random() < 0.02:
            self.send(reader, "POST", path, body=chance.choice(hostile.BODIES), headers=headers)
        elif spoiled.files:
            body = hostile.multipart(spoiled.pairs, next(iter(spoiled.odd)))
            self.send(reader, "POST", path, body=body, headers=headers)
        else:
            answer = self.send(reader, "POST", path, spoiled.pairs, headers=headers)
            if not headers:
                self._check_given_back(target, spoiled, answer)

    def attack_address(self, rule: Rule, reader: str, odd: Iterator[str]) -> None:
        """Put something odd into each place of an address."""
        path = _PLACE.sub(lambda _found: next(odd), rule.rule)
        raw = path.encode("utf-8", "surrogatepass").decode("latin-1")
        method = "POST" if "POST" in (rule.methods or ()) else "GET"
        self.send(reader, method, "/", raw=raw)

    def send(
        self,
        reader: str,
        method: str,
        path: str,
        pairs: Pairs | None = None,
        *,
        query: Pairs = (),  # type: ignore[assignment]
        body: tuple[str, bytes] | None = None,
        raw: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> TestResponse | None:
        """Send a request; note a fault, an error in the log, and one that takes all too long."""
        kind, data = body or ("application/x-www-form-urlencoded", hostile.encoded(pairs or []))
        told = f"{method} {raw or path} by {reader}: {(pairs or list(query) or data)!r}"
        self.sent += 1
        where, began = self.kind_of(path, method) or path, time.process_time()
        with errors_logged() as errors:
            try:
                answer = self.browsers[reader].open(
                    quote(path, safe="/%"),
                    method=method,
                    query_string=hostile.encoded(query).decode("ascii"),
                    data=data if method == "POST" else None,
                    content_type=kind if method == "POST" else None,
                    headers=dict(headers or {}),
                    environ_overrides={"PATH_INFO": raw} if raw else None,
                )
                answer.get_data()
            except Exception as problem:
                db.session.rollback()
                self.found.note(f"{where} raised {type(problem).__name__}: {problem!s:.200}", told)
                return None
        db.session.rollback()
        self.statuses[answer.status_code] += 1
        if answer.status_code >= 500:
            self.found.note(f"{where} answered {answer.status_code}", told)
        for error in errors:
            self.found.note(f"{where} logged {error}", told)
        if time.process_time() - began > PATIENCE:
            self.found.note(f"{where} took longer than {PATIENCE} s", told)
        self._refresh(reader, method, answer)
        return answer

    def _refresh(self, reader: str, method: str, answer: TestResponse) -> None:
        """Begin anew when somebody was thrown out, and now and then after something was taken."""
        thrown_out = reader != "nobody" and (
            answer.status_code == 401 or "/sign-in" in (answer.location or "")
        )
        self._taken += method == "POST" and answer.status_code < 400
        if thrown_out or self._taken >= EVERY:
            self._taken = 0
            self.anew()

    def _check_given_back(
        self, target: Target, spoiled: Spoiled, answer: TestResponse | None
    ) -> None:
        """Text that was refused stands in the form of the answer; words at least on the page that refuses them."""
        if answer is None or answer.status_code != 422:
            return
        page = read(answer.get_data(as_text=True))
        shown = {_seen(text) for form in page.forms for text in form.values.values()}
        too_much = sum(len(text) for _name, text in spoiled.pairs) > MOST_SHOWN
        asked_again = set().union(*(form.names for form in page.forms if form.method == "post"))
        for name, odd in spoiled.odd.items():
            half = any(unicodedata.category(letter) == "Cs" for letter in odd)
            if target.kinds.get(name) not in _TYPED_TEXT or half or not _seen(odd):
                continue
            if asked_again >= {name}:
                back = _seen(odd) in shown
            else:
                back = (
                    too_much or " " not in odd.strip() or _seen(odd) in _seen(unescape(answer.text))
                )
            self.given_back += back
            if not back:
                self.found.note(f"{target.kind} does not give back {name}", f"{odd!r} in {spoiled}")


def _seen(text: str) -> str:
    """Return what can be seen of a text: letters, without signs that are taken away and without space."""
    plain = unicodedata.normalize("NFC", text)
    return "".join(
        letter
        for letter in plain
        if not letter.isspace() and unicodedata.category(letter) not in _UNSEEN
    )


@contextmanager
def noting(app: Flask) -> Iterator[set[str]]:
    """Yield a set that fills with the names of all values that views ask for in the block."""
    kept: type[Request] = app.request_class
    storage = kept.parameter_storage_class
    Asked.names = set()
    kept.parameter_storage_class = Asked
    try:
        yield Asked.names
    finally:
        kept.parameter_storage_class = storage


@contextmanager
def errors_logged() -> Iterator[list[str]]:
    """Yield a list that fills with the errors that are logged in the block."""
    seen: list[str] = []

    def note(line: Mapping[str, Any]) -> None:
        seen.append(f"{line.get('event')} {line.get('problem', '')}"[:200])

    logs.on_error(note)
    try:
        yield seen
    finally:
        logs._listeners.remove(note)
