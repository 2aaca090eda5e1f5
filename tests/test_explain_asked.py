"""How an explanation is asked for and ended: arguments, scenarios, a token that cancels it."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import threading
import time

import pytest
from quick import ENTERPRISE, instance

from optimizer import BadInput, explain
from optimizer.explaining.explanation import TABLES
from optimizer.report.explained import sentences


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"threads": 0}, "threads is 0, must be a whole number from 1"),
        ({"threads": -1}, "threads is -1, must be a whole number from 1"),
        ({"explain_time": -1}, "explain_time is -1, must be a number from 0 on"),
        ({"explain_time": math.nan}, "explain_time is nan, must be a number from 0 on"),
        ({"explain_time": math.inf}, "explain_time is inf, must be a number from 0 on"),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_words(asked, said):
    with pytest.raises(BadInput) as refused:
        explain(instance(), **asked)
    assert said in str(refused.value)


def test_scenarios_come_one_after_the_other_as_in_a_solve():
    """The whole permit from the start, said twice: power earns nothing any more."""
    found = explain(instance(), scenario="early-permit+early-permit", explain_time=5).document
    assert found["scenario"] == "early-permit+early-permit"
    (power,) = [row for row in found["policies"] if row["family"] == "power_limit"]
    assert power["costs_usd"] == [0.0, 0.0]


def test_a_token_ends_the_questions_and_what_was_found_is_marked():
    """It is set with the first answer, so that the base is there and the rest is left out."""
    cancel = threading.Event()
    found = explain(instance(), explain_time=60, threads=1, cancel=cancel, progress=lambda *_: cancel.set())
    assert (found.status, found.partial) == ("interrupted", True)
    assert found.document["objective_usd"] == pytest.approx(429_732.672)
    assert 1 <= found.document["questions"] < 5
    assert found.document["skipped"]
    assert any(text.startswith("Interrupted: 1 ") for _, text in sentences(found.document))


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_with_130(sent):
    words = [sys.executable, "-m", "optimizer.cli.main", "explain", str(ENTERPRISE), "--explain-time", "12"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        time.sleep(4)
        running.send_signal(sent)
        began = time.monotonic()
        running.communicate(timeout=30)
    assert running.returncode == 130
    assert time.monotonic() - began < 5


def test_frames_have_their_columns_where_nothing_is_there():
    """The whole power from the start and GPUs for everybody: nothing is full."""
    roomy = ("sites.ashburn.power_mw=1", "pools.*.count=160")
    found = explain(instance(), set=roomy, explain_time=5)
    assert found.document["limits"] == []
    assert list(found.limits.owner) == list(found.bundles.owners) == []
    assert "change" in found.ties.columns
    assert {"relaxation_price", "degenerate"} <= set(found.appendix.columns)


def test_every_column_of_a_document_is_in_its_frame():
    found = explain(instance(), explain_time=10)
    for table, columns in TABLES.items():
        for row in found.document[table]:
            assert set(row) <= set(columns), table
    assert "sort" not in found.limits.columns
    assert found.limits.one_more_usd.map(lambda ends: ends[0]).is_monotonic_decreasing
