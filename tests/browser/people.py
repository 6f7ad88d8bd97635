"""People at real browsers: they do what `tests.browsing.Person` does over HTTP, with a mouse or by keyboard alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Response, expect

from tests.browsing import Person

PASSWORD = "four quiet words here"
_FARTHEST = 250
# Whether the focus is in there, else on what it is and how many things lie between, which Tab stops at.
_FOCUS = """
one => {
  const here = document.activeElement, after = (a, b) => a.compareDocumentPosition(b) & Node.DOCUMENT_POSITION_FOLLOWING;
  const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")].filter(
    stop => after(here, stop) && after(stop, one) && !stop.disabled && stop.type !== "hidden" && stop.type !== "radio"
      && stop.tabIndex >= 0 && stop.checkVisibility({visibilityProperty: true})
  );
  return one.contains(here) ? ["there", 0] : [here.className, here === document.body ? 0 : stops.length];
}
"""
_WATCH = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`);
});
"""


def watch(page: Page) -> list[str]:
    """Return a list that grows by whatever the browser complains about on this page.

    How the page itself was answered is left out: whoever opened it looks at its status.
    """
    found: list[str] = []

    def hear(said: ConsoleMessage) -> None:
        its_own = said.text.startswith("Failed to load resource") and (
            said.location["url"] == page.url.partition("#")[0]
        )
        if said.type == "error" and not its_own:
            found.append(f"{page.url}: {said.text} {said.location['url']}")

    page.add_init_script(_WATCH)
    page.on("console", hear)
    page.on("pageerror", lambda problem: found.append(f"{page.url}: {problem}"))
    return found


class Hand(Protocol):
    """How somebody works a page."""

    def reach(self, wanted: Locator) -> None:
        """Go to something on the page."""

    def press(self, button: Locator) -> None:
        """Press a button, or follow a link."""

    def put(self, field: Locator, value: str) -> None:
        """Put a value into a text, a date or a list of choices."""

    def choose(self, group: Locator, value: str) -> None:
        """Choose one of a group of radio buttons."""

    def tick(self, box: Locator) -> None:
        """Tick a box."""


class Mouse:
    """Points and clicks."""

    def reach(self, wanted: Locator) -> None:
        """Bring it into the window."""
        wanted.scroll_into_view_if_needed()

    def press(self, button: Locator) -> None:
        """Click it."""
        button.click()

    def put(self, field: Locator, value: str) -> None:
        """Choose from a list; type into anything else."""
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.fill(value)

    def choose(self, group: Locator, value: str) -> None:
        """Click the one with that value."""
        group.locator(f'[value="{value}"]').check()

    def tick(self, box: Locator) -> None:
        """Click it."""
        box.check()


