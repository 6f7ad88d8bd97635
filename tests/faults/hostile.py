"""What nobody would type: values for fields and addresses, and ways to spoil a form. All by a seeded chance."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote_plus

Pairs = list[tuple[str, str]]

NUMBERS = (
    "-1",
    "0",
    "-0",
    "1" + "0" * 400,
    "9" * 19,
    "9" * 5000,
    "2147483647",
    "2147483648",
    "-2147483649",
    "999999999",
    "9223372036854775807",
    "9223372036854775808",
    "9000000000000",
    "0.0000001",
    "0." + "3" * 400,
    "1e400",
    "1e3",
    "-1e-9",
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "1,5",
    "1,000,000",
    "1.2.3",
    "1_000",
    "0x10",
    "+7",
    " 7 ",
    "٣",
    "９",  # noqa: RUF001 a digit, though not one of ours
    "½",
    "²",
)
DATES = (
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2026-02-30",
    "1969-12-31",
    "2100-12-31",
    "2026-12",
    "2026-W01-1",
    "04.12.2026",
    "2026-12-04T25:61",
    "9999-12-31T23:59",
    "0001-01-01T00:00",
    "0001-01-01T00:00:00+23:59~1",
    "9999-12-31T23:59:59-23:59~1",
    "2027-01-01T00:00:00+00:00~999999999999999",
)
TEXTS = (
    "",
    " ",
    "\r\n\t",
    "\x00",
    "a\x00b",
    "\ud800",
    "a\udfffb",
    "\u202eright to left",
    "\u200b",
    "\ufeff",
    "\u2028\u2029",
    "\x7f\x1b[31m\x07\x08",
    "\ufffe\uffff",
    "e" + "\u0301" * 300,
    "😀" * 60,
    "x" * 201,
    "x" * 10_001,
    "word " * 700,
    "on",
    "y",
    "yes",
    "true",
    "None",
    "null",
    "[]",
    "{}",
    "{{ 7 * 7 }}",
    "%s%n%d%(name)s",
    "{0.__class__}",
    "' OR 1=1 --",
    "%_\\",
    '"quoted" AND (open',
    "<script>alert(1)</script>",
    "../../../etc/passwd",
    "//elsewhere.example",
    "https://[::1",
    "https://a:b@c:99999/",
    "@everybody @[1] @",
    "a@b@c",
    "a\r\nBcc: b@example.com",
    "-",
    "~",
    "~1",
    "a-b-c",
    "1-2",
    "csv",
    "Europe/Nowhere",
    "../Berlin",
    "OKR-1",
    "okr-001",
)
LARGE = ("x" * 100_000, "1" * 100_000, "a " * 50_000, "-" * 100_000, "((((" * 25_000)
NAMES = (
    "unknown",
    "",
    "-",
    "add_row",
    "remove_row",
    "preview",
    "later",
    "discard",
    "choosing",
    "stage",
    "version",
    "__class__",
    "name\x00",
    "name[]",
    "x" * 300,
)
BODIES = (
    ("application/json", b'{"title": "x"}'),
    ("application/json", b"{" * 5000),
    ("text/plain", b"title=x"),
    ("multipart/form-data", b"--\r\n"),
    ("multipart/form-data; boundary=x", b"--x\r\n\r\nopen"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a\r\n'),
    ("application/x-www-form-urlencoded; charset=utf-16", b"title=%ff%fe&=&&==;%"),
    ("application/x-www-form-urlencoded", b"%00=%00&%=%zz&title=%ff%fe%fd"),
    ("application/x-www-form-urlencoded", b"a=1&" * 1500),
    ("", b"\xff\xfe\x00"),
)
HEADERS: tuple[dict[str, str], ...] = (
    {"HX-Request": "true"},
    {"HX-Request": "true", "HX-Request-Type": "full"},
    {"HX-Request": "true", "HX-Target": "\xff<script>", "HX-Current-URL": "https://[::1"},
    {"Accept-Language": "\xff;q=NaN,*;q=-1", "User-Agent": "x" * 5000},
    {"Cookie": "okrgate=.eJw.aaaa.bbbb; theme=\xff; __Host-okrgate=1"},
    {"Authorization": "Bearer \xff"},
    {"Authorization": "Basic =====", "Proxy-Authorization": "x"},
    {"Range": "bytes=9-1,-", "If-None-Match": '"', "If-Modified-Since": "0"},
    {"X-Forwarded-For": "a, \xff", "X-Forwarded-Proto": "gopher", "X-Request-Id": "x" * 999},
    {"Sec-Fetch-Site": "none", "Origin": "null", "Referer": "//[\xff"},
    {"Accept": "application/json;q=", "Accept-Encoding": "\xff", "Accept-Charset": "utf-99"},
)


def value(chance: random.Random, known: Sequence[str] = ()) -> str:
    """Return something odd; `known` are ids and words that belong elsewhere."""
    kind = chance.random()
    if kind < 0.3:
        return chance.choice(NUMBERS)
    if kind < 0.45:
        return chance.choice(DATES)
    if kind < 0.6 and known:
        return chance.choice(known)
    if kind < 0.9:
        return chance.choice(TEXTS)
    if kind < 0.92:
        return chance.choice(LARGE)
    return "".join(chr(_letter(chance)) for _ in range(chance.randint(1, 12)))


def _letter(chance: random.Random) -> int:
    """Return the number of a letter: of any alphabet, or of a sign that means something to a program."""
    return chance.choice((chance.randint(0x20, 0x7E), chance.randint(0, 0x10FFFF)))


@dataclass(frozen=True)
class Spoiled:
    """A form after something was done to it: what it holds now, and which fields hold what they should not."""

    pairs: Pairs
    odd: dict[str, str]
    files: bool = False


def spoil(
    pairs: Iterable[tuple[str, str]],
    names: Sequence[str],
    chance: random.Random,
    known: Sequence[str],
) -> Spoiled:
    """Do something to a form: mostly one odd value; at times many, none, twice the same, a file for a text."""
    pairs, kind = list(pairs), chance.random()
    if not names or kind < 0.03:
        return Spoiled([(chance.choice(NAMES), value(chance, known)) for _ in range(3)], {})
    name = chance.choice(names)
    odd = value(chance, known)
    if kind < 0.68:
        return Spoiled([*_without(pairs, {name}), (name, odd)], {name: odd})
    if kind < 0.78:
        some = chance.sample(names, min(len(names), chance.randint(2, 12)))
        many = {one: value(chance, known) for one in some}
        return Spoiled([*_without(pairs, set(some)), *many.items()], many)
    if kind < 0.83:
        return Spoiled(_without(pairs, {name}), {})
    if kind < 0.89:
        twice = [(name, odd), *pairs] if chance.random() < 0.5 else [*pairs, (name, odd)]
        return Spoiled(twice, {})
    if kind < 0.93:
        return Spoiled([*pairs, (_bent(name, chance), odd), (chance.choice(NAMES), odd)], {})
    if kind < 0.96:
        return Spoiled([*_without(pairs, {name}), (name, odd)], {name: odd}, files=True)
    return Spoiled([], {})


def _without(pairs: Pairs, names: set[str]) -> Pairs:
    return [(name, text) for name, text in pairs if name not in names]


def _bent(name: str, chance: random.Random) -> str:
    """Return a name that looks like the one of a row that is not there."""
    rows, dash, rest = name.partition("-")
    _place, _dash, last = rest.partition("-")
    place = chance.choice(("99", "100", "999999", "-1", "٣", "9" * 30, "", "x", "0-0"))
    return f"{rows}-{place}-{last or 'id'}" if dash else f"{name}-{place}"


def encoded(pairs: Pairs) -> bytes:
    """Return a form as it travels, whatever it holds; a lone surrogate goes as the three bytes it would be."""
    return b"&".join(_bytes(name) + b"=" + _bytes(text) for name, text in pairs)


def _bytes(text: str) -> bytes:
    return quote_plus(text.encode("utf-8", "surrogatepass")).encode()


def multipart(pairs: Pairs, file: str) -> tuple[str, bytes]:
    """Return a form, one field of which is sent as a file: its type and its body."""
    parts = []
    for name, text in pairs:
        named = name.encode("utf-8", "surrogatepass").replace(b'"', b"%22").replace(b"\r\n", b"")
        more = b'; filename="a.csv"\r\nContent-Type: text/csv' if name == file else b""
        head = b'--line\r\nContent-Disposition: form-data; name="' + named + b'"' + more
        parts.append(head + b"\r\n\r\n" + text.encode("utf-8", "surrogatepass") + b"\r\n")
    return "multipart/form-data; boundary=line", b"".join(parts) + b"--line--\r\n"
