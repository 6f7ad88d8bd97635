"""Who may still read what they are told about."""

from collections.abc import Callable, Iterable
