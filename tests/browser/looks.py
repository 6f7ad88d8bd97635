"""A page in every look: wide and narrow, light and dark."""

from dataclasses import dataclass

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

WIDE, NARROW, HEIGHT = 1280, 375, 900
_GUIDELINES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What a colour scheme can change. Everything else of a page is the same in the light and in the dark, and almost every
# colour is the same on a narrow screen as on a wide one: three looks see it all but what only a narrow one shows in light.
_COLOURS = ["color-contrast", "link-in-text-block"]
_FIND = """
rules => axe.run({runOnly: rules, resultTypes: ["violations"]}).then(found => found.violations.map(
  one => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`
))
"""
_SIDEWAYS = "document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"


@dataclass(frozen=True)
class Look:
    """How a page is shown, and what is looked for."""

    width: int
    dark: bool
    rules: list[str]

    def __str__(self) -> str:
        return f"{self.width} px, {'dark' if self.dark else 'light'}"


LOOKS = (
    Look(WIDE, False, _GUIDELINES),
    Look(WIDE, True, _COLOURS),
    Look(NARROW, True, _GUIDELINES),
)


def problems_of(page: Page) -> list[str]:
    """Return what is wrong with the open page in any look: what axe finds, no title, headings, a width that does not fit."""
    before = page.viewport_size
    page.evaluate(AXE_SCRIPT)
    found = flaws(page)
    for look in LOOKS:
        page.set_viewport_size({"width": look.width, "height": HEIGHT})
        page.emulate_media(color_scheme="dark" if look.dark else "light")
        seen = page.evaluate(_FIND, look.rules)
        if page.evaluate(_SIDEWAYS):
            seen.append("scrolls sideways")
        found += [f"{page.url} ({look}) {one}" for one in seen]
    if before:
        page.set_viewport_size(before)
    page.emulate_media(color_scheme="null")
    return found


def flaws(page: Page) -> list[str]:
    """Return what is wrong with any page, whatever it is about, as it is shown now."""
    found = []
    if not page.title().strip(" ·"):
        found.append("has no title")
    headings = page.locator("h1").count()
    if headings != 1:
        found.append(f"has {headings} first headings")
    if page.evaluate(_SIDEWAYS):
        found.append("scrolls sideways")
    return [f"{page.url} {one}" for one in found]
