"""The rules page shows the process as a map, and each place on it leads to its words."""

import re

from okrgate.rulebooks import service
from tests.factories import Factory


def test_the_map_leads_to_the_words(factory: Factory) -> None:
    factory.rulebook()
    page = factory.browser(factory.person("Pat")).get("/rules/1").get_data(as_text=True)
    links = re.findall(r'<a href="/rules/1#((?:stage|gate)-[^"]+)">', page)
    rulebook = service.rulebook(1)
    way = rulebook.forward_path(rulebook.initial.id)
    assert {f"gate-{step.gate}" for step in way if step.gate} <= set(links)
    for target in links:
        assert page.count(f'id="{target}"') == 1


def test_no_id_stands_twice_beside_the_folded_map(factory: Factory) -> None:
    factory.rulebook()
    page = factory.browser(factory.person("Pat")).get("/rules/1").get_data(as_text=True)
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_page_says_what_the_rules_promise(factory: Factory) -> None:
    factory.rulebook()
    page = factory.browser(factory.person("Pat")).get("/rules/1").get_data(as_text=True)
    promises = service.rulebook(1).invariants
    assert promises
    for promise in promises:
        assert f'id="promise-{promise.id}"' in page
        assert promise.label in page
    assert "A text is published only when its promises are proved" in page
