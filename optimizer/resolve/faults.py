"""Defects that only show once names are looked up, located where the instance states them."""

from __future__ import annotations

from collections.abc import Iterable

from optimizer.instance.faults import BadInput, Fault, Path, closest, dotted
from optimizer.instance.schema import Instance


def fault(instance: Instance, at: Path, message: str, maybe: str = "") -> Fault:
    """A defect at a path of the instance, with line and column where there is a file."""
    line, column = instance.locate(*at) or (None, None)
    return Fault(instance.source, line, column, dotted(at), message, maybe)


def unknown(instance: Instance, at: tuple[str, ...], kind: str, name: str, known: Iterable[str]) -> BadInput:
    """A name that neither the instance nor the catalogue holds."""
    return BadInput([fault(instance, at, f"{dotted(at)}: unknown {kind} '{name}'", closest(name, known))])
