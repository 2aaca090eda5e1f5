"""Who may be served by what: streams of work, deployments, and which of them suit each other."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.generator.chance import Chance, rounded
from benchmarks.generator.fleet import Plain
from benchmarks.generator.silicon import CEILING, AiModel, Config, configs
from benchmarks.generator.sizes import Size

TPOT_MS = (30.0, 60.0, 120.0, 400.0)
CONTEXT = 3000.0  # tokens, median
ALONE = 0.15  # share of workflows with replicas of their own
LEAST = 6  # deployments that a workflow keeps, however many are cut

Pools = list[str]
Models = Mapping[str, AiModel]


@dataclass(frozen=True, slots=True)
class Stream:
    """What a workflow asks of those who serve it."""

    id: str
    tokens_in: float
    tokens_out: float
    tpot_ms: float
    sites: tuple[str, ...]
    models: tuple[str, ...]
    isolated: bool

    def tpot(self, config: Config, model: AiModel) -> float:
        """Time per output token in ms."""
        return rounded(config.step_ms(model, self.tokens_in + self.tokens_out / 2))

    def rate(self, config: Config, model: AiModel) -> float:
        """Tasks per hour of one replica."""
        return config.tasks_per_hour(model, self.tokens_in, self.tokens_out)


@dataclass(frozen=True)
class Use:
    """A workflow on a deployment, wherever its data may be."""

    stream: Stream
    config: Config
    pools: Pools


@dataclass(frozen=True)
class Serving:
    """Deployments with their pools, and who uses them: shared ones, and those of isolated workflows."""

    shared: Mapping[Config, Pools]
    uses: Mapping[str, Sequence[Use]]  # by workflow


def streams(size: Size, sites: Sequence[str], models: Models, chance: Chance) -> list[Stream]:
    """As many as the size says."""
    alone = set(chance.some(range(size.workflows), round(ALONE * size.workflows)))
    return [_stream(f"flow-{i + 1:04d}", i in alone, sites, list(models), chance) for i in range(size.workflows)]


def match(size: Size, fleet: Plain, models: Models, flows: Sequence[Stream], chance: Chance) -> Serving:
    """Two to five deployments for each AI model and pool, and who uses them, cut to the size's endpoints and pairs."""
    shared, every = _drawn(fleet, models, chance), _every(fleet, models)
    together = {flow.id: list(_suited(flow, shared, fleet, models)) for flow in flows if not flow.isolated}
    alone = {flow.id: list(_suited(flow, every, fleet, models)) for flow in flows if flow.isolated}
    kept = _cut(together, size.pairs - max(size.endpoints - _endpoints(together), 0), chance)
    own = _cut(alone, size.endpoints - _endpoints(kept), chance)
    return Serving(shared, {**kept, **own})


def _endpoints(uses: Mapping[str, Sequence[Use]]) -> int:
    return len({(use.config, p) for each in uses.values() for use in each for p in use.pools})


def _stream(name: str, isolated: bool, sites: Sequence[str], models: Sequence[str], chance: Chance) -> Stream:
    context = min(chance.spread(CONTEXT, 0.6), CEILING - 100.0)
    out = round(context * chance.between(0.06, 0.25))
    first, count = chance.randrange(len(models)), chance.randint(1, 4)
    first = min(first, len(models) - count)
    return Stream(
        id=name,
        tokens_in=float(round(context) - out),
        tokens_out=float(out),
        tpot_ms=chance.choice(TPOT_MS),
        sites=tuple(chance.some(sites, chance.randint(2, 5))),
        models=tuple(models[first : first + count]),
        isolated=isolated,
    )


def _drawn(fleet: Plain, models: Models, chance: Chance) -> dict[Config, Pools]:
    found: dict[Config, Pools] = defaultdict(list)
    for pool, spec in fleet.items():
        for name, model in models.items():
            for config in chance.some(configs(name, model, spec["gpu"]), chance.randint(2, 5)):
                found[config].append(pool)
    return dict(sorted(found.items()))


def _every(fleet: Plain, models: Models) -> dict[Config, Pools]:
    found: dict[Config, Pools] = defaultdict(list)
    for pool, spec in fleet.items():
        for name, model in models.items():
            for config in configs(name, model, spec["gpu"]):
                found[config].append(pool)
    return dict(sorted(found.items()))


def _suited(flow: Stream, offered: Mapping[Config, Pools], fleet: Plain, models: Models) -> Iterator[Use]:
    """Deployments good and quick enough, on the pools where the data may be."""
    for config, pools in offered.items():
        if config.model in flow.models and flow.tpot(config, models[config.model]) <= flow.tpot_ms:
            admitted = [p for p in pools if fleet[p]["site"] in flow.sites]
            if admitted:
                yield Use(flow, config, admitted)


def _cut(suited: Mapping[str, list[Use]], pairs: int, chance: Chance) -> dict[str, list[Use]]:
    """The same share of each workflow's deployments, so that they and their pools come to the number wanted."""
    there = sum(len(use.pools) for uses in suited.values() for use in uses)
    share = min(pairs / there, 1.0)
    return {w: chance.some(uses, max(round(share * len(uses)), LEAST)) for w, uses in suited.items()}
