"""`solvency check`: every fault of an instance at once, or in short what it amounts to."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from optimizer.cli.ends import Exit
from optimizer.cli.inputs import read_instance
from optimizer.formulation.data import Data
from optimizer.instance import BadInput
from optimizer.instance.arguments import scenarios
from optimizer.instance.changes import apply
from optimizer.plan.figures import listed
from optimizer.plan.verdicts import fallen
from optimizer.resolve import resolve
from optimizer.resolve.scenarios import scenario_faults


def check_file(file: Path, scenario: str | None, changes: list[str], *, as_json: bool) -> Exit:
    """Read and resolve an instance without solving it."""
    try:
        instance, _ = read_instance(file, scenario)
        changed, _ = apply(instance, changes, scenarios(scenario))
        data = resolve(changed).data
        if wrong := list(scenario_faults(instance)):
            raise BadInput(wrong)
    except BadInput as error:
        if as_json:
            print(json.dumps({"faults": [asdict(fault) for fault in error.faults]}, indent=1))
        raise
    unserved = [w for w in data.workflows if not (data.endpoints_of[w] or data.apis_of[w] or data.workflows[w].bundles)]
    if as_json:
        print(json.dumps({"faults": [], "counts": _counts(data), "unserved": unserved, "notes": data.notes}, indent=1))
        return Exit.SOLVED
    print(f"{file}: no faults")
    print(listed([_said(what, n) for what, n in _counts(data).items()]))
    for w in unserved:
        print(f"nothing can serve {w}: {fallen([c for c in data.candidates if c.workflow == w])}")
    for note in data.notes:
        print(f"assumed: {note}")
    return Exit.SOLVED


def _said(what: str, many: int) -> str:
    """`2 sites`, `1 site`, `1 candidate dropped at hbm`."""
    if many != 1:
        return f"{many:,} {what}"
    first, _, rest = what.partition(" ")
    return " ".join(filter(None, ("1", first.removesuffix("s"), rest)))


def _counts(data: Data) -> dict[str, int]:
    stages = Counter(c.stage for c in data.candidates)
    return {
        "sites": len(data.sites),
        "pools": len(data.pools),
        "workflows": len(data.workflows),
        "APIs": len(dict.fromkeys(a for _, a in data.api_pairs)),
        "periods": len(data.calendar.periods),
        "endpoints": len(data.endpoints),
        "ways to serve": len(data.pairs) + len(data.api_pairs),
        **{f"candidates dropped at {stage}": n for stage, n in stages.items()},
    }
