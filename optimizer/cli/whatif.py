"""`solvency whatif`: a base and its variants, solved warm and shown side by side."""

from __future__ import annotations

import csv
import json
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from optimizer.cli.ends import STATUS, Exit, say
from optimizer.cli.inputs import read_instance, refusal
from optimizer.cli.progress import interruptible, shown
from optimizer.comparing import Comparison, compare
from optimizer.comparing.tables import COLUMNS
from optimizer.instance.faults import closest
from optimizer.plan.figures import money
from optimizer.report.compared import show_comparison, side_by_side
from optimizer.report.text import Page, table
from optimizer.solving import refuse_unknown_changes
from optimizer.variants import Base, Change, Variant

if TYPE_CHECKING:
    from optimizer.instance import Instance


WIDE = 16  # a longer name of a variant heads no column


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked on the command line."""

    file: Path
    scenarios: tuple[str, ...]
    changes: tuple[str, ...]
    drop: tuple[str, ...]
    each: bool
    gap: float
    time_limit: float
    threads: int
    seed: int


def whatif_file(request: Request, form: str, name: str) -> Exit:
    """Solve the base and every variant from it, and print what differs."""
    table_named(name)
    asked = list(_asked(request))
    if not asked:
        raise refusal(None, "nothing is asked: say --set PATH=VALUE, --drop FAMILY or --scenario NAME")
    instance, left_out = read_instance(request.file, next(iter(request.scenarios), None))
    for change in asked:  # before the base takes its time
        refuse_unknown_changes(instance, change.scenario, change.sets, change.drop)
    with interruptible() as cancel:
        base = _base(instance, left_out, request, cancel)
        variants = list(_solved(base, asked, cancel))  # of a base without a plan too: they may be how to get one
    compared = [compare(base.plan, variant.plan) for variant in variants]
    _print(base, variants, compared, form, name)
    ends = [STATUS[base.plan.status], *(STATUS[v.plan.status] for v in variants)]
    return Exit.INTERRUPTED if cancel.is_set() else max(ends)


def table_named(name: str) -> None:
    """Refuse a table that no comparison has."""
    if name not in COLUMNS:
        raise refusal(None, f"no table is called '{name}'", closest(name, COLUMNS).rstrip("?") or ", ".join(COLUMNS))


def _asked(request: Request) -> Iterator[Change]:
    """A variant per scenario; what else is changed is changed in each of them, or with --each by itself."""
    if request.each:
        yield from (Change(text, None, (text,)) for text in request.changes)
        yield from (Change(f"without {name}", None, (), (name,)) for name in request.drop)
        yield from (Change(name, name) for name in request.scenarios)
        return
    parts = [*request.changes, *(f"without {name}" for name in request.drop)]
    for scenario in request.scenarios or ((None,) if parts else ()):
        yield Change(", ".join(filter(None, (scenario, *parts))), scenario, request.changes, request.drop)


def _base(instance: Instance, left_out: Sequence[str], request: Request, cancel: threading.Event) -> Base:
    if left_out:
        say(f"as in the saved plan, without {', '.join(left_out)}")
    with shown(instance.currency) as progress:
        return Base.solved(
            instance,
            gap=request.gap,
            time_limit=request.time_limit,
            threads=request.threads,
            seed=request.seed,
            change=Change("base", drop=tuple(left_out)),
            progress=progress,
            cancel=cancel,
        )


def _solved(base: Base, asked: Sequence[Change], cancel: threading.Event) -> Iterator[Variant]:
    net = f", {money(base.plan.objective_usd, base.plan.document['currency'], 4)}" if base.plan.answered else ""
    say(f"base: {base.plan.status}{net}")
    for change in asked:
        if cancel.is_set():
            return
        variant = base.vary(change, cancel=cancel)
        how = f"; stated anew: {variant.rebuilt}" if variant.rebuilt else ""
        stopped = f"; stopped by {variant.stopped}" if variant.stopped else ""
        say(f"{change.name}: {variant.plan.status} in {variant.plan.document['seconds']:.1f} s{how}{stopped}")
        yield variant


def _print(base: Base, variants: Sequence[Variant], compared: Sequence[Comparison], form: str, name: str) -> None:
    if form == "json":
        found = [
            {"name": v.change.name, "plan": v.plan.document, "comparison": c.document}
            for v, c in zip(variants, compared, strict=True)
        ]
        print(json.dumps({"base": base.plan.document, "variants": found}, indent=1, ensure_ascii=False))
        return
    if form == "csv":
        lines = csv.DictWriter(sys.stdout, ("variant", *COLUMNS[name]), lineterminator="\n")
        lines.writeheader()
        for variant, comparison in zip(variants, compared, strict=True):
            lines.writerows({"variant": variant.change.name, **row} for row in comparison.document[name])
        return
    to = Page()
    names = [v.change.name for v in variants]
    heads = names if max(map(len, names), default=0) <= WIDE else [f"({n})" for n in range(1, len(names) + 1)]
    if compared:
        legend = "; ".join(f"{h} {n}" for h, n in zip(heads, names, strict=True) if h != n)
        table(side_by_side([c.document for c in compared], heads, legend), to)
    for head, variant, comparison in zip(heads, variants, compared, strict=True):
        number = "" if head == variant.change.name else f" {head}"
        to.print()
        show_comparison(comparison.document, to, f"What if{number}: {variant.change.name}")
