"""A company to try things on, and back to how it was."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import make_url

from okrgate.administration import preferences
from okrgate.database import db
from tests.integration.journey.company import Company
from tests.integration.journey.stops import Stops
from tests.integration.test_route_matrix import arrange, words_for

# Nobody signed yet: there is not one of everything.
EARLY = {"founded", "told", "in review", "judged"}
READERS = ("Ada", "Mia", "Lea", "Sue", "Rex", "Ines", "Pat", "Aud", "nobody")


@dataclass
class Ground:
    """A company to try things on, made anew whenever much of it was changed."""

    stops: Stops
    company: Company
    browsers: dict[str, FlaskClient]
    base: str = ""
    used: str = ""
    cookies: dict[str, dict[Any, Any]] = field(default_factory=dict)

    def keep(self) -> None:
        """Come back to what is there now, and to who is signed in now."""
        url = db.engine.url
        self.cookies = {name: dict(one._cookies or {}) for name, one in self.browsers.items()}
        self._leave()
        self.base = str(url.database)

    def anew(self) -> None:
        """Make everything as it was kept, in another place, so that nothing remembered fits."""
        self._leave()
        used = self.used
        url, self.used = self.stops._copy(self.base)
        db.engine.url = make_url(url)
        if used:
            self.stops._drop(used)
        for name, cookies in self.cookies.items():
            self.browsers[name]._cookies = dict(cookies)
        preferences.refresh()
        db.session.rollback()

    def _leave(self) -> None:
        db.session.remove()
        db.engine.dispose()


@contextmanager
def ground(stops: Stops, stop: str) -> Iterator[tuple[Ground, dict[str, object]]]:
    """Yield a company at a stop, with one of everything where there can be."""
    with ExitStack() as stack:
        company = stack.enter_context(contextmanager(stops.arrive)(stop))
        words: dict[str, object] = {"reference": company.reference}
        if stop not in EARLY:
            arrange(company)
            words = words_for(company)
        browsers = {name: company[name].client for name in READERS if name != "nobody"}
        browsers["nobody"] = company.factory.app.test_client()
        kept = Ground(stops, company, browsers)
        first = db.engine.url
        kept.keep()
        kept.anew()
        yield kept, words
        kept._leave()
        stops._drop(kept.used)
        db.engine.url = first
