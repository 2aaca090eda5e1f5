"""The explanation as one document; its tables are data frames when asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "solvency/explanation/1"
EVIDENCE = ("method", "solves", "seconds")
TABLES: Mapping[str, tuple[str, ...]] = {
    "constraints": ("family", "row", "period", "unit", "capacity", "used", "slack", "slack_share", "full", "class",
                    "owner", "lot", "lots", "one_more_usd", *EVIDENCE),
    "limits": ("owner", "families", "periods", "lot", "declared", "decides", "promise", "usd_per_lot", "max_lots",
               "one_more_usd", "one_fewer_usd", "cannot_lose_one", "row_only_usd", "per_usd", "per_percent_usd",
               "net_usd", "curve", "next_increment", "saturates_at", "average_incremental_price", *EVIDENCE),
    "bundles": ("owners", "lots", "alone_usd", "together_usd", "usd_per_bundle", *EVIDENCE),
    "workflows": ("workflow", "verdict", "served_share", "value_usd", "not_eligible", "forced_share", "cost_usd",
                  "cannot", "cannot_because", "displaces", "could_share", "blocked_by", "break_even_factor",
                  "break_even_usd", "verified", "earns_usd", "may_fall_to_factor", "must_stay", "cheapest_change",
                  *EVIDENCE),
    "rents": ("workflow", "line", "period", "usd", "in_net", "note", "owners", "not_asked", *EVIDENCE),
    "tools": ("tool", "adopted", "net_usd", "no_other_way", *EVIDENCE),
    "offers": ("offer", "kind", "taken", "net_usd", "no_other_way", *EVIDENCE),
    "policies": ("family", "rows", "costs_usd", *EVIDENCE),
    "ties": ("change", "costs_usd", *EVIDENCE),
    "appendix": ("row", "unit", "final_value", "right_hand_side", "relaxation_price", "one_more_price",
                 "one_fewer_price", "degenerate"),
}  # fmt: skip

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What binds, what it is worth, who is next in line: every figure an interval [low, high] with its evidence.

    Positive is what the objective gains. An end that is None is not known; a figure that is None was not asked for
    in the time given, and then `partial` is true.
    """

    document: Document

    @property
    def status(self) -> str:
        """Of the plan that is explained."""
        return str(self.document["status"])

    @property
    def partial(self) -> bool:
        """Whether questions were left over when the time was up."""
        return bool(self.document["partial"])

    @property
    def constraints(self) -> pd.DataFrame:
        """Every named row and period with its class."""
        return self.frame("constraints")

    @property
    def limits(self) -> pd.DataFrame:
        """Owners of full rows: what a lot costs and earns, best first."""
        return self.frame("limits")

    @property
    def bundles(self) -> pd.DataFrame:
        """Lots that earn together and not alone."""
        return self.frame("bundles")

    @property
    def workflows(self) -> pd.DataFrame:
        """Why each workflow is funded, in part, or not."""
        return self.frame("workflows")

    @property
    def rents(self) -> pd.DataFrame:
        """Scarcity rent at the margin: the line of each income statement that a plan alone cannot fill."""
        return self.frame("rents")

    @property
    def tools(self) -> pd.DataFrame:
        """Tools with and without."""
        return self.frame("tools")

    @property
    def offers(self) -> pd.DataFrame:
        """Purchases, upgrades and APIs with and without."""
        return self.frame("offers")

    @property
    def policies(self) -> pd.DataFrame:
        """What each rule costs."""
        return self.frame("policies")

    @property
    def ties(self) -> pd.DataFrame:
        """Decisions that could as well be the other way."""
        return self.frame("ties")

    @property
    def appendix(self) -> pd.DataFrame:
        """Prices of the linear relaxation, which no whole-number program has."""
        return self.frame("appendix")

    @property
    def conflict(self) -> Document | None:
        """What cannot hold together, when nothing can, and how to repair it."""
        found: Document | None = self.document["conflict"]
        return found

    def frame(self, table: str) -> pd.DataFrame:
        """A fresh data frame of one table, which has its columns also where it has no lines."""
        import pandas as pd  # noqa: PLC0415  most of a second, which an explanation written as JSON never pays

        return pd.DataFrame(list(self.document[table]), columns=list(TABLES[table]))

    def to_json(self) -> str:
        """The document as JSON, full precision, nothing that is not JSON."""
        return json.dumps(self.document, indent=1, ensure_ascii=False, allow_nan=False)
