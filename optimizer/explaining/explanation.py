"""The explanation as one document; its tables are data frames when asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = "solvency/explanation/1"
TABLES = ("constraints", "limits", "bundles", "workflows", "rents", "tools", "offers", "policies", "ties",
          "appendix")  # fmt: skip

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
    def conflict(self) -> Document | None:
        """What cannot hold together, when nothing can, and how to repair it."""
        found: Document | None = self.document["conflict"]
        return found

    def frame(self, table: str) -> pd.DataFrame:
        """A fresh data frame of one table."""
        import pandas as pd  # noqa: PLC0415  most of a second, which an explanation written as JSON never pays

        return pd.DataFrame(list(self.document[table]))

    def to_json(self) -> str:
        """The document as JSON, full precision, nothing that is not JSON."""
        return json.dumps(self.document, indent=1, ensure_ascii=False, allow_nan=False)
