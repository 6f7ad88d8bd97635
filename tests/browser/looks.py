"""A page in every look: wide and narrow, light and dark."""

from dataclasses import dataclass

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.faults.profile import LONG

WIDE, NARROW, HEIGHT = 1280, 375, 900
_GUIDELINES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# What a colour scheme can change. Everything else of a page is the same in the light and in the dark, and almost every
# colour is the same on a narrow screen as on a wide one: three looks see it all but what only a narrow one shows in light.
_COLOURS = ["color-contrast", "link-in-text-block"]
_FIND = """
rules => axe.run({exclude: ["[data-again]"]}, {runOnly: rules, resultTypes: ["violations"]}).then(
  found => found.violations.map(one => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`)
)
"""
# Of siblings that are built and styled alike, whatever they say, axe looks at the first two: the others can be no better.
_ALIKE = """
() => {
  const told = new Set(["action", "aria-controls", "aria-describedby", "aria-label", "aria-labelledby", "datetime",
    "for", "href", "id", "name", "title", "value"]);
  const shape = one => one.tagName + [...one.attributes].map(
    said => told.has(said.name) ? said.name : `${said.name}=${said.value}`
  ) + Boolean(one.textContent.trim()) + `(${[...one.children].map(shape)})`;
  for (const parent of document.body.querySelectorAll("*")) {
    const seen = new Map();
    for (const child of parent.closest("[data-again]") ? [] : parent.children) {
      const key = shape(child);
      seen.set(key, (seen.get(key) || 0) + 1);
      child.toggleAttribute("data-again", seen.get(key) > 2);
    }
  }
}
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
    if not LONG:
        page.evaluate(_ALIKE)
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
