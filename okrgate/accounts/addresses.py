"""Mail addresses: one spelling, and only those that mail can be sent to."""

import re

LONGEST = 254
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


def spelled(email: str) -> str:
    """Return the one spelling by which an address is known."""
    return email.strip().lower()


def fault(email: str) -> str | None:
    """Return why mail cannot be sent to this address, as a sentence; nothing when it can."""
    local, at, domain = email.strip().rpartition("@")
    labels = domain.split(".")
    good = (
        len(email) <= LONGEST
        and at
        and _LOCAL.fullmatch(local)
        and not local.startswith(".")
        and not local.endswith(".")
        and ".." not in local
        and len(labels) > 1
        and all(_LABEL.fullmatch(label) for label in labels)
    )
    return None if good else "Enter a mail address like name@example.com."
