"""Slurm's short forms for nodes and tasks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.control.actuation.schedulers.slurm.hostlist import nodes, tasks


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("gpu01", ("gpu01",)),
        ("gpu[01-03,7],login", ("gpu01", "gpu02", "gpu03", "gpu7", "login")),
        ("r[1-2]n[08-09]", ("r1n08", "r1n09", "r2n08", "r2n09")),
        ("dgx-a[100-101].lab", ("dgx-a100.lab", "dgx-a101.lab")),
    ],
)
def test_a_host_list_becomes_names(text: str, names: tuple[str, ...]) -> None:
    assert nodes(text) == names


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", (0, None)), ("0-3,7", (5, None)), ("1-10%2", (10, 2)), ("0-9:3", (4, None)), ("5", (1, None))],
)
def test_an_array_expression_is_counted(text: str, expected: tuple[int, int | None]) -> None:
    assert tasks(text) == expected


@pytest.mark.parametrize("text", ["gpu[1-x]", "n[1-999999999]", "n[]", "n[1-99999,1-99999]"])
def test_a_list_that_nobody_could_mean_is_an_error_and_fills_no_memory(text: str) -> None:
    with pytest.raises(ValueError, match=r"range|stands for"):
        nodes(text)


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    try:
        nodes(text)
        tasks(text)
    except ValueError:
        return
