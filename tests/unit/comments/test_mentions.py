"""Who is meant by @name, and what a text becomes on a page."""

from time import monotonic

import pytest

from okrgate.comments.mentions import Named, as_html, places

ADA = Named(1, "Ada Novak", "ada.novak@example.com")
OTHER_ADA = Named(2, "Ada Smith", "ada.smith@example.com")
HUGO = Named(3, "Hugo Silva", "hugo@example.com")
JOSE = Named(4, "José O'Neil-Ruiz", "jose@example.com")
EVERYBODY = (ADA, OTHER_ADA, HUGO, JOSE)


def meant(text: str, first: tuple[int, ...] = ()) -> list[list[int]]:
    return [[one.id for one in place.people] for place in places(text, EVERYBODY, first=first)]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("@hugo what do you think?", [[3]]),
        ("Ask @Hugo.", [[3]]),
        ("(@hugo)", [[3]]),
        ("@Hugo Silva, please", [[3]]),
        ("@HugoSilva", [[3]]),
        ('@"Ada Novak" and @"ada  smith"', [[1], [2]]),
        ("@ada.novak: yes", [[1]]),
        ("@Ada Smith", [[2]]),
        ("@josé", [[4]]),
        ("@José O'Neil-Ruiz's plan", [[4]]),
        ("@ada", [[1, 2]]),
        ("@nobody", [[]]),
        ("hugo@example.com", []),
        ("no names", []),
        ("@", []),
        ('@""', []),
        ("https://example.com/@hugo", []),
    ],
)
def test_a_name_means_whoever_bears_it(text: str, ids: list[list[int]]) -> None:
    assert meant(text) == ids


def test_of_two_with_one_name_the_one_involved_is_meant() -> None:
    assert meant("@ada", first=(2, 3)) == [[2]]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        'https://example.org/"onmouseover="alert(1)',
        "https://example.org/<svg onload=alert(1)>",
        "javascript:alert(1)",
        "[x](javascript:alert(1))",
        "data:text/html,<script>1</script>",
        '@"<b>Ada</b>" &lt;script&gt;',
        "https://example.org/'><script>",
        "@hugo<script>",
    ],
)
def test_what_is_typed_stays_text(text: str) -> None:
    html = str(as_html(text, EVERYBODY))
    bare = html.replace('<span class="mention">', "").replace("</span>", "")
    while '<a href="http' in bare:
        start = bare.index('<a href="http')
        bare = bare[:start] + bare[bare.index(">", start) + 1 :].replace("</a>", "", 1)
    assert "<" not in bare
    assert 'href="javascript' not in html


def test_addresses_become_links_without_the_point_after_them() -> None:
    html = as_html("See https://example.org/a?b=1&c=2, (http://example.org/d).", ())
    assert 'href="https://example.org/a?b=1&amp;c=2"' in html
    assert 'href="http://example.org/d"' in html
    assert html.count("nofollow noopener noreferrer") == 2


def test_only_the_names_of_those_told_are_marked() -> None:
    html = as_html("@hugo and @ada", (HUGO,))
    assert html == '<span class="mention">@hugo</span> and @ada'


def test_a_text_full_of_names_is_read_at_once() -> None:
    crowd = [Named(one, f"Ada Novak{one}", f"ada.{one}@example.com") for one in range(3000)]
    text = " ".join(f"@x{number}" for number in range(1600))
    began = monotonic()
    assert len(list(places(text, crowd))) == 1600
    assert monotonic() - began < 30, "each name was looked for among all, for each place"
