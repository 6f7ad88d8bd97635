"""A browser without a screen: opens pages, fills the forms it finds there, presses their buttons."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser

from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse


@dataclass
class Form:
    """A form as the page gave it: where it goes, what it holds, and its buttons (label → name, value).

    `kinds` says what each field is (textarea, select, or the type of its input).
    """

    action: str
    method: str
    values: MultiDict[str, str] = field(default_factory=MultiDict)
    names: set[str] = field(default_factory=set)
    kinds: dict[str, str] = field(default_factory=dict)
    buttons: dict[str, tuple[str, str]] = field(default_factory=dict)

    def adds_rows(self) -> bool:
        """Tell whether one of its buttons adds a row."""
        return any(name == "add_row" for name, _value in self.buttons.values())


def _as_typed(text: str) -> str:
    """Return what a browser shows in a text area: any line end is one, and the first is not part of the text."""
    return text.replace("\r\n", "\n").removeprefix("\n")


class _Forms(HTMLParser):
    """Collects every form of a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.links: list[tuple[str, str]] = []
        self._open: Form | None = None
        self._area = self._button = self._select = self._link = ""
        self._value = ""
        self._text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in said:
            self._link, self._text = said["href"], []
        if tag == "form":
            self._open = Form(said.get("action", ""), said.get("method", "get").lower())
            self.forms.append(self._open)
        if self._open is not None:
            self._control(self._open, tag, said)

    def _control(self, form: Form, tag: str, said: dict[str, str]) -> None:
        name = said.get("name", "")
        if tag == "input":
            self._input(said, name)
        elif tag == "textarea":
            self._area, self._text = name, []
            form.kinds[name] = tag
        elif tag == "select":
            self._select = name
            form.names.add(name)
            form.kinds[name] = tag
        elif tag == "option" and self._select:
            first = self._select not in form.values
            if "selected" in said or first:
                if "selected" in said:
                    form.values.poplist(self._select)
                form.values.add(self._select, said.get("value", ""))
        elif tag == "button":
            self._button, self._value, self._text = name or "-", said.get("value", ""), []

    def _input(self, said: dict[str, str], name: str) -> None:
        assert self._open is not None
        kind = said.get("type", "text")
        self._open.names.add(name)
        self._open.kinds[name] = kind
        if kind in {"checkbox", "radio"} and "checked" not in said:
            return
        if name:
            self._open.values.add(name, said.get("value", "on" if kind == "checkbox" else ""))

    def handle_endtag(self, tag: str) -> None:
        text = " ".join("".join(self._text).split())
        if tag == "a" and self._link:
            self.links.append((text, self._link))
            self._link = ""
        if self._open is None:
            return
        if tag == "textarea":
            self._open.names.add(self._area)
            self._open.values.add(self._area, _as_typed("".join(self._text)))
            self._area = ""
        elif tag == "select":
            self._select = ""
        elif tag == "button":
            self._open.buttons[text] = (self._button, self._value)
            self._button = ""
        elif tag == "form":
            self._open = None

    def handle_data(self, data: str) -> None:
        self._text.append(data)


def read(page: str) -> _Forms:
    """Return the `forms` and the `links` of a page."""
    parser = _Forms()
    parser.feed(page)
    return parser


class Person:
    """Somebody at a browser. Raises AssertionError when a page says something else than expected."""

    def __init__(self, client: FlaskClient, name: str) -> None:
        """Take a client in which `name` is signed in."""
        self.client = client
        self.name = name
        self.path = "/"
        self.page = ""

    def open(self, path: str, *, status: int = 200) -> str:
        """Open a page and return its text."""
        return self._arrived(self.client.get(path, follow_redirects=True), status)

    def forms(self) -> list[Form]:
        """Return the forms of the page that is open."""
        return self._parsed().forms

    def links(self) -> list[tuple[str, str]]:
        """Return (text, address) of every link of the page that is open."""
        return self._parsed().links

    def form(self, *names: str) -> Form:
        """Return the one form of the page with all these fields, without regard to the header's small ones."""
        found = [
            form for form in self.forms() if form.method == "post" and set(names) <= form.names
        ]
        assert found, f"{self.name} finds no form with {names} on {self.path}"
        return found[-1]

    def send(
        self, values: dict[str, str | list[str]], *, press: str = "", status: int = 200
    ) -> str:
        """Fill the form that has these fields, press a button, and return the page it leads to."""
        form = self.form(*values)
        data = MultiDict(form.values)
        for name, value in values.items():
            data.setlist(name, value if isinstance(value, list) else [value])
        if press:
            name, value = form.buttons[press]
            if name != "-":
                data[name] = value
        action = form.action or self.path
        return self._arrived(self.client.post(action, data=data, follow_redirects=True), status)

    def make_room(self, values: Iterable[str]) -> None:
        """Press "Add another" where these values belong into a row that the page does not show yet."""
        for name in values:
            rows, dash, _rest = name.partition("-")
            if dash and not any(name in form.names for form in self.forms()):
                form = next((one for one in self.forms() if one.adds_rows()), None)
                assert form, f"{self.name} cannot add rows on {self.path}:\n{_words(self.page)}"
                data = MultiDict(form.values)
                data["add_row"] = rows
                self._arrived(self.client.post(form.action or self.path, data=data), 200)

    def press_anyway(self, values: dict[str, str], status: int) -> str:
        """Send to the page that is open what its form would send, though it shows none."""
        answer = self.client.post(self.path, data=values, follow_redirects=True)
        return self._arrived(answer, status)

    def _arrived(self, answer: TestResponse, status: int) -> str:
        self.page = answer.get_data(as_text=True)
        self.path = answer.request.full_path.removesuffix("?")
        assert answer.status_code == status, (
            f"{self.name} got {answer.status_code} at {self.path}:\n{_words(self.page)}"
        )
        return self.page

    def _parsed(self) -> _Forms:
        return read(self.page)


def _words(page: str) -> str:
    """Return a page's main words, for the message of a failing test."""
    main = page.partition("<main")[2] or page

    class Text(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.found: list[str] = []

        def handle_data(self, data: str) -> None:
            if data.strip():
                self.found.append(data.strip())

    text = Text()
    text.feed(main)
    return " | ".join(text.found)[:3000]
