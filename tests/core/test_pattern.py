from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igoudar.core.errors import ConfigError
from igoudar.core.pattern import expand, parse_pattern, parse_template

names = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True)
runs = st.tuples(st.integers(0, 20), st.integers(0, 12), st.integers(1, 3))


def refusal(text, where):
    try:
        assert all(isinstance(name, str) for name in expand(text, where))
    except ConfigError as error:
        return error
    return None


def test_letters_numbers_and_lists_make_their_product():
    assert list(expand("hall-{a..b}/rack-{01..03}")) == [
        f"hall-{h}/rack-0{r}" for h in "ab" for r in (1, 2, 3)
    ]
    assert list(expand("{side:left,right}-{9..11}"))[:4] == ["left-9", "left-10", "left-11", "right-9"]


def test_a_name_without_braces_stands_for_itself():
    assert list(expand("grid")) == ["grid"]


def test_a_variable_is_bound_once_and_used_in_other_fields():
    pattern = parse_pattern("pdu-{row:a..b}{rack:01..02}-{feed:a,b}")
    subject = parse_template("{row}{rack}", pattern.variables)
    address = parse_template("10.{row%9}.{rack%99}.{feed%2}", pattern.variables)
    rows = [(pattern.template(b), subject(b), address(b)) for b in pattern.bindings()]
    assert rows[:3] == [
        ("pdu-a01-a", "a01", "10.1.1.1"),
        ("pdu-a01-b", "a01", "10.1.1.2"),
        ("pdu-a02-a", "a02", "10.1.2.1"),
    ]
    assert len(rows) == 8


def test_groups_count_from_one():
    pattern = parse_pattern("{n:01..17}")
    group = parse_template("{n/8}.{n%8}", pattern.variables)
    shown = [group(b) for b in pattern.bindings()]
    assert (shown[0], shown[7], shown[8], shown[16]) == ("1.1", "1.8", "2.1", "3.1")


@given(st.lists(runs, min_size=1, max_size=3))
def test_as_many_names_as_the_product_each_once_and_of_even_width(spans):
    text = "/".join(f"{{{low:0{width}}..{low + more:0{width}}}}" for low, more, width in spans)
    found = list(expand(text))
    assert len(found) == prod(more + 1 for _, more, _ in spans)
    assert len(set(found)) == len(found)
    first = "/".join(f"{low:0{width}}" for low, _, width in spans)
    assert found[0] == first


@given(names, st.integers(1, 50), st.integers(1, 60))
def test_group_and_place_give_the_number_back(name, count, size):
    pattern = parse_pattern(f"{{{name}:1..{count}}}")
    template = parse_template(f"{{{name}/{size}}} {{{name}%{size}}} {{{name}}}", pattern.variables)
    for binding in pattern.bindings():
        group, place, number = map(int, template(binding).split())
        assert (group - 1) * size + place == number
        assert 1 <= place <= size


@given(st.text(alphabet="{}ab01.,:/%- ", max_size=20))
def test_any_text_expands_or_is_a_named_error(text):
    problem = refusal(text, "f.toml: racks[1].name")
    assert problem is None or (problem.where == "f.toml: racks[1].name" and problem.fix)


@pytest.mark.parametrize(
    "text", ["{", "a}", "{}", "{5..1}", "{a..D}", "{a,,b}", "{a,a}", "{x}", "{n:1..2}{n:1..2}"]
)
def test_nonsense_is_refused(text):
    with pytest.raises(ConfigError):
        list(expand(text))


@pytest.mark.parametrize("text", ["{1..9999999}", "{1..9999}{1..9999}", "{0..200000}"])
def test_a_slip_of_zeros_does_not_fill_the_memory(text):
    with pytest.raises(ConfigError, match="200,000"):
        expand(text)


def test_a_wrong_variable_names_the_nearest():
    with pytest.raises(ConfigError, match="nearest known variable is 'position'"):
        parse_template("{positon}", {"position": (), "hall": ()})
