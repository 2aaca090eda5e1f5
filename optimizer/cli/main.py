"""The commands and their options; each command's work is imported when it is called, so that --help is instant."""

# ruff: noqa: PLC0415  a command imports its work when it is called; typer reads options off the signature

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli import completing
from optimizer.cli.ends import Exit, ending

app = typer.Typer(
    name="solvency",
    help="Which AI workflows survive the unit economics, on which hardware, when, and why.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Format(StrEnum):
    """What stdout carries."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class Document(StrEnum):
    """What stdout carries where there are no tables."""

    TEXT = "text"
    JSON = "json"


File = Annotated[Path, typer.Argument(metavar="FILE", help="Instance (YAML or JSON), or a saved plan.")]
Scenario = Annotated[
    str | None,
    typer.Option(help="Named scenario; a+b one after the other.", metavar="NAME", autocompletion=completing.scenarios),
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a figure (=v, +v, *v, >>n).", metavar="PATH=V", autocompletion=completing.paths),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(help="Leave out a family, or family[row,*].", metavar="FAMILY", autocompletion=completing.families),
]
Gap = Annotated[float, typer.Option(help="Stop when proved within this share of the best.", min=0.0)]
Limit = Annotated[float, typer.Option(help="Seconds of wall clock.", min=0.0)]
Threads = Annotated[int | None, typer.Option(help="Threads of the solver.", min=1)]
Seed = Annotated[int, typer.Option(help="Same seed, same plan.", min=0)]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Save the plan as JSON.", metavar="PLAN.json")]


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"solvency {version('solvency')}")
        raise typer.Exit


@app.callback()
def solvency(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Which AI workflows survive the unit economics, on which hardware, when, and why."""


@app.command()
@ending
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; must not exist yet.")],
    template: Annotated[str, typer.Option(help="Example to start from; an unknown name lists them.")] = "quickstart",
) -> Exit:
    """Write a commented starting instance."""
    from optimizer.cli.starting import start

    return start(file, template)


@app.command()
@ending
def check(
    file: File,
    scenario: Scenario = None,
    set_: Set = None,
    format_: Annotated[Document, typer.Option("--format")] = Document.TEXT,
) -> Exit:
    """Check schema, units and arithmetic; every fault at once."""
    from optimizer.cli.checking import check_file

    return check_file(file, scenario, set_ or [], as_json=format_ is Document.JSON)


@app.command()
@ending
def solve(
    file: File,
    output: Output = None,
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
    """Find the best plan, prove it, check it and say what it means."""
    from optimizer.cli.solving import Request, solve_file

    request = Request(file, output, scenario, tuple(set_ or ()), tuple(drop or ()), gap, time_limit, threads, seed)
    return solve_file(request, format_.value, table)


@app.command()
@ending
def explain(
    file: File,
    scenario: Scenario = None,
    set_: Set = None,
    drop: Drop = None,
    explain_time: Annotated[float, typer.Option(help="Seconds of wall clock for the questions.", min=0.0)] = 120.0,
    threads: Annotated[int, typer.Option(help="Questions asked at once.", min=1)] = 2,
    seed: Seed = 0,
    format_: Annotated[Document, typer.Option("--format", help="What stdout carries.")] = Document.TEXT,
) -> Exit:
    """Say what limits the plan, what it is worth to fix, who is next in line and at what price."""
    from optimizer.cli.explaining import Request, explain_file

    request = Request(file, scenario, tuple(set_ or ()), tuple(drop or ()), explain_time, threads, seed)
    return explain_file(request, format_.value)


@app.command()
@ending
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
    seed: Seed = 0,
    format_: Annotated[Format, typer.Option("--format", help="What stdout carries.")] = Format.TEXT,
    table: Annotated[str, typer.Option(help="Table for --format csv.", metavar="TABLE")] = "workflows",
) -> Exit:
    """Show base and variants side by side: value, what entered and left, what moved, what binds."""
    from optimizer.cli.whatif import Request, whatif_file

    changes, dropped, named = tuple(set_ or ()), tuple(drop or ()), tuple(scenario or ())
    request = Request(file, named, changes, dropped, each, gap, time_limit, seed)
    return whatif_file(request, format_.value, table)


@app.command()
@ending
def compare(
    before: Annotated[str, typer.Argument(metavar="A", help="Saved plan, instance, or INSTANCE@SCENARIO.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The same; what is different in it is shown.")],
    gap: Gap = 1e-3,
    time_limit: Limit = 300.0,
    format_: Annotated[Format, typer.Option("--format", help="What stdout carries.")] = Format.TEXT,
    table: Annotated[str, typer.Option(help="Table for --format csv.", metavar="TABLE")] = "workflows",
) -> Exit:
    """Compare two plans, also of different instances."""
    from optimizer.cli.comparing import compare_files

    return compare_files(before, after, gap, time_limit, format_.value, table)


@app.command()
@ending
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
    cluster: Annotated[str | None, typer.Option(help="Dask scheduler.", metavar="tcp://HOST:PORT")] = None,
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


@app.command()
@ending
def schema() -> Exit:
    """Print the JSON Schema of an instance."""
    from optimizer.cli.reference import print_schema

    return print_schema()


@app.command()
@ending
def catalogue(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="GPU model, AI model or API price.")] = None,
    format_: Annotated[Document, typer.Option("--format")] = Document.TEXT,
) -> Exit:
    """Print what the catalogue holds, with sources."""
    from optimizer.cli.reference import print_catalogue

    return print_catalogue(name, as_json=format_ is Document.JSON)


@app.command()
@ending
def formulation(
    file: Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Instance whose rows are counted.")] = None,
    latex: Annotated[bool, typer.Option("--latex", help="A LaTeX document.")] = False,
    scenario: Scenario = None,
    set_: Set = None,
    drop: Drop = None,
) -> Exit:
    """Print the mathematics; with a file, the rows it yields."""
    from optimizer.cli.formulating import print_formulation

    return print_formulation(file, scenario, set_ or [], drop or [], latex=latex)


def run() -> None:
    """The entry point of the command."""
    app(prog_name="solvency")


if __name__ == "__main__":
    run()
