"""What the shape alone cannot say: names that must exist, shares that must sum, keys that exclude each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .faults import Misfit
from .schema import Instance


def cross_check(instance: Instance, stated: Mapping[str, Any]) -> Iterator[Misfit]:
    """Every misfit between parts of an instance; `stated` holds also what was left out as misshapen."""
    yield from ()
