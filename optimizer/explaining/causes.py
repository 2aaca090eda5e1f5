"""Why a workflow cannot be forced in: it does not fit alone, or not beside what must be kept; and which rule it is."""

from __future__ import annotations

from dataclasses import dataclass

from optimizer.asking.asker import Asker
from optimizer.asking.changes import forced, freed, rows_of
from optimizer.engine.solver import Control
from optimizer.explaining.infeasible import Doubt
from optimizer.explaining.study import PRIVATE
from optimizer.explaining.workflows import Flow, Reasons, force
from optimizer.plan.studies import fits


@dataclass(frozen=True)
class Causes:
    """The workflows that were proved impossible to force in, and the time to say why."""

    why: Reasons
    asker: Asker
    control: Control

    def found(self) -> dict[str, str]:
        """By workflow, those that there was time for."""
        impossible = [f for f in self.why.short() if (worth := self.asker.answers.get(force(f))) and worth.infeasible]
        said = {f.of.id: self._cause(f) for f in impossible if not self.control.over}
        return {w: cause for w, cause in said.items() if cause}

    def _cause(self, f: Flow) -> str | None:
        if f.verdict == "none":
            fit, reason = fits(self.why.study.data, self.control.deadline, self.control.stop)(f.of.id)
            if fit is False:
                return reason
        names = self._in_the_way(f)
        if self.control.over:
            return None
        return f"it fits only without {' or '.join(names)}" if names else "no single rule is in its way"

    def _in_the_way(self, f: Flow) -> list[str]:
        """Families without any one of which it could be served as much as is asked for."""
        study, doubt = self.why.study, Doubt(self.why.study, self.control)
        program = forced(study.program, f.of, f.target)
        rules = [
            each.name for each in study.stated.families
            if each.kind != "link" and each.name not in PRIVATE and study.stated.rows[each.name]
        ]  # fmt: skip
        rows = {name: rows_of(program, name) for name in rules}
        return [name for name in rules if not self.control.over and doubt.holds(freed(program, rows[name]))]
