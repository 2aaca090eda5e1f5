"""The five sizes of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Size:
    """How large an instance is; `endpoints` and `pairs` (workflow, endpoint) are what its random choices are cut to."""

    workflows: int
    periods: int
    sites: int
    models: int  # AI models
    gpus: int  # near enough: nodes of 8
    endpoints: int
    pairs: int

    @property
    def pools(self) -> int:
        """Four pools at each site."""
        return 4 * self.sites


SIZES = {
    "S": Size(20, 4, 3, 6, 472, 630, 1_080),
    "M": Size(60, 8, 4, 10, 672, 920, 5_000),
    "L": Size(200, 8, 6, 20, 1_736, 4_200, 17_000),
    "XL": Size(600, 12, 8, 40, 3_952, 11_800, 52_000),
    "XXL": Size(2000, 12, 12, 60, 7_240, 34_500, 175_000),
}
