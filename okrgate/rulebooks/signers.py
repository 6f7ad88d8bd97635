"""Who signs at strict gates, and has nothing yet to sign with."""

from collections.abc import Iterable

from okrgate.accounts import directory
from okrgate.factors import service as factors
from okrgate.gates.model import Rulebook


def cannot_sign_yet(rulebooks: Iterable[Rulebook]) -> list[str]:
    """Return the names of people whose roles sign at a strict gate of these rules, and who have no second factor."""
    return names_lacking({role for one in rulebooks for role in strict_roles(one)})


def strict_roles(rulebook: Rulebook) -> set[str]:
    """Return the roles that sign at a strict gate."""
    return {
        role
        for gate in rulebook.gates.values()
        if gate.strict
        for role in signing_roles(rulebook, gate.id)
    }


def signing_roles(rulebook: Rulebook, gate: str) -> set[str]:
    """Return the roles that sign at a gate."""
    return {
        role
        for one in rulebook.gates[gate].requirements
        for seat in rulebook.signoff_conditions(one)
        for role in seat.roles
    }


def names_lacking(roles: Iterable[str]) -> list[str]:
    """Return the names of everybody who holds one of these roles today and has no second factor."""
    people = {one.person_id for one in directory.holdings(roles)}
    return sorted(directory.names(factors.lacking(people)).values())
