"""`solvency schema` and `solvency catalogue`: what can be looked up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict

from optimizer.catalogue.load import load_catalogue
from optimizer.catalogue.names import UnknownName
from optimizer.catalogue.prices import PREFIX, api_price
from optimizer.catalogue.types import AiModel, GpuModel
from optimizer.cli.ends import Exit
from optimizer.cli.inputs import refusal
from optimizer.instance import Instance
from optimizer.plan.figures import number, percent
from optimizer.plan.plan import jsonable
from optimizer.report.grids import Grid
from optimizer.report.text import Page, table

CALL = (1000, 1000)  # tokens in and out at which an API price is shown


def print_schema() -> Exit:
    """JSON Schema of an instance."""
    print(json.dumps(Instance.model_json_schema(), indent=1, ensure_ascii=False))
    return Exit.SOLVED


def print_catalogue(name: str | None, *, as_json: bool) -> Exit:
    """The whole catalogue in short, or one entry with the source of every figure."""
    known = load_catalogue()
    if name is None:
        _whole(known.gpus, known.models, as_json=as_json)
    elif name.startswith(PREFIX):
        _price(name, as_json=as_json)
    elif name in known.gpus or name in known.models:
        _entry(known.gpus[name] if name in known.gpus else known.models[name], as_json=as_json)
    else:
        close = UnknownName("", name, [*known.gpus, *known.models]).close
        raise refusal(None, f"the catalogue holds no '{name}'", close[0] if close else "")
    return Exit.SOLVED


def _whole(gpus: Mapping[str, GpuModel], models: Mapping[str, AiModel], *, as_json: bool) -> None:
    if as_json:
        entries = {"gpus": [asdict(gpu) for gpu in gpus.values()], "models": [asdict(m) for m in models.values()]}
        print(json.dumps(jsonable(entries), indent=1, ensure_ascii=False))
        return
    to = Page()
    table(_gpus(gpus), to)
    table(_models(models), to)
    to.print("\nEvery figure with its source: solvency catalogue NAME. API prices: solvency catalogue "
             f"{PREFIX}openai/gpt-5")  # fmt: skip


def _gpus(gpus: Mapping[str, GpuModel]) -> Grid:
    rows = tuple(
        (i, g.vendor, number(g.hbm_gb), number(g.bandwidth_tb_s), number(g.tflops.get("bf16")),
         number(g.tflops.get("fp8")), number(g.op_kw), str(g.gpus_per_node), g.cooling)
        for i, g in gpus.items()
    )  # fmt: skip
    columns = ("GPU model", "vendor", "HBM GB", "TB/s", "bf16 TF/s", "fp8 TF/s", "kW", "per node", "cooling")
    return Grid("GPU models (dense TFLOP/s; kW at the wall at full load)", columns, rows, left=2)


def _models(models: Mapping[str, AiModel]) -> Grid:
    rows = tuple(
        (i, number(m.params_b), number(m.active_params_b), m.attention, number(m.context_tokens),
         " ".join(m.precisions), ", ".join(f"{k} {percent(v)}" for k, v in list(m.quality.items())[:1]))
        for i, m in models.items()
    )  # fmt: skip
    columns = ("AI model", "params B", "active B", "attention", "context", "precisions", "quality")
    return Grid("AI models", columns, rows, left=1)


def _entry(entry: GpuModel | AiModel, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(jsonable(asdict(entry)), indent=1, ensure_ascii=False))
        return
    to = Page()
    to.print(f"{entry.id}: {entry.name}")
    to.print("\n".join(_figures(entry)), soft_wrap=True)


def _figures(entry: GpuModel | AiModel) -> Iterator[str]:
    for name, figure in entry.figures.items():
        dated = f", {figure.as_of}" if figure.as_of else ""
        yield f"{name}: {figure.value} {figure.unit} ({figure.grade}{dated})"
        yield f"    {figure.source}"
        if figure.note:
            yield f"    {figure.note}"


def _price(name: str, *, as_json: bool) -> None:
    try:
        price = api_price(name, *CALL)
    except (UnknownName, ValueError) as error:
        raise refusal(None, str(error)) from error
    if as_json:
        print(json.dumps(asdict(price), indent=1))
        return
    print(f"{name}: ${price.usd_per_mtok_in:g} per million tokens in, ${price.usd_per_mtok_out:g} out, "
          f"${price.usd_per_mtok_cached_in:g} cached in, at {CALL[0]} tokens in and {CALL[1]} out")  # fmt: skip
    print(f"    {price.source}, {price.as_of}")
