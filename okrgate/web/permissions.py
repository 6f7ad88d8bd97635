"""Deny by default: a view without a policy is never run.

A policy takes the view's own arguments and returns nothing, or raises Forbidden or NotFound with the sentence
that the person will read. Finer rights (this project, this seat) are checked again in the service.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, request
from flask_login import current_user

from okrgate.errors import Forbidden

View = TypeVar("View", bound=Callable[..., Any])
Policy = Callable[..., None]

_ATTRIBUTE = "okrgate_policy"


class NoPolicy(RuntimeError):
    """A route was built without saying who may use it."""


class SignInNeeded(Exception):
    """Nobody is signed in; the sign-in page comes first."""


def requires(policy: Policy) -> Callable[[View], View]:
    """Run `policy` before the view. Written nearest to the function, below the route."""

    def decorate(view: View) -> View:
        setattr(view, _ATTRIBUTE, policy)
        return view

    return decorate


def anyone(**_arguments: Any) -> None:
    """Let everybody in, signed in or not."""


def signed_in(**_arguments: Any) -> None:
    """Let in whoever is signed in and still active."""
    if not current_user.is_authenticated:
        raise SignInNeeded


def admin(**_arguments: Any) -> None:
    """Let admins in."""
    signed_in()
    if not current_user.is_admin:
        raise Forbidden("Only an administrator may do this.")


def auditor(**_arguments: Any) -> None:
    """Let in those who may read the whole record: auditors and admins."""
    signed_in()
    if not (current_user.is_admin or current_user.is_auditor):
        raise Forbidden("Only an auditor or an administrator may see this.")


def policy_of(endpoint: str, app: Flask) -> Policy:
    """Return the policy of an endpoint; raises NoPolicy when there is none."""
    if endpoint == "static":
        return anyone
    policy: Policy | None = getattr(app.view_functions[endpoint], _ATTRIBUTE, None)
    if policy is None:
        raise NoPolicy(f"The endpoint {endpoint} says nothing about who may use it.")
    return policy


def enforce() -> None:
    """Check the request's policy; runs before every view."""
    if request.endpoint is None:
        return
    policy_of(request.endpoint, current_app)(**(request.view_args or {}))
