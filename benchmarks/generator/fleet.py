"""Sites, pools and what can be bought for them."""

from __future__ import annotations

from typing import Any

from benchmarks.generator.chance import Chance, rounded
from benchmarks.generator.silicon import GPUS, LAYOUTS, SLICES
from benchmarks.generator.sizes import Size

Plain = dict[str, Any]
NODE = 8  # GPUs
PUE = 1.25
MWH = 1e-3  # kW to MW


def gpus() -> Plain:
    """Every GPU type, spelt out."""
    return {name: _gpu(name) for name in GPUS}


def sites(size: Size) -> list[str]:
    """Names of the sites."""
    return [f"site-{i + 1:02d}" for i in range(size.sites)]


def law(site: str) -> str:
    """Each site has a jurisdiction of its own."""
    return f"law-of-{site}"


def pools(size: Size, chance: Chance) -> Plain:
    """Four pools a site, of distinct GPU types and of log-normal sizes that add up to the size's GPUs."""
    types = [(s, gpu) for s in sites(size) for gpu in chance.some(list(GPUS), 4)]
    drawn = [chance.spread(1.0, 0.6) for _ in types]
    nodes = [max(1, round(d * size.gpus / NODE / sum(drawn))) for d in drawn]
    return {f"{s}-{gpu}": _pool(s, gpu, NODE * n) for (s, gpu), n in zip(types, nodes, strict=True)}


def placed(size: Size, fleet: Plain, chance: Chance) -> Plain:
    """Sites whose power carries 75 to 98 % of the full draw of their pools."""
    return {
        s: {
            "jurisdiction": law(s),
            "pue": PUE,
            "usd_per_mwh": chance.between(45, 130),
            "power_mw": rounded(chance.between(0.75, 0.98) * full_mw(s, fleet)),
        }
        for s in sites(size)
    }


def full_mw(site: str, fleet: Plain) -> float:
    """Draw of a site at the meter when every GPU works."""
    return sum((PUE * MWH * p["count"] * GPUS[p["gpu"]].op_kw for p in fleet.values() if p["site"] == site), 0.0)


def offers(size: Size, fleet: Plain, chance: Chance) -> Plain:
    """A purchase for each pool, with lead time and supply; two power upgrades a site."""
    found: Plain = {f"buy-{p}": _purchase(p, pool, chance) for p, pool in fleet.items()}
    for s in sites(size):
        for k in (1, 2):
            mw = rounded(chance.between(0.05, 0.15) * full_mw(s, fleet))
            price = rounded(mw * chance.between(1.5e6, 4e6))
            found[f"power-{s}-{k}"] = {
                "kind": "upgrade", "site": s, "power_mw": mw, "usd_per_lot": price, "lead": k,
                "residual_usd_per_lot": rounded(0.6 * price),
            }  # fmt: skip
    return found


def gpu_usd_per_hour(fleet: Plain) -> float:
    """What the whole fleet is worth per hour."""
    return sum((p["count"] * GPUS[p["gpu"]].usd_per_hour for p in fleet.values()), 0.0)


def _pool(site: str, gpu: str, count: int) -> Plain:
    running = rounded(0.15 * GPUS[gpu].usd_per_hour)
    cut = {"sharing": "partitioned"} if GPUS[gpu].cut else {}
    return {"site": site, "gpu": gpu, "count": count, "usd_per_gpu_hour": running, **cut}


def _purchase(pool: str, spec: Plain, chance: Chance) -> Plain:
    price = rounded(NODE * GPUS[spec["gpu"]].usd_per_hour * 8760 * chance.between(1.3, 1.9))
    return {
        "kind": "purchase", "pool": pool, "usd_per_lot": price, "lead": chance.choice((1, 1, 2)),
        "lots": chance.choice((1, 1, 2)), "max_lots": chance.choice((2, 3, 4)), "depreciation_per_year": 0.3,
    }  # fmt: skip


def _gpu(name: str) -> Plain:
    g = GPUS[name]
    cut: Plain = {
        "slices": {
            s: {"hbm_gb": rounded(share * g.usable_gb), "compute_share": share, "bandwidth_share": share}
            for s, share in SLICES.items()
        },
        "layouts": LAYOUTS,
    }
    return {
        "name": f"illustrative {g.hbm_gb:g} GB", "vendor": "none", "hbm_gb": g.hbm_gb, "usable_hbm_gb": g.usable_gb,
        "bandwidth_tb_s": g.tb_s, "tflops": {"bf16": g.tflops, "fp8": 2 * g.tflops}, "idle_kw": g.idle_kw,
        "op_kw": g.op_kw, "gpus_per_node": NODE, "scale_up_domain": NODE, "cooling": "air", **(cut if g.cut else {}),
    }  # fmt: skip
