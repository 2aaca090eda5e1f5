"""Options that commands share: one name, one meaning, one default everywhere."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from optimizer.cli import completing


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
Threads = Annotated[int | None, typer.Option(help="Threads of the solver; default: one per core.", min=1, max=1024)]
Seed = Annotated[int, typer.Option(help="Same seed, same plan, on one thread.", min=0, max=2**31 - 1)]
Cluster = Annotated[str | None, typer.Option(help="Dask scheduler.", metavar="tcp://HOST:PORT")]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Save the plan as JSON.", metavar="PLAN.json")]
