"""The commands and their options; each command's work is imported when it is called, so that --help is instant."""

# ruff: noqa: PLC0415  a command imports its work when it is called; typer reads options off the signature

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli.ends import Exit, ending, steady, unwritten
from optimizer.cli.options import (
    Cluster,
    Document,
    Drop,
    File,
    Format,
    Gap,
    Limit,
    Output,
    Scenario,
    Seed,
    Set,
    Threads,
)
from optimizer.cli.variants import compare, sweep, whatif

app = typer.Typer(
    name="solvency",
    help="Which AI workflows survive the unit economics, on which hardware, when, and why.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


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
    cluster: Cluster = None,
    format_: Annotated[Format, typer.Option("--format", help="What stdout carries.")] = Format.TEXT,
    table: Annotated[str, typer.Option(help="Table for --format csv.", metavar="TABLE")] = "workflows",
) -> Exit:
    """Find the best plan, prove it, check it and say what it means."""
    from optimizer.cli.solving import Request, solve_file

    changed = (scenario, tuple(set_ or ()), tuple(drop or ()))
    request = Request(file, output, *changed, gap, time_limit, threads, seed, cluster)
    return solve_file(request, format_.value, table)


@app.command()
@ending
def explain(
    file: File,
    scenario: Scenario = None,
    set_: Set = None,
    drop: Drop = None,
    explain_time: Annotated[float, typer.Option(help="Seconds of wall clock for the questions.", min=0.0)] = 120.0,
    threads: Annotated[int, typer.Option(help="Questions asked at once.", min=1, max=1024)] = 2,
    seed: Seed = 0,
    format_: Annotated[Document, typer.Option("--format", help="What stdout carries.")] = Document.TEXT,
) -> Exit:
    """Say what limits the plan, what it is worth to fix, who is next in line and at what price."""
    from optimizer.cli.explaining import Request, explain_file

    request = Request(file, scenario, tuple(set_ or ()), tuple(drop or ()), explain_time, threads, seed)
    return explain_file(request, format_.value)


for command in (whatif, compare, sweep):
    app.command()(ending(command))


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
    steady()
    try:
        app(prog_name="solvency")
    except OSError as error:  # of --help and --version; commands have an end of their own
        raise SystemExit(unwritten(error)) from None


if __name__ == "__main__":
    run()
