"""What a task costs on each API, and which workflows may buy it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from optimizer.catalogue.names import UnknownName
from optimizer.catalogue.prices import NoPrice, api_price
from optimizer.formulation.data import ApiLimit, ApiPair, Candidate, Period, Variant
from optimizer.instance.calendar import Calendar
from optimizer.instance.faults import BadInput
from optimizer.instance.schema import Api, ApiPrice, Effect, Instance, Workflow
from optimizer.resolve import eligibility
from optimizer.resolve.faults import fault
from optimizer.resolve.fleet import laid
from optimizer.resolve.outcome import outcome
from optimizer.resolve.tokens import PLAIN, Tokens, good_mtok, tokens
from optimizer.resolve.tools import on_api
from optimizer.resolve.types import Drop, Ground, Use

PRICED_ON = date(2026, 11, 22)  # some list prices depend on the day; a plan must not
MTOK = 1e6
MINUTES_PER_HOUR = 60.0


class Offered(NamedTuple):
    """One call: money by period, and tokens in and out."""

    usd: Mapping[Period, float]
    into: float
    out: float


@dataclass
class Bought:
    """Pairs of workflows and APIs, their prices per attempt, and what was dropped."""

    pairs: dict[tuple[str, str], ApiPair] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    prices: dict[tuple[str, Use], Offered] = field(default_factory=dict)  # by API and use
    candidates: list[Candidate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def put(self, ground: Ground, a: str, use: Use, offered: Offered) -> None:
        """A pair: as many calls for each handled task as the yield on this API takes."""
        due = outcome(ground.instance.workflows[use.workflow], a)
        usd = {t: due.attempts * price for t, price in offered.usd.items()}
        self.prices[a, use] = offered
        self.pairs[use.workflow, a + use.suffix] = ApiPair(
            usd_per_task=usd,
            tokens_in=due.attempts * offered.into,
            tokens_out=due.attempts * offered.out,
            good_mtok=due.good * good_mtok(ground.instance.workflows[use.workflow]),
            requests=due.attempts,
            good=due.good,
            liability_usd=due.liability_usd,
            review_hours=due.review_hours,
        )
        if use.tools:
            self.variants[a + use.suffix] = Variant(a, use.tools)


def buy(ground: Ground) -> Bought:
    """Every workflow and API that may serve it, at the price of the workflow's own tokens per call."""
    bought = Bought()
    for a, api in ground.instance.apis.items():
        for w, workflow in ground.instance.workflows.items():
            if workflow.gpu_hours is not None or not workflow.value_usd:
                continue
            drop = _unfit(workflow, api, a, asked_for=w in api.prices)
            offered = {} if drop else dict(_offered(ground, a, w))
            for use, each in offered.items():
                bought.put(ground, a, use, each)
            if Use(w) not in offered:
                drop = drop or Drop("price", "no price for work without tokens")
                bought.candidates.append(Candidate(w, "", a, *drop))
    silent = [a for a, api in ground.instance.apis.items() if api.ttft_ms is None or api.tpot_ms is None]
    if silent and any(w.latency.model_fields_set for w in ground.instance.workflows.values()):
        bought.notes.append(f"latency of {', '.join(silent)} not fully stated: taken to meet every floor")
    return bought


def _offered(ground: Ground, a: str, w: str) -> Iterator[tuple[Use, Offered]]:
    """The plain call, and one with tools for each price stated so or declared effect that changes it."""
    plain = _call(ground, a, w, PLAIN)
    if plain is not None:
        yield Use(w), plain
    price = ground.instance.apis[a].prices.get(w)
    stated = price.tools if price else {}
    for name, each in stated.items():
        usd = None if each.usd_per_task is None else laid(ground.calendar, each.usd_per_task)
        if usd is not None:
            yield Use(w, tuple(name.split("+"))), Offered(usd, each.tokens_in or 0.0, each.tokens_out or 0.0)
    for tools, effect in on_api(ground, w, a):
        found = None if "+".join(tools) in stated else _call(ground, a, w, effect)
        if found is not None and found != plain:
            yield Use(w, tools), found


def _call(ground: Ground, a: str, w: str, effect: Effect) -> Offered | None:
    need = tokens(ground.instance.workflows[w], a, effect=effect)
    usd = _usd_per_task(ground, a, w, need)
    if usd is None:
        return None
    into, out, _ = need or Tokens(0.0, 0.0)
    return Offered(usd, into, out)


def limits(api: Api, calendar: Calendar) -> ApiLimit:
    """Quotas by period, and rate limits per hour."""
    rates = (api.tokens_per_minute, api.requests_per_minute)
    hourly = [None if rate is None else rate * MINUTES_PER_HOUR for rate in rates]
    quotas = [None if q is None else laid(calendar, q) for q in (api.tokens_per_period, api.requests_per_period)]
    return ApiLimit(quotas[0], quotas[1], hourly[0], hourly[1])


def _unfit(w: Workflow, api: Api, a: str, *, asked_for: bool) -> Drop | None:
    drop = eligibility.of_api(w, a, asked_for=asked_for) or eligibility.of_quality(w, api.quality)
    drop = drop or eligibility.of_residency(w, api.jurisdiction)
    for name, floor, value in (
        ("time to first token", w.latency.ttft_ms, api.ttft_ms),
        ("time per output token", w.latency.tpot_ms, api.tpot_ms),
    ):
        if drop is None and floor is not None and value is not None and value > floor:
            drop = Drop("latency", f"{name} in ms", value, floor)
    return drop


def _usd_per_task(ground: Ground, a: str, w: str, need: Tokens | None) -> dict[Period, float] | None:
    """Money per task by period: per task as stated, else by the workflow's own prices, the API's, or the list's."""
    api, calendar = ground.instance.apis[a], ground.calendar
    batch = ground.instance.workflows[w].served_as == "batch"
    factor = laid(calendar, api.price_factor, 1 - api.batch_discount if batch else 1.0)
    for stated in (api.prices.get(w), api):
        price = None if stated is None else _stated(stated, need, calendar)
        if price is not None:
            return {t: factor[t] * usd for t, usd in price.items()}
    if api.model is None or need is None:
        return None
    usd = _list_price(ground.instance, a, api.model, need)
    return {t: factor[t] * usd for t in factor}


def _stated(price: ApiPrice, need: Tokens | None, calendar: Calendar) -> Mapping[Period, float] | None:
    if price.usd_per_task is not None:
        return laid(calendar, price.usd_per_task)
    if need is None or price.usd_per_mtok_in is None or price.usd_per_mtok_out is None:
        return None
    into, out = laid(calendar, price.usd_per_mtok_in), laid(calendar, price.usd_per_mtok_out)
    cached = into if price.usd_per_mtok_cached_in is None else laid(calendar, price.usd_per_mtok_cached_in)
    fresh = need.into - need.cached
    return {t: (fresh * into[t] + need.cached * cached[t] + need.out * out[t]) / MTOK for t in into}


def _list_price(instance: Instance, a: str, name: str, need: Tokens) -> float:
    """Money for one call at the list price, tiers by the length of this very call."""
    try:
        price = api_price(name, need.into, need.out, PRICED_ON)
    except (UnknownName, NoPrice) as error:
        at = ("apis", a, "model")
        maybe = f"state usd_per_mtok_in and usd_per_mtok_out in apis.{a}"
        raise BadInput([fault(instance, at, f"apis.{a}.model: no list price for '{name}': {error}", maybe)]) from error
    fresh = (need.into - need.cached) * price.usd_per_mtok_in + need.cached * price.usd_per_mtok_cached_in
    return (fresh + need.out * price.usd_per_mtok_out) / MTOK
