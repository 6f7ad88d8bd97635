"""Go wherever links lead, to a page of each kind."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from flask import Flask
from playwright.sync_api import Page
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from tests.browser.looks import flaws

# Not pages: what is drawn with them, saved from them, or put into them by scripts.
NO_PAGES = {
    "static",
    "web.favicon",
    "web.healthz",
    "watching.readyz",
    "watching.metrics",
    "delivery.kickoff_calendar",
    "rulebooks.download",
    "stages.show_panel",
    "stages.pulse",
}
_LINKS = "a[href]:not([aria-disabled=true])"
_ASKED = 2


@dataclass(frozen=True)
class Seen:
    """A page that was opened: what kind it is, where it is, and how it answered."""

    kind: str
    path: str
    status: int


@dataclass
class Crawl:
    """A walk over the pages that one person is led to, some of them first. `problems` grows on the way."""

    app: Flask
    page: Page
    known: Counter[str] = field(default_factory=Counter)
    first: Sequence[str] = ()
    problems: list[str] = field(default_factory=list)
    _asked: Counter[str] = field(default_factory=Counter)
    _waiting: deque[str] = field(default_factory=deque)
    _met: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[Seen]:
        """Yield each page while it is open: those asked for, those that need no address of something, those linked."""
        for path in self.first:
            yield from self._visit(path, linked=True)
        for path in self.without_parameters():
            yield from self._visit(path, linked=False)
        while self._waiting:
            yield from self._visit(self._waiting.popleft(), linked=True)

    def without_parameters(self) -> list[str]:
        """Return the address of every page that has only one."""
        return sorted(
            rule.rule
            for rule in self.app.url_map.iter_rules()
            if not rule.arguments
            and "GET" in (rule.methods or ())
            and rule.endpoint not in NO_PAGES
        )

    def kind_of(self, path: str) -> str:
        """Return the endpoint of an address; nothing when there is none or it is no page."""
        try:
            kind, _values = self.app.url_map.bind("localhost").match(path, "GET")
        except RequestRedirect:
            return "redirect"
        except HTTPException:
            return ""
        return str(kind)

    def _visit(self, path: str, *, linked: bool) -> Iterator[Seen]:
        kind = self.kind_of(path)
        if self.known[kind]:
            return
        self.known[kind] += 1
        self._met.add(path)
        answer = self.page.goto(path)
        assert answer is not None
        if answer.status >= (400 if linked else 500):
            self.problems.append(f"{path} answers {answer.status}")
        self.problems += flaws(self.page)
        yield Seen(kind, path, answer.status)
        if answer.ok:
            self._take_links()

    def _take_links(self) -> None:
        here = self.page.url
        for link in self.page.locator(_LINKS).evaluate_all(
            "links => links.map(link => link.getAttribute('href'))"
        ):
            where = urlsplit(urljoin(here, link))
            if where.netloc == urlsplit(here).netloc and where.path not in self._met:
                self._met.add(where.path)
                self._sort(where.path, here)

    def _sort(self, path: str, here: str) -> None:
        kind = self.kind_of(path)
        if not kind:
            self.problems.append(f"{here} links to {path}, which is nowhere")
        elif kind not in NO_PAGES and not self.known[kind]:
            self._waiting.append(path)
        elif self._asked[kind] < _ASKED:
            self._asked[kind] += 1
            status = self.page.request.get(path).status
            if status >= 400:
                self.problems.append(f"{here} links to {path}, which answers {status}")
