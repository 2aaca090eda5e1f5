"""The optional second solver: the optimum of the first, plans given and taken, and a hand-over that loses nothing."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from fleet import fleet
from highspy import HighsModelStatus as Model
from scipy import sparse

from optimizer.engine import parts, proof, root
from optimizer.engine.cutting import cut_at_once
from optimizer.engine.highs import solve_program
from optimizer.engine.improve import Improver
from optimizer.engine.known import Known
from optimizer.engine.linear import relax
from optimizer.engine.messages import Incumbent, Message, Tick
from optimizer.engine.outcome import SolverError
from optimizer.engine.parts import search_near
from optimizer.engine.program import Floats, Program
from optimizer.engine.proof import proved_beside, proved_from
from optimizer.engine.rounding import Cuts
from optimizer.engine.scale import scale
from optimizer.engine.scip import Scip
from optimizer.engine.search import search
from optimizer.engine.solver import Control
from optimizer.engine.start import built

SEPARATORS = ("aggregation", "clique", "gomory", "impliedbounds", "intobj", "mcf", "mixing", "rlt", "zerohalf")
WITHOUT_ITS_OWN = {f"separating/{name}/freq": -1 for name in SEPARATORS} | {"presolving/maxrestarts": 0}


@pytest.fixture(scope="module")
def middle() -> Program:
    return scale(fleet(8, 14, 2, seed=4)).program


@pytest.fixture(scope="module")
def first(middle: Program) -> Floats:
    relaxed = relax(middle, control())
    assert relaxed is not None
    return next(built(middle, control(), relaxed))


def control(seconds: float = 60.0, gap: float = 1e-6, told: list[Message] | None = None) -> Control:
    return Control(time.monotonic() + seconds, threading.Event(), [].append if told is None else told.append, gap)


def facing(program: Program, maximise: bool) -> Program:
    sense = 1.0 if maximise else -1.0
    return replace(program, cost=sense * program.cost, offset=sense * program.offset, maximise=maximise)


@pytest.mark.parametrize("maximise", [True, False])
def test_both_solvers_reach_one_optimum(middle: Program, maximise: bool) -> None:
    program, told = facing(middle, maximise), list[Message]()
    scip = Scip(program, control(told=told), {})
    assert scip.run() in ("optimal", "gaplimit")
    x, bound = scip.plan(), scip.bound()
    verdict = search(program, control(), None)
    assert x is not None
    assert bound is not None
    assert verdict.x is not None
    assert program.violation(program.rounded(x)) <= 1e-6
    assert program.objective(x) == pytest.approx(program.objective(verdict.x), rel=1e-5)
    sense = 1.0 if maximise else -1.0
    assert sense * (bound - program.objective(verdict.x)) >= -1e-6 * abs(bound)
    incumbents = [each.x for each in told if isinstance(each, Incumbent)]
    assert all(program.gain(b, over=a) > 0 for a, b in pairwise(incumbents))
    assert all(sense * each.bound >= sense * bound - 1e-6 for each in told if isinstance(each, Tick) and each.bound)


@pytest.mark.parametrize("maximise", [True, False])
def test_a_plan_of_someone_else_is_taken_while_scip_runs(middle: Program, first: Floats, maximise: bool) -> None:
    program, told = facing(middle, maximise), list[Message]()
    known = Known(program)
    best = search(program, control(), None).x
    assert best is not None
    known.offer(best)
    scip = Scip(program, control(told=told), {"limits/nodes": 1}, known)
    scip.run()
    x = scip.plan()
    assert x is not None
    assert program.objective(x) == pytest.approx(program.objective(best), rel=1e-6)
    assert not [each for each in told if isinstance(each, Incumbent) and program.gain(best, over=each.x) < -1e-6]


def test_no_neighbourhood_leaves_its_model_behind(middle: Program, first: Floats, monkeypatch) -> None:
    """There are thousands, and the collector comes late."""
    models = []

    class Watched(Scip):
        def run(self) -> str:
            models.append(self.model)
            return super().run()

    monkeypatch.setattr(parts, "Scip", Watched)
    search_near(middle, control(), middle.period == 0, first)
    assert [model._freescip for model in models] == [False]


def test_a_plan_that_scip_refuses_is_offered_once(middle: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = np.full(middle.cost.size, 1e6 if middle.maximise else -1e6)
    made: list[Floats] = []
    scip = Scip(middle, control(), {"limits/nodes": 20}, having(middle, wrong))
    plain = scip._solution
    monkeypatch.setattr(scip, "_solution", lambda x: (made.append(x), plain(x))[1])
    scip.run()
    assert len(made) == 1


def test_rows_without_a_side_are_left_out(middle: Program) -> None:
    free = replace(
        middle, row_lower=np.full_like(middle.row_lower, -np.inf), row_upper=np.full_like(middle.row_upper, np.inf)
    )
    scip = Scip(free, control(), {})
    assert scip.run() in ("optimal", "unbounded", "inforunbd")


def test_scip_ends_when_told(middle: Program) -> None:
    hard = scale(fleet(40, 80, 3, seed=1)).program
    asked = control()
    threading.Timer(1.0, asked.stop.set).start()
    began = time.monotonic()
    assert Scip(hard, asked, {}, Known(hard)).run() == "userinterrupt"
    assert time.monotonic() - began < 10.0


def test_a_start_that_breaks_a_row_is_refused_and_costs_nothing(middle: Program) -> None:
    scip = Scip(middle, control(), {})
    scip.begin_from(np.full(middle.cost.size, 1e6))
    assert scip.run() in ("optimal", "gaplimit")


@pytest.mark.parametrize("installed", [True, False])
def test_a_neighbourhood_holds_all_else(middle: Program, first: Floats, installed: bool, monkeypatch) -> None:
    monkeypatch.setattr(parts, "INSTALLED", installed)
    free = ~middle.integer | (middle.period == 0)
    found = search_near(middle, control(), free, first)
    assert found.x is not None
    assert found.ended
    assert found.pivots > 0
    assert np.array_equal(found.x[~free], first[~free])
    assert middle.violation(found.x) <= 1e-6
    assert middle.gain(found.x, over=first) >= -1e-6


def test_either_solver_leads_a_neighbourhood_to_the_same_value(middle: Program, first: Floats, monkeypatch) -> None:
    free, values = ~middle.integer | (middle.period == 1), []
    for installed in (True, False):
        monkeypatch.setattr(parts, "INSTALLED", installed)
        x = search_near(middle, control(gap=1e-9), free, first).x
        assert x is not None
        values.append(middle.objective(x))
    assert values[0] == pytest.approx(values[1], rel=1e-6)


def test_improving_works_without_the_extra(middle: Program, first: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "INSTALLED", False)
    relaxed, known = relax(middle, control()), Known(middle)
    assert relaxed is not None
    known.offer(first)
    Improver(middle, relaxed.guide, known, 0).run(control(gap=1e-4), tries=6)
    assert known.x is not None
    assert middle.violation(known.x) <= 1e-6
    assert middle.gain(known.x, over=first) > 0


@pytest.mark.parametrize("maximise", [True, False])
def test_scip_cuts_with_what_it_is_given_and_keeps_every_plan(middle: Program, maximise: bool) -> None:
    program = facing(middle, maximise)
    cut, best = cut_at_once(program, control()), search(program, control(), None).x
    assert cut is not None
    assert best is not None
    assert cut.cuts.rhs.size
    assert (cut.cuts.matrix @ best <= cut.cuts.rhs + 1e-6).all()
    bounds = []
    for given in (False, True):
        scip = Scip(program, control(), {"limits/nodes": 1} | WITHOUT_ITS_OWN, heuristics="none")
        if given:
            scip.separate(cut.cuts)
        scip.begin_from(best)
        scip.run()
        x, bound = scip.plan(), scip.bound()
        assert x is not None
        assert bound is not None
        assert program.gain(x, over=best) >= -1e-6
        bounds.append(bound)
    lower, most = (-1.0 if maximise else 1.0), program.objective(best)
    assert lower * (bounds[1] - bounds[0]) > 1e-5 * abs(most)
    assert lower * (most - bounds[1]) >= -1e-6 * abs(most)


def test_a_cut_is_no_row_that_a_plan_must_keep(middle: Program, first: Floats) -> None:
    """Numerical dust in a cut must not refuse a plan that satisfies every row."""
    used = np.flatnonzero(middle.integer & (first > 0.5))[:1]
    wrong = sparse.csr_array((np.ones(1), (np.zeros(1, int), used)), (1, middle.cost.size))
    scip = Scip(middle, control(), {"limits/nodes": 1, "presolving/maxrounds": 0, "presolving/maxrestarts": 0})
    scip.separate(Cuts(wrong, first[used] - 0.5))
    scip.begin_from(first)
    scip.run()
    x = scip.plan()
    assert x is not None
    assert middle.gain(x, over=first) >= -1e-6


@pytest.mark.parametrize(("installed", "small"), [(True, True), (True, False), (False, True)])
def test_the_proof_ends_at_the_optimum_whoever_gives_it(
    middle: Program, first: Floats, installed: bool, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proof, "INSTALLED", installed)
    monkeypatch.setattr(proof, "LITTLE", middle.value.size if small else 0)
    monkeypatch.setattr(proof, "SOON_SECONDS", 0.0)  # the hand-over comes at once
    given: list[Cuts] = []
    monkeypatch.setattr(Scip, "separate", lambda self, cuts: given.append(cuts))
    best = search(middle, control(), None).x
    assert best is not None
    for verdict in (
        proved_beside(middle, control(), None, Known(middle)),
        proved_beside(middle, control(), first, Known(middle)),
        proved_from(middle, control(), first, having(middle, first)),
    ):
        assert verdict.ending == "optimal"
        assert verdict.x is not None
        assert middle.violation(verdict.x) <= 1e-6
        assert middle.objective(verdict.x) == pytest.approx(middle.objective(best), rel=1e-5)
    assert len(given) == (3 if installed and small else 0)


def having(program: Program, x: Floats) -> Known:
    known = Known(program)
    known.offer(x)
    return known


def test_what_scip_calls_infeasible_is_looked_at_again(middle: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proof.Scip, "run", lambda self: "infeasible")
    verdict = proof._by_scip(middle, control(gap=1e-3), Known(middle))
    assert verdict.ending == "optimal"
    none = replace(middle, row_upper=np.where(np.isfinite(middle.row_upper), -1e3, np.inf))
    assert proved_beside(none, control(), None, Known(none)).ending == "infeasible"


@pytest.mark.parametrize("installed", [True, False])
def test_the_root_bounds_what_is_there_to_be_had(
    middle: Program, first: Floats, installed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(root, "INSTALLED", installed)
    best, relaxed = search(middle, control(), None).x, relax(middle, control())
    assert best is not None
    assert relaxed is not None
    status, x, bound = root.at_root(middle, control(), first)
    assert status in (Model.kSolutionLimit, Model.kOptimal)
    assert x is not None
    assert bound is not None
    assert middle.objective(best) * (1 - 1e-7) <= bound <= middle.objective(relaxed.guide.x) * (1 + 1e-7)
    assert middle.gain(x, over=first) >= -1e-6


def test_a_word_of_scip_that_nobody_knows_is_an_error(middle: Program, first: Floats, monkeypatch) -> None:
    monkeypatch.setattr(root.Scip, "run", lambda self: "memlimit")
    with pytest.raises(SolverError, match="memlimit"):
        root.at_root(middle, control(), first)


def test_a_worker_alone_ends_as_soon_as_the_gap_is_closed() -> None:
    large = fleet(20, 50, 3, seed=2)
    assert large.worth_constructing
    outcome = solve_program(large, gap=5e-3, threads=1, time_limit=60)
    assert outcome.status == "optimal"
    assert outcome.gap is not None
    assert outcome.gap <= 5e-3 + 1e-7
    assert outcome.seconds < 60


def test_an_outcome_names_the_solvers_that_it_came_from() -> None:
    assert set(solve_program(fleet(3, 5, 2)).versions) == {"highs", "python", "scip"}
