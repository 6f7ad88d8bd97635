from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher
from flask import Flask

from okrgate.accounts import addresses, passwords
from okrgate.config import Settings

SECRET = "k3-9fJq_7sLx2Vw8Zr5Tb1Nc6Hy4Dm0Pg"


@pytest.fixture(autouse=True)
def _testing() -> Iterator[None]:
    app = Flask("okrgate")
    app.extensions["okrgate.settings"] = Settings(
        database_url="sqlite://", secret_key=SECRET, testing=True
    )
    with app.app_context():
        yield


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short words", "at least 12"),
        ("x" * 129, "at most 128"),
        ("ada.lovelace@example.com", "other than your name"),
        ("Ada  Lovelace", "other than your name"),
        ("Adalovelace", "at least 12"),
        ("password1234", "among the first"),
        ("1234PASSWORD", "among the first"),
        ("aaaaaaaaaaaaaaa", "among the first"),
        ("123456789012", "among the first"),
        ("zyxwvutsrqponm", "among the first"),
        ("okrgate demo 2026", "among the first"),
    ],
)
def test_a_weak_password_is_refused_in_a_sentence(password: str, fault: str) -> None:
    said = passwords.weakness(password, name="Ada Lovelace", email="ada.lovelace@example.com")

    assert said is not None
    assert fault in said


@pytest.mark.parametrize(
    "password", ["four rather plain words", "Zwölf große Würfel 🎲", "x9!kQ2#vLp0z"]
)
def test_a_good_password_is_taken(password: str) -> None:
    assert passwords.weakness(password, name="Ada", email="ada@example.com") is None


def test_a_password_is_kept_as_argon2id_and_found_again_however_it_is_typed() -> None:
    stored = passwords.hash_of("Zwo\u0308lf große Würfel")

    assert stored.startswith("$argon2id$")
    assert passwords.fits(stored, "Zwölf große Würfel")
    assert not passwords.fits(stored, "zwölf große würfel")


def test_nobodys_password_never_fits_but_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    real = PasswordHasher.verify

    def verify(self: PasswordHasher, stored: str, given: str) -> bool:
        checked.append(stored)
        return bool(real(self, stored, given))

    monkeypatch.setattr(PasswordHasher, "verify", verify)

    assert not passwords.fits(None, "whatever it may be")
    assert not passwords.fits(None, "nobody has this password")
    assert len(checked) == 2


def test_a_damaged_hash_fits_nothing() -> None:
    assert not passwords.fits("$argon2id$broken", "whatever it may be")


@pytest.mark.parametrize(
    ("email", "good"),
    [
        ("name@example.com", True),
        ("first.last+tag@intra.corp.local", True),
        ("name@localhost", False),
        ("name", False),
        ("@example.com", False),
        ("name@", False),
        ("a b@example.com", False),
        ("name@example.com\r\nBcc: all@example.com", False),
        ("name@exa_mple.com", False),
        ("name@-example.com", False),
        (".name@example.com", False),
        ("na..me@example.com", False),
        ("<name@example.com>", False),
        (f"{'x' * 250}@example.com", False),
    ],
)
def test_only_addresses_that_mail_can_be_sent_to_are_taken(email: str, good: bool) -> None:
    assert (addresses.fault(email) is None) is good
