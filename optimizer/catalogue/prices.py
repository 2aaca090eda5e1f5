"""API list prices from the package genai-prices, offline, at the lengths of one's own calls."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

from optimizer.catalogue.names import UnknownName

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, PriceCalculation, Provider

PREFIX = "genai-prices:"


class NoPrice(ValueError):
    """A model that is known but whose price is zero or not recorded, so that nothing can be planned on it."""


@dataclass(frozen=True, slots=True)
class ApiPrice:
    """What a provider lists for calls of given lengths, in USD per million tokens."""

    usd_per_mtok_in: float
    usd_per_mtok_out: float
    usd_per_mtok_cached_in: float  # equals the input price where no discount is recorded
    source: str
    as_of: str


def api_price(ref: str, tokens_in: float, tokens_out: float, on: date | None = None) -> ApiPrice:
    """List price of `genai-prices:PROVIDER/MODEL` in the tier that calls of these lengths fall into.

    `tokens_in` are all input tokens of one call, cached ones included. Prices that change with the hour
    are taken at noon UTC of `on`, today by default. Raises `UnknownName` and `NoPrice`.
    """
    provider, model = _find(ref)
    day = on or datetime.now(UTC).date()
    sent, received = max(1, math.ceil(tokens_in)), max(1, math.ceil(tokens_out))
    fresh = _priced(provider, model, day, sent, received, cached=0)
    cached = _priced(provider, model, day, sent, received, cached=sent)
    price = ApiPrice(
        usd_per_mtok_in=_per_million(fresh.input_price, sent),
        usd_per_mtok_out=_per_million(fresh.output_price, received),
        usd_per_mtok_cached_in=_per_million(cached.input_price, sent),
        source=f"{_package()}, list price of {provider.id}/{model.id}",
        as_of=day.isoformat(),
    )
    _refuse_free(ref, price, tokens_out)
    return price


def _find(ref: str) -> tuple[Provider, ModelInfo]:
    from genai_prices import data_snapshot  # noqa: PLC0415  a third of a second, and most plans name few APIs

    providers = {provider.id: provider for provider in data_snapshot.get_snapshot().providers}
    wanted = PREFIX + ref.removeprefix(PREFIX)
    provider_id, _, model_ref = wanted.removeprefix(PREFIX).partition("/")
    provider = providers.get(provider_id)
    if provider is None:
        name = model_ref or provider_id
        offering = [known for known, seller in providers.items() if seller.find_model(name)]
        raise UnknownName("API price", wanted, [f"{PREFIX}{known}/{name}" for known in offering])
    model = provider.find_model(model_ref) if model_ref else None
    if model is None:
        raise UnknownName("API price", wanted, [f"{PREFIX}{provider_id}/{known.id}" for known in provider.models])
    return provider, model


def _priced(
    provider: Provider, model: ModelInfo, day: date, sent: int, received: int, *, cached: int
) -> PriceCalculation:
    from genai_prices import Usage  # noqa: PLC0415

    usage = Usage(input_tokens=sent, output_tokens=received, cache_read_tokens=cached)
    return model.calc_price(usage, provider, genai_request_timestamp=datetime.combine(day, time(12), UTC))


def _per_million(usd: Decimal, tokens: int) -> float:
    return float(usd * 1_000_000 / tokens)


def _refuse_free(ref: str, price: ApiPrice, tokens_out: float) -> None:
    if price.usd_per_mtok_in <= 0 or (tokens_out > 0 and price.usd_per_mtok_out <= 0):
        raise NoPrice(
            f"{ref}: no price above zero is recorded (free tier or unknown); "
            "state usd_per_mtok_in and usd_per_mtok_out in the instance"
        )


def _package() -> str:
    from genai_prices import __version__  # noqa: PLC0415

    return f"genai-prices {__version__}"
