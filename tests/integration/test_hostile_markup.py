"""Markup typed into every kind of text: it is shown as it was typed and is never part of a page."""

import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient

from okrgate import clock
from okrgate.accounts.models import Person
from okrgate.database import db, transaction
from okrgate.metrics.models import Metric
from okrgate.stages.view_models import SavedView
from tests.factories import Factory

_ELEMENTS = [
    "img",
    "svg",
    "body",
    "iframe",
    "input",
    "video",
    "audio",
    "details",
    "object",
    "embed",
    "math",
    "marquee",
    "a",
    "b",
    "p",
]
_HANDLERS = [
    "onload",
    "onerror",
    "onclick",
    "onfocus",
    "onmouseover",
    "ontoggle",
    "onbegin",
]
_WHOLE = (
    "<script>zq()</script>",
    "<ScRiPt>zq()</sCrIpT>",
    "<script src=//zq.example></script>",
    "<script\n>zq()</script\n>",
    "</script><script>zq()</script>",
    "</textarea><script>zq()</script>",
    "</title><script>zq()</script>",
    "</option></select><script>zq()</script>",
    "--><script>zq()</script><!--",
    "]]><script>zq()</script>",
    "<!--<img src='--><img src=x onerror=zq()//'>",
    '"><script>zq()</script>',
    "'><script>zq()</script>",
    '" onfocus=zq() autofocus x="',
    "' onfocus=zq() autofocus x='",
    '" onmouseover="zq()',
    "` onmouseover=`zq()",
    "<a href=javascript:zq()>zq</a>",
    "<a href='jAvAsCrIpT:zq()'>zq</a>",
    "<a href='java\tscript:zq()'>zq</a>",
    "<a href=data:text/html,zq>zq</a>",
    "<form action=javascript:zq()><button>zq</button></form>",
    "<button formaction=javascript:zq()>zq</button>",
    "<base href=//zq.example>",
    "<meta http-equiv=refresh content='0;url=javascript:zq()'>",
    "<link rel=stylesheet href=//zq.example>",
    "<style>@import '//zq.example';</style>",
    "<div style=background:url(javascript:zq())>zq</div>",
    "<iframe srcdoc='<script>zq()</script>'></iframe>",
    "<object data=javascript:zq()></object>",
    "<template><script>zq()</script></template>",
    "<noscript><p title='</noscript><script>zq()</script>'>",
    "<svg><script>zq()</script></svg>",
    "<svg><a xlink:href=javascript:zq()><text>zq</text></a></svg>",
    "<math><mtext></mtext><mglyph><style><!--</style><img title='--><script>zq()</script>'>",
    "<input hx-get=/zq hx-trigger=load>",
    "<div hx-on:load=zq()>zq</div>",
    "<div data-hx-get=/zq>zq</div>",
    "<x-zq is=script>zq</x-zq>",
    "{{ zq }}",
    "{% zq %}",
    "${zq()}",
    "&lt;script&gt;zq()&lt;/script&gt;",
    "&#60;script&#62;zq()&#60;/script&#62;",
    "\u003cscript\u003ezq()\u003c/script\u003e",
    "＜script＞zq()＜/script＞",  # noqa: RUF001 wide signs that some would fold
    "javascript:zq()",
    "https://zq.example/\"onmouseover='zq()'",
    "http://zq.example/<script>zq()</script>",
    "https://zq.example/`onclick=zq()`",
    '@"zq" onmouseover="zq()"',
    "[zq](javascript:zq())",
    "![zq](x onerror=zq())",
)
PAYLOADS = (
    *_WHOLE,
    *(f"<{element} src=x {handler}=zq()>" for element in _ELEMENTS for handler in _HANDLERS),
)
_TEXTS = {"value", "title", "aria-label", "alt", "data-label", "placeholder", "label", "datetime"}
_LINKED = re.compile(r"https?://zq\.example/[^\s<>\"'`\\]*")


