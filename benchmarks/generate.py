"""A random instance of a known size: `python -m benchmarks.generate M --seed 1 -o m.yaml`.

Size and seed decide every figure. A name that ends in .json is written as JSON, which loads much faster.
"""

from __future__ import annotations

import argparse
import json
import sys
from math import ceil
from pathlib import Path
from typing import TextIO

from ruamel.yaml import YAML

from benchmarks.generator.chance import Chance, rounded
from benchmarks.generator.fleet import Plain, gpu_usd_per_hour, gpus, offers, placed, pools, sites
from benchmarks.generator.serving import match, streams
from benchmarks.generator.silicon import ai_models
from benchmarks.generator.sizes import SIZES, Size
from benchmarks.generator.work import HOURS, REVIEW_USD, SKILL, apis, deployments, reference_usd, workflows


def instance(name: str, seed: int) -> Plain:
    """The instance of a size, as plain data."""
    return sized(SIZES[name], name, seed)


def sized(size: Size, name: str, seed: int) -> Plain:
    """An instance as large as asked for, under a name of its own."""
    chance = Chance(f"{name} {seed}")
    models = ai_models(size.models, chance)
    fleet = pools(size, chance)
    flows = streams(size, sites(size), models, chance)
    serving = match(size, fleet, models, flows, chance)
    reference = reference_usd(serving, models)
    work = workflows(size, fleet, flows, reference, chance)
    tools = _tools(size, work, chance)
    return {
        "schema": "solvency/1",
        "name": f"Generated {name}, seed {seed}",
        "note": f"Illustrative in every figure: python -m benchmarks.generate {name} --seed {seed}",
        "catalogue": "none",
        "horizon": {"start": "2027Q1", "periods": size.periods, "unit": "quarter", "discount_rate": 0.08},
        "sites": placed(size, fleet, chance),
        "gpus": gpus(),
        "pools": fleet,
        "deployments": deployments(serving, models),
        "apis": apis(work, reference, chance),
        "offers": offers(size, fleet, chance),
        "workflows": work,
        "tools": tools,
        "skills": {SKILL: {"hours": _hours(work, chance), "usd_per_hour": REVIEW_USD}},
        "resilience": {"recourse": "none"},
        "limits": _limits(size, fleet, chance),
        "change": {"usd_per_replica": 50},
        "options": {"headroom": 0.8},
    }


def write(document: Plain, file: TextIO, *, as_json: bool) -> None:
    """YAML, or JSON on one line."""
    if as_json:
        json.dump(document, file)
        return
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style, yaml.width = None, 120
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # declared as None
    yaml.representer.ignore_aliases = lambda _: True
    yaml.dump(document, file)


def main() -> None:
    """Write an instance to a file, or to the terminal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("-o", "--output", type=Path)
    args = parser.parse_args()
    document = instance(args.size, args.seed)
    if args.output is None:
        write(document, sys.stdout, as_json=False)
    else:
        with args.output.open("w") as file:
            write(document, file, as_json=args.output.suffix == ".json")


def _tools(size: Size, work: Plain, chance: Chance) -> Plain:
    """One tool per ten workflows, each needed by three of them."""
    found: Plain = {}
    for i in range(size.workflows // 10):
        name = f"tool-{i + 1:03d}"
        users = chance.some(list(work), 3)
        for w in users:
            work[w]["requires"] = sorted({*work[w].get("requires", ()), name})
        earned = sum(work[w]["demand"][0] * work[w]["value_usd"][1]["usd"] for w in users)
        found[name] = {
            "usd_per_period": rounded(chance.between(0.01, 0.06) * earned),
            "adopt_usd": rounded(chance.between(0.01, 0.05) * earned),
            "staff": {SKILL: chance.between(20, 100)},
        }
    return found


def _hours(work: Plain, chance: Chance) -> float:
    """People for 75 to 95 % of what all the work of the first period would take."""
    review = (w["demand"][0] * w["review"]["share"] * w["review"]["minutes"] / 60 for w in work.values())
    return rounded(chance.between(0.75, 0.95) * sum(review))


def _limits(size: Size, fleet: Plain, chance: Chance) -> Plain:
    """Money for APIs, tools, launches and what is bought; launches and portfolio."""
    quarter = gpu_usd_per_hour(fleet) * HOURS
    return {
        "spend": {
            "change": {
                "amount": rounded(chance.between(0.25, 0.4) * quarter),
                "terms": ["api_tokens", "launches", "tools", "purchases", "upgrades"],
            }
        },
        "launches": ceil(size.workflows / 6),
        "portfolio": ceil(0.8 * size.workflows),
    }


if __name__ == "__main__":
    main()
