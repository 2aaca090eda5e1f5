"""Faults of instances given as text, and where they stand; § marks the place in an edited text."""

import pytest

from optimizer.instance import BadInput, parse
from optimizer.instance.document import compose


def faults_of(text: str) -> list[str]:
    """The faults of an instance given as text, each as it is printed."""
    document = compose(text, "f.yaml")
    with pytest.raises(BadInput) as raised:
        parse(document.data, document)
    return [str(fault) for fault in raised.value.faults]


def assert_stands_at_mark(text: str, expected: str) -> None:
    """The text has one fault, which begins as expected at the line and column of its mark, if it has one."""
    (found,) = faults_of(text.replace("§", ""))
    if "§" in text:
        before = text[: text.index("§")]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        assert found.startswith(f"f.yaml:{line}:{column}: {expected}"), found
    assert expected in found
    assert "\n" not in found
