"""Go wherever links lead, to a page of each kind."""

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from flask import Flask
from playwright.sync_api import APIRequestContext, Page
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
    "approvals.receipt_paper",
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


@dataclass(frozen=True)
class Answer:
    """What came when a page was asked for, wherever it led: its links, and what is wrong with any page."""

    status: int
    url: str
    links: list[str]
    flaws: list[str]


class Way(Protocol):
    """How somebody gets to pages."""

    def open(self, path: str) -> Answer:
        """Open a page."""

    def status(self, path: str) -> int:
        """Return how an address answers."""


@dataclass(frozen=True)
class Seeing:
    """In the window of a browser."""

    page: Page

    def open(self, path: str) -> Answer:
        """Show it."""
        answer = self.page.goto(path)
        assert answer is not None
        links = self.page.locator(_LINKS).evaluate_all(
            "links => links.map(link => link.getAttribute('href'))"
        )
        return Answer(answer.status, self.page.url, links, flaws(self.page))

    def status(self, path: str) -> int:
        """Ask without leaving the page."""
        return self.page.request.get(path).status


@dataclass(frozen=True)
class Reading:
    """Without a window, with what a browser would send: many times quicker."""

    request: APIRequestContext

    def open(self, path: str) -> Answer:
        """Read what it says."""
        answer = self.request.get(path)
        read = _Read()
        if "html" in answer.headers.get("content-type", ""):
            read.feed(answer.text())
        return Answer(answer.status, answer.url, read.links, read.flaws(answer.url))

    def status(self, path: str) -> int:
        """Ask."""
        return self.request.get(path).status


class _Read(HTMLParser):
    """Finds the links, the title and the first headings of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.headings = 0
        self.title = ""
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "a" and "href" in said and said.get("aria-disabled") != "true":
            self.links.append(said["href"] or "")
        self.headings += tag == "h1"
        self._in_title = tag == "title" and not self.title

    def handle_data(self, data: str) -> None:
        if self._in_title:
            self.title += data

    def handle_endtag(self, tag: str) -> None:
        self._in_title = False

    def flaws(self, url: str) -> list[str]:
        """Return what is wrong with any page."""
        found = [] if self.title.strip(" ·\n") else ["has no title"]
        if self.headings != 1:
            found.append(f"has {self.headings} first headings")
        return [f"{url} {one}" for one in found]


@dataclass
class Crawl:
    """A walk over the pages that one person is led to, some of them first. `problems` grows on the way."""

    app: Flask
    way: Way
    known: Counter[str] = field(default_factory=Counter)
    first: Sequence[str] = ()
    problems: list[str] = field(default_factory=list)
    _asked: Counter[str] = field(default_factory=Counter)
    _waiting: deque[str] = field(default_factory=deque)
    _met: set[str] = field(default_factory=set)

    def pages(self) -> Iterator[Seen]:
        """Yield each page as it is opened: those asked for, those that need no address of something, those linked."""
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
        answer = self.way.open(path)
        if answer.status >= (400 if linked else 500):
            self.problems.append(f"{path} answers {answer.status}")
        self.problems += answer.flaws
        yield Seen(kind, path, answer.status)
        if answer.status < 300:
            self._take_links(answer)

    def _take_links(self, answer: Answer) -> None:
        for link in answer.links:
            where = urlsplit(urljoin(answer.url, link))
            if where.netloc == urlsplit(answer.url).netloc and where.path not in self._met:
                self._met.add(where.path)
                self._sort(where.path, answer.url)

    def _sort(self, path: str, here: str) -> None:
        kind = self.kind_of(path)
        if not kind:
            self.problems.append(f"{here} links to {path}, which is nowhere")
        elif kind not in NO_PAGES and not self.known[kind]:
            self._waiting.append(path)
        elif self._asked[kind] < _ASKED:
            self._asked[kind] += 1
            status = self.way.status(path)
            if status >= 400:
                self.problems.append(f"{here} links to {path}, which answers {status}")
