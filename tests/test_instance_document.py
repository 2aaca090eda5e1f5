"""Text as plain data: YAML 1.2 scalars, positions, duplicates, aliases, broken files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimizer.instance.document import compose, scalar
from optimizer.instance.faults import BadInput, closest
from optimizer.instance.source import read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"), ("on", "on"), ("Yes", "Yes"), ("true", True), ("False", False), ("null", None), ("~", None),
        ("1e-6", 1e-6), ("260_000", 260_000), (".5", 0.5), ("1.", 1.0), ("-3", -3), ("+5", 5), ("0x1f", 31),
        ("0o17", 15), ("089", 89), ("2027-01-01", "2027-01-01"), ("12:30", "12:30"), ("2027Q1", "2027Q1"),
        ("1.2.3", "1.2.3"),
        ("1.2.", "1.2."), (".1.", ".1."), ("١", "١"), ("9" * 5000, "9" * 5000), ("0x" + "f" * 5000, "0x" + "f" * 5000),
        ("", None), ("-", "-"), ("1e5", 1e5), ("900k", "900k"), ("1_", 1),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


@given(st.text(max_size=12))
def test_any_plain_text_is_some_scalar(text: str) -> None:
    assert isinstance(scalar(text), str | int | float | None)


def test_quoted_numbers_stay_text() -> None:
    assert compose("a: '12'\nb: !!str 12\n").data == {"a": "12", "b": "12"}


def test_every_value_knows_its_line_and_column() -> None:
    document = compose("a:\n  b: [1, {c: 2}]\n")
    assert document.locate(("a", "b", 1, "c")) == (2, 14)
    assert document.locate(("a", "b", 1, "c"), key=True) == (2, 11)
    assert document.locate(("a", "b")) == (2, 6)
    assert document.locate(("a", "absent", "deeper")) == (1, 1)


def test_aliases_and_merge_keys_are_followed() -> None:
    data = compose("x: &x {p: 1, q: 2}\ny: {<<: *x, q: 3}\nz: {<<: [*x, {r: 4}]}\nw: *x\n").data
    assert data["y"] == {"p": 1, "q": 3}
    assert data["z"] == {"p": 1, "q": 2, "r": 4}
    assert data["w"] == data["x"]


def test_all_duplicate_keys_are_named_with_the_first_line() -> None:
    faults = compose("a: 1\nb: {c: 1,\n    c: 2}\na: 3\n", "f.yaml").faults
    assert [str(f) for f in faults] == [
        "f.yaml:3:5: duplicate key 'c' in b, first on line 2.",
        "f.yaml:4:1: duplicate key 'a', first on line 1.",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1, 2\nb: 3", "f.yaml:2:2: not valid YAML"),
        ("a: b: c", "f.yaml:1:5: not valid YAML: mapping values are not allowed here."),
        ("", "f.yaml: the file is empty."),
        ("# only a remark\n", "f.yaml: the file is empty."),
        ("a: *z", "f.yaml:1:4: alias *z names no finished anchor before it."),
        ("a: &a [*a]", "f.yaml:1:8: alias *a names no finished anchor before it."),
        ("--- 1\n--- 2\n", "f.yaml:2:1: a second document begins here"),
        ("? [a]\n: b", "f.yaml:1:3: a key must be plain text."),
        ("a: 1\nb: \x01", "f.yaml:2:4: not valid YAML"),
        ("a: {<<: 3}", "f.yaml:1:5: << merges mappings only."),
        ("[" * 80 + "]" * 80, "f.yaml:1:66: nested more than 64 deep."),
        ('a: "\\ud800"', "f.yaml:1:4: '\\ud800' holds half a character"),
    ],
)
def test_broken_text_is_one_located_fault(text: str, message: str) -> None:
    with pytest.raises(BadInput) as raised:
        compose(text, "f.yaml")
    (fault,) = raised.value.faults
    assert str(fault).startswith(message)
    assert "\n" not in str(fault)


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 9)]
    with pytest.raises(BadInput, match="aliases repeat more than"):
        compose("\n".join(lines))


def test_json_gives_the_same_data_and_positions(tmp_path: Path) -> None:
    data = {"a": {"b": [1, {"c": 2.5}]}, "d": "é\t\n", "e": None}
    file = tmp_path / "f.json"
    file.write_text(json.dumps(data, indent="\t"), encoding="utf-8")
    document = read(file)
    assert document.data == data
    assert document.locate(("a", "b", 1, "c")) == (6, 10)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a": 1,\n "a": 2}', ":2:2: duplicate key 'a', first on line 1."),
        (b'{"a": 1,\n}', ":2:1: not valid JSON"),
        (b"[" * 100_000, ":1:66: nested more than 64 deep"),
        (b'{"a": "\\ud83d\\ude80",\n "b": "\\ud800"}', ":2:7: '\\ud800' holds half a character"),
        (b'{"a":\n "\xff"}', ":2:3: byte 0xff is not UTF-8 text. Maybe save the file as UTF-8"),
    ],
)
def test_broken_json_is_located(tmp_path: Path, raw: bytes, message: str) -> None:
    file = tmp_path / "f.json"
    file.write_bytes(raw)
    try:
        faults = read(file).faults
    except BadInput as error:
        faults = error.faults
    assert [message in str(f) for f in faults] == [True]


def test_json_takes_long_numbers_as_text_and_halves_of_a_character_together(tmp_path: Path) -> None:
    file = tmp_path / "f.json"
    file.write_text('{"a": %s, "b": "\\ud83d\\ude80"}' % ("9" * 5000))
    assert read(file).data == {"a": "9" * 5000, "b": "\N{ROCKET}"}
    assert compose(file.read_text()).data == read(file).data


def test_missing_files_and_folders_are_faults(tmp_path: Path) -> None:
    for path, why in ((tmp_path / "none.yaml", "no such file"), (tmp_path, "is a directory")):
        with pytest.raises(BadInput, match=why) as raised:
            read(path)
        assert str(raised.value).startswith(f"{path}: cannot be read")


def test_hints_name_the_closest_word() -> None:
    assert closest("powr_mw", ["power_mw", "pue"]) == "power_mw?"
    assert closest("zebra", ["power_mw", "pue"]) == ""
