"""The documentation shows what the program prints, and names nothing that is not there."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from docs.refresh import TOP, blocks, masked, pages, run

BLOCKS = list(blocks())


@pytest.mark.parametrize(("page", "command", "shown"), BLOCKS, ids=[command for _, command, _ in BLOCKS])
def test_shown_output_is_real(page, command, shown):
    assert masked(run(command)) == masked(shown), f"{page.name} is stale: python -m docs.refresh"


@pytest.mark.parametrize("page", pages(), ids=lambda p: p.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


ABSOLUTE = re.compile(r"""(?<![\w.:/{}~-])/(?:Users|home|mnt|opt|root|srv|tmp|var|work)/\w""")
SHIPPED = (".py", ".md", ".yaml", ".toml", ".txt", ".csv", ".json")


def test_nothing_committed_leads_outside():
    """What is shipped holds no absolute path of a machine and nothing above the project; pins name no address."""
    for folder in ("optimizer", "docs", "tests", "benchmarks", "instances", "models"):
        for path in (TOP / folder).rglob("*"):
            if path.suffix in SHIPPED:
                text = path.read_text(errors="ignore")
                assert not ABSOLUTE.search(text), (path, ABSOLUTE.search(text))
    for name in ("constraints.txt", "pyproject.toml", "Makefile"):
        assert "://" not in (TOP / name).read_text(), name


def test_examples_work_from_an_empty_directory(tmp_path):
    """What the README runs is there without a checkout too."""
    call = [sys.executable, "-m", "optimizer.cli.main", "check", "instances/quickstart.yaml"]
    done = subprocess.run(call, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "the example that comes with solvency" in done.stderr
