"""Equal specs are equal strings; seeds follow from what they are for."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.spec import canonical_json, derived_seed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(st.dictionaries(st.text(), VALUES, max_size=5))
def test_order_of_keys_does_not_matter(spec):
    assert canonical_json(spec) == canonical_json(dict(reversed(spec.items())))


@given(VALUES)
def test_canonical_json_says_the_same(value):
    assert json.loads(canonical_json(value)) == value


def test_swapped_values_are_another_spec():
    assert canonical_json({"a": 32, "b": 64}) != canonical_json({"a": 64, "b": 32})
    assert canonical_json({"b": {"d": 1, "c": [2, 1]}, "a": 0}) == '{"a":0,"b":{"c":[2,1],"d":1}}'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused(number):
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"nested": [number]})


@pytest.mark.parametrize("value", [{1, 2}, b"bytes", object()])
def test_values_that_are_no_json_are_refused(value):
    with pytest.raises(TypeError, match="not JSON serializable"):
        canonical_json(value)


def test_seeds_differ_by_seed_purpose_and_keys():
    uses = [
        (seed, purpose, keys)
        for seed in (1, 2)
        for purpose in ("lattices", "training")
        for keys in ({}, *({"net": net, "member": k} for net in ("CG", "UP") for k in range(50)))
    ]
    assert len({derived_seed(seed, purpose, **keys) for seed, purpose, keys in uses}) == len(uses)


def test_seed_does_not_depend_on_the_order_of_keys():
    assert derived_seed(1, "x", net="a", member=2) == derived_seed(1, "x", member=2, net="a")


def test_seed_has_64_bits_and_never_changes():
    assert derived_seed(20211129, "lattices", net="CG-1024-512", member=0) == 8185613437966956445
    assert any(derived_seed(seed, "x") >= 2**63 for seed in range(20))
    assert all(0 <= derived_seed(seed, "x") < 2**64 for seed in range(20))