class Reader(HTMLParser):
    """Notes everything in a page that could act and comes from what was typed."""

    def __init__(self) -> None:
        """Begin with nothing found."""
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self.text: list[str] = []
        self._raw = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note elements and attributes that no template of ours writes."""
        self._raw = tag if tag in {"script", "style"} else ""
        names = [name for name, _ in attrs]
        if "zq" in tag or any(name.startswith("on") or "zq" in name for name in names):
            self.found.append(f"<{tag} {attrs}>")
        for name, value in attrs:
            if "zq" not in (value or "") or name in _TEXTS:
                continue
            link = (tag, name) == ("a", "href") and _LINKED.fullmatch(value or "")
            own = name in {"href", "action"} and (value or "").startswith(("/", "?"))
            if not link and not own:
                self.found.append(f"{tag} {name}={value}")

    def handle_data(self, data: str) -> None:
        """Note what stands in scripts and styles; keep what people read."""
        if self._raw and "zq" in data:
            self.found.append(f"in {self._raw}: {data[:80]}")
        self.text.append(data)

    def handle_comment(self, data: str) -> None:
        """Note what ended up in a comment."""
        if "zq" in data:
            self.found.append(f"comment: {data[:80]}")


_TOKEN = re.compile(r'((?:name="csrf_token" value=|"X-CSRFToken": )")[\w.-]+')


def assert_harmless(page: str, where: str, shown: tuple[str, ...] = ()) -> None:
    """Nothing typed acts; what should be shown stands in the text as it was typed."""
    reader = Reader()
    # A token is random: now and then it holds any two letters.
    reader.feed(_TOKEN.sub(r"\1", page))
    assert not reader.found, f"{where}: {reader.found[:3]}"
    text = " ".join("".join(reader.text).split())
    for one in shown:
        assert " ".join(one.split()) in text, f"{where} does not show {one!r}"


def open_page(browser: FlaskClient, path: str, shown: tuple[str, ...] = ()) -> str:
    """Look at a page and check it."""
    answer = browser.get(path)
    assert answer.status_code == 200, f"{path}: {answer.status_code}"
    assert_harmless(answer.text, path, shown)
    return answer.text


def parcels(size: int) -> Iterator[tuple[str, ...]]:
    """Yield the payloads, a few at a time."""
    for start in range(0, len(PAYLOADS), size):
        yield PAYLOADS[start : start + size]


def test_there_is_a_wide_choice() -> None:
    assert len(set(PAYLOADS)) >= 150


def test_what_is_written_about_a_project_is_text(app: Flask, factory: Factory) -> None:
    sue = factory.person("Sue")
    project = factory.project(submitter=sue, draft=True)
    home, browser = f"/projects/{project.reference}", factory.browser(sue)
    text = "\n".join(PAYLOADS)
    typed = {"base_version": "0", "title": _WHOLE[0], "problem": text, "affected": _WHOLE[11]}
    later = browser.post(f"{home}/parts/problem/problem", data={**typed, "later": "1"})
    assert later.status_code == 303
    open_page(browser, f"{home}/parts/problem/problem", PAYLOADS)
    assert browser.post(f"{home}/parts/problem/problem", data=typed).status_code == 303
    over = browser.post(f"{home}/parts/problem/problem", data={**typed, "affected": text})
    assert over.status_code == 409
    assert_harmless(over.text, "the page that compares", PAYLOADS)
    for number, few in enumerate(parcels(20)):
        said = browser.post(f"{home}/comments", data={"key": f"k{number}", "text": "\n".join(few)})
        assert said.status_code in {303, 422}
        assert_harmless(said.text, "a comment that is refused")
        if said.status_code == 422:
            few = tuple(one for one in few if not one.startswith("@"))
            data = {"key": f"k{number}", "text": "\n".join(few)}
            assert browser.post(f"{home}/comments", data=data).status_code == 303
    for path in (home, f"{home}/parts/problem", f"{home}/comments", f"{home}/changes", "/"):
        open_page(browser, path)
    every = tuple(one for one in PAYLOADS if not one.startswith("@"))
    open_page(browser, f"{home}/parts/problem", PAYLOADS)
    open_page(browser, f"{home}/comments", every[-100:])


def test_names_are_text_in_every_list(app: Flask, factory: Factory) -> None:
    unit = factory.unit(_WHOLE[11])
    ada = factory.person(_WHOLE[0], admin=True, unit=unit)
    factory.grant(ada, "managing_director", unit)
    for payload in PAYLOADS:
        factory.project(payload[:200], submitter=ada, unit=unit, lead=ada)
    reference = factory.project(_WHOLE[12], submitter=ada, unit=unit).reference
    browser = factory.browser(ada)
    keep_names(ada)
    for sort in ("title", "changed"):
        for direction in ("asc", "desc"):
            open_page(browser, f"/projects?state=all&sort={sort}&direction={direction}")
    wanted = "%22%3E%3Cscript%3Ezq()%3C/script%3E"
    for path in (
        "/",
        "/projects/board",
        "/projects/views",
        f"/projects?q={wanted}",
        f"/projects?stage={wanted}&sort={wanted}&column={wanted}",
        f"/projects/views/new?q={wanted}",
        f"/projects/similar?title={wanted}+renewals",
        "/overview",
        "/metrics",
        "/okrs",
        "/account",
        "/admin",
        "/admin/people",
        "/admin/units",
        "/admin/roles",
        "/admin/imports",
        f"/projects/{reference}/people",
        f"/projects/{reference}",
    ):
        open_page(browser, path)


def test_the_companys_own_texts_and_a_files_are_text(app: Flask, factory: Factory) -> None:
    factory.rulebook()
    ada = factory.person("Ada", admin=True, unit=factory.unit("Acme"))
    browser, stranger = factory.browser(ada), app.test_client()
    for few in parcels(40):
        page = browser.get("/admin/settings").text
        version = re.search(r'name="version"[^>]*value="(\d+)"', page)
        said = {
            "version": version[1] if version else "0",
            "name": few[0][:120],
            "timezone": "Europe/Berlin",
            "currency": "EUR",
            "welcome": "\n".join(few)[:900],
            "help_contact": few[-1][:120],
        }
        answer = browser.post("/admin/settings", data=said)
        assert answer.status_code in {303, 422}
        assert_harmless(answer.text, "the settings")
        open_page(browser, "/admin/settings")
        open_page(stranger, "/sign-in")
        head = ";".join('"' + one.replace('"', '""') + '"' for one in few)
        sent = {"file": (io.BytesIO(f"{head}\r\n{head}\r\n".encode()), f"{few[0]}.csv")}
        brought = browser.post("/admin/imports", data=sent)
        assert brought.status_code == 303
        open_page(browser, brought.headers["Location"], few[-3:])
        open_page(browser, "/admin/imports")
        rules = browser.post("/rules/okr_delivery/edit", data=rules_of(few))
        assert rules.status_code in {200, 422}
        assert_harmless(rules.text, "the rules")


def rules_of(few: tuple[str, ...]) -> dict[str, str]:
    """Return what the editor of the rules sends."""
    return {"act": "check", "based_on": "1", "note": few[0], "text": "\n".join(few)}


def keep_names(person: Person) -> None:
    """Put payloads into names that other pages list."""
    with transaction():
        for payload in _WHOLE[:15]:
            db.session.add(
                SavedView(
                    person_id=person.id,
                    name=payload[:40],
                    asked={"q": payload},
                    shared=True,
                    changed_at=clock.now(),
                )
            )
            db.session.add(
                Metric(
                    name=payload[:120],
                    unit_of_measure=payload[:40],
                    direction="up",
                    cadence="monthly",
                    source=payload,
                )
            )
