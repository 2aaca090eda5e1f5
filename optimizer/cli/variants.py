"""`whatif`, `compare` and `sweep`: their options; the work is imported when it is called for."""

# ruff: noqa: PLC0415  a command imports its work when it is called; typer reads options off the signature

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli import completing
from optimizer.cli.ends import Exit
from optimizer.cli.options import Cluster, Drop, File, Format, Gap, Limit, Scenario, Seed, Set, Threads


def whatif(
    file: File,
    scenario: Annotated[
        list[str] | None,
        typer.Option(help="A variant per scenario.", metavar="NAME", autocompletion=completing.scenarios),
    ] = None,
    set_: Set = None,
    drop: Drop = None,
    each: Annotated[bool, typer.Option("--each", help="Every change as a variant of its own.")] = False,
    gap: Gap = 1e-3,
    time_limit: Limit = 300.0,
    threads: Annotated[int, typer.Option(help="Threads for the base; variants take one.", min=1)] = 1,
    seed: Seed = 0,
    format_: Annotated[Format, typer.Option("--format", help="What stdout carries.")] = Format.TEXT,
    table: Annotated[str, typer.Option(help="Table for --format csv.", metavar="TABLE")] = "workflows",
) -> Exit:
    """Show base and variants side by side: value, what entered and left, what moved, what binds."""
    from optimizer.cli.whatif import Request, whatif_file

    changes, dropped, named = tuple(set_ or ()), tuple(drop or ()), tuple(scenario or ())
    request = Request(file, named, changes, dropped, each, gap, time_limit, threads, seed)
    return whatif_file(request, format_.value, table)


def compare(
    before: Annotated[str, typer.Argument(metavar="A", help="Saved plan, instance, or INSTANCE@SCENARIO.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The same; what is different in it is shown.")],
    scenario: Scenario = None,
    set_: Set = None,
    drop: Drop = None,
    gap: Gap = 1e-3,
    time_limit: Limit = 300.0,
    threads: Threads = None,
    seed: Seed = 0,
    format_: Annotated[Format, typer.Option("--format", help="What stdout carries.")] = Format.TEXT,
    table: Annotated[str, typer.Option(help="Table for --format csv.", metavar="TABLE")] = "workflows",
) -> Exit:
    """Compare two plans, also of different instances; scenario, changes and drops are made to each that is solved."""
    from optimizer.cli.comparing import Request, compare_files

    changed = (scenario, tuple(set_ or ()), tuple(drop or ()))
    request = Request(before, after, *changed, gap, time_limit, threads, seed)
    return compare_files(request, format_.value, table)


def sweep(
    file: File,
    vary: Annotated[
        list[str],
        typer.Option(
            help="Axis: values v1,v2 or n from a to b.", metavar="PATH=a:b:n", autocompletion=completing.paths
        ),
    ],
    design: Annotated[str, typer.Option(help="grid, list, tornado, random or sobol.")] = "grid",
    samples: Annotated[int, typer.Option(help="Members of a random or Sobol design.", min=0)] = 0,
    refine: Annotated[int, typer.Option(help="Rounds of halving where the portfolio changes.", min=0)] = 0,
    scenario: Scenario = None,
    set_: Set = None,
    drop: Drop = None,
    gap: Gap = 1e-3,
    time_limit: Annotated[float, typer.Option(help="Seconds of wall clock per member.", min=0.0)] = 300.0,
    nodes: Annotated[int, typer.Option(help="Search nodes per member.", min=1)] = 2000,
    seed: Seed = 0,
    workers: Annotated[int | None, typer.Option(help="Processes; default one per core.", min=1)] = None,
    cluster: Cluster = None,
    store: Annotated[Path | None, typer.Option(help="Directory for finished members; default FILE.sweep.")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Save as .parquet, .csv or .json.")] = None,
    format_: Annotated[Format, typer.Option("--format", help="What stdout carries.")] = Format.TEXT,
    table: Annotated[str, typer.Option(help="For --format csv: members or frontier.", metavar="TABLE")] = "members",
) -> Exit:
    """Solve many variants in parallel; what is finished is kept, and the same command goes on from there."""
    from optimizer.cli.sweeping import Request, sweep_file

    request = Request(
        file, tuple(vary), design, samples, refine, scenario, tuple(set_ or ()), tuple(drop or ()), gap, time_limit,
        nodes, seed, workers, cluster, store, output,
    )  # fmt: skip
    return sweep_file(request, format_.value, table)
