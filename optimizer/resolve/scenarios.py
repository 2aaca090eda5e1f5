"""What is wrong with the scenarios of an instance, before any is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from optimizer.formulation.build import NothingToDrop, refuse_unknown
from optimizer.formulation.families import FAMILIES
from optimizer.instance.changes import apply
from optimizer.instance.faults import BadInput, Fault
from optimizer.instance.schema import Instance
from optimizer.resolve.faults import fault


def scenario_faults(instance: Instance) -> Iterator[Fault]:
    """Changes that leave no instance, and families or terms to drop that there are not."""
    for name, scenario in instance.scenarios.items():
        try:
            apply(instance, scenarios=[name])
        except BadInput as error:
            yield from (_of(instance, name, each) for each in error.faults)
        for n, pattern in enumerate(scenario.drop):
            try:
                refuse_unknown([pattern], FAMILIES)
            except NothingToDrop as error:
                yield fault(
                    instance, ("scenarios", name, "drop", n), f"scenarios.{name}.drop[{n}]: {error.what}", error.maybe
                )


def _of(instance: Instance, name: str, found: Fault) -> Fault:
    """A fault of the changed instance, where the scenario stands."""
    if found.line is not None and found.where.startswith("scenarios."):
        return found
    line, column = instance.locate("scenarios", name) or (None, None)
    return replace(found, path=instance.source, line=line, column=column, message=f"scenarios.{name}: {found.message}")