@dataclass
class Keyboard:
    """Uses Tab, the arrows, Space and Enter; whatever cannot be reached so is a failure."""

    page: Page

    def press(self, button: Locator) -> None:
        """Tab there and press Enter."""
        self.reach(button)
        self.page.keyboard.press("Enter")

    def put(self, field: Locator, value: str) -> None:
        """Tab there and type; go through a list with the arrows."""
        self.reach(field)
        if field.evaluate("field => field.tagName") == "SELECT":
            self._turn(field, value)
            return
        kind = field.get_attribute("type") or "text"
        if kind in {"date", "datetime-local"}:
            for keys in _as_typed(value):
                self.page.keyboard.type(keys)
                self.page.keyboard.press("ArrowRight")
        else:
            self.page.keyboard.press("Control+a")
            self.page.keyboard.type(value)
        expect(field).to_have_value(value)

    def choose(self, group: Locator, value: str) -> None:
        """Tab to the group and move with the arrows until the right one is chosen."""
        self.reach(group)
        wanted = group.locator(f'[value="{value}"]')
        self.page.keyboard.press("Space")
        for _ in range(group.locator("input").count()):
            if wanted.is_checked():
                return
            self.page.keyboard.press("ArrowDown")
        expect(wanted).to_be_checked()

    def tick(self, box: Locator) -> None:
        """Tab there and press Space, unless it is ticked."""
        self.reach(box)
        if not box.is_checked():
            self.page.keyboard.press("Space")
        expect(box).to_be_checked()

    def reach(self, wanted: Locator) -> None:
        """Press Tab until it, or something in it, has the focus; the first thing on a page is the way past its menu."""
        place = wanted.element_handle()
        assert place is not None
        pressed = 0
        while pressed < _FARTHEST:
            here, between = place.evaluate(_FOCUS)
            if here == "there":
                return
            if here == "skip-link":
                self.page.keyboard.press("Enter")
                pressed += 1
                continue
            # Half of what seems to lie between, so that no mistake in counting leads past it.
            for _ in range(max(1, between // 2)):
                self.page.keyboard.press("Tab")
                pressed += 1
        raise AssertionError(f"The keyboard does not lead to {wanted} on {self.page.url}")

    def _turn(self, field: Locator, value: str) -> None:
        self.page.keyboard.press("Home")
        for _ in range(field.locator("option").count()):
            if field.input_value() == value:
                return
            self.page.keyboard.press("ArrowDown")
        expect(field).to_have_value(value)


def _as_typed(value: str) -> list[str]:
    """Return the keys that give a date (and a time of day) in an American browser, as the tests' is."""
    moment = datetime.fromisoformat(value)
    return [moment.strftime(form) for form in ("%m%d%Y", "%I%M%p")[: 1 + ("T" in value)]]


class Visitor(Person):
    """Somebody at a real browser. Raises AssertionError when a page says something else than expected."""

    def __init__(self, page: Page, name: str, email: str, hand: Hand) -> None:
        """Take a page that somebody opened; they sign in when they are asked to."""
        self.sheet = page
        self.name = name
        self.email = email
        self.hand = hand
        self.path = "/"
        self.page = ""

    def open(self, path: str, *, status: int = 200) -> str:
        """Follow the link to there when the page shows one; else type the address."""
        link = self.sheet.locator(f'main a[href="{path}"]:visible').first
        answer = self._leave_by(link) if link.count() else self.sheet.goto(path)
        if urlsplit(self.sheet.url).path == "/sign-in":
            answer = self._sign_in()
        return self._stands(answer, status)

    def send(
        self, values: dict[str, str | list[str]], *, press: str = "", status: int = 200
    ) -> str:
        """Fill the form that has these fields, press a button, and return the page it leads to."""
        form = self._form_with(values, press)
        self._fill(form, values)
        button = form.locator(".form-buttons button").first
        if press:
            button = form.get_by_role("button", name=press, exact=True)
        return self._stands(self._leave_by(button), status)

    def make_room(self, values: Iterable[str]) -> None:
        """Press "Add another" where these values belong into a row that the page does not show yet."""
        for name in values:
            rows, dash, _rest = name.partition("-")
            if dash and not self._named(name).count():
                self.add_row(rows)
                expect(self._named(name).first).to_be_attached()

    def add_row(self, rows: str) -> None:
        """Press the button that adds a row, and wait for it."""
        cards = self.sheet.locator(f"#{rows} .row-card")
        count = cards.count()
        self.hand.press(self.sheet.locator(f'button[name=add_row][value="{rows}"]'))
        expect(cards).to_have_count(count + 1)

    def remove_row(self, row: str) -> None:
        """Press the button that takes a row out, and wait until it is gone."""
        rows, _dash, _number = row.rpartition("-")
        cards = self.sheet.locator(f"#{rows} .row-card")
        count = cards.count()
        self.hand.press(self.sheet.locator(f'button[name=remove_row][value="{row}"]'))
        expect(cards).to_have_count(count - 1)

    def _named(self, name: str) -> Locator:
        return self.sheet.locator(f'main form[method=post] [name="{name}"]')

    def _form_with(self, values: Iterable[str], press: str) -> Locator:
        form = self.sheet.locator("main form[method=post]")
        if press:
            form = form.filter(has=self.sheet.get_by_role("button", name=press, exact=True))
        for name in values:
            form = form.filter(has=self.sheet.locator(f'[name="{name}"]'))
        assert form.count(), f"{self.name} finds no form with {list(values)} on {self.sheet.url}"
        return form.last

    def _fill(self, form: Locator, values: dict[str, str | list[str]]) -> None:
        for name, value in values.items():
            field = form.locator(f'[name="{name}"]')
            kind = field.first.get_attribute("type")
            for one in value if isinstance(value, list) else [value]:
                if kind == "radio":
                    self.hand.choose(_group(field.first), one)
                elif kind == "checkbox":
                    self.hand.tick(field.first)
                elif field.first.is_visible():
                    self.hand.put(field.first, one)
                else:
                    # Only what the journey leaves empty may hide.
                    assert one == "", f"{name} cannot be seen on {self.sheet.url}"

    def _sign_in(self) -> Response:
        self.hand.put(self.sheet.get_by_label("Mail address"), self.email)
        self.hand.put(self.sheet.get_by_label("Password", exact=True), PASSWORD)
        button = self.sheet.get_by_role("button", name="Sign in")
        return self._leave_by(button)

    def _leave_by(self, way: Locator) -> Response:
        with self.sheet.expect_event("load"), self.sheet.expect_response(_arrives) as answer:
            self.hand.press(way)
        return answer.value

    def _stands(self, answer: Response | None, status: int) -> str:
        assert answer is not None
        where = urlsplit(self.sheet.url)
        self.path = f"{where.path}?{where.query}" if where.query else where.path
        self.page = self.sheet.content()
        said = " ".join(self.sheet.locator("main").inner_text().split())
        assert answer.status == status, (
            f"{self.name} got {answer.status} at {self.path}: {said[:2000]}"
        )
        assert not self._is_too_wide(), f"{self.path} scrolls sideways"
        return self.page

    def _is_too_wide(self) -> bool:
        wide: bool = self.sheet.locator("html").evaluate(
            "root => root.scrollWidth > root.clientWidth + 1"
        )
        return wide


def _arrives(answer: Response) -> bool:
    """Tell whether an answer is the page that a way leads to, rather than a word about where it is or a part of it."""
    return answer.request.is_navigation_request() and not 300 <= answer.status < 400


def _group(radio: Locator) -> Locator:
    """Return the group a radio button belongs to."""
    return radio.locator("xpath=ancestor::fieldset[1]")


def fresh(context: BrowserContext) -> tuple[Page, list[str]]:
    """Open a page in a browser; return it with what it complains about from now on."""
    page = context.new_page()
    return page, watch(page)
