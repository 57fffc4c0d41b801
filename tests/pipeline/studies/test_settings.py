"""What is read of a config is noted, and what a change touches."""

import pytest
from test_variants import config

from pipeline.studies.experiment import Experiment
from pipeline.studies.settings import WatchedConfig, touches

CONFIG = {"a": 1, "b": {"c": 2, "d": [3]}, "e": {}}


def test_settings_that_are_read_are_noted_by_dotted_key_sections_are_not():
    watched = WatchedConfig(CONFIG)
    with watched.noted() as outer:
        section = watched["b"]
        assert section["c"] == 2
        with watched.noted() as inner:
            assert {**watched["b"]} == {"c": 2, "d": [3]}
            assert watched["e"].get("f", 7) == 7
        assert "x" not in watched
    assert inner == {"b.c", "b.d", "e"}
    assert outer == {"b.c", "b.d", "e", "x"}
    watched.note({"a"})
    assert watched.read_so_far() == outer | {"a"}


@pytest.mark.parametrize(
    ("change", "read", "answer"),
    [
        ("b.c", {"b.c"}, True), ("b.c", {"b.d", "a"}, False), ("e.f", {"e"}, True),
        ("b", {"b.d"}, True), ("b.c", {"b.cc"}, False), ("b.c", set(), False),
    ],
)  # fmt: skip
def test_a_change_touches_a_setting_its_section_and_what_is_in_it(change, read, answer):
    assert touches([change], read) == answer


@pytest.mark.parametrize(
    "changes",
    [
        {"nets": {"l1": 1e-4}}, {"L": 12}, {"seed": 1}, {"members": 3},
        {"members_of": {"thermometer": 4}}, {"lattices": {"shards": 3, "test_fraction": 0.3}},
        {"nets": {"stopping": "plateau", "plateau": {"epochs": 3}}}, {"nets": {"map": "majority"}},
        {"thermometer": {"hidden": 8}}, {"local_entropy": {"beta_min": 0.03}},
        {"precision": "float64"},
    ],
)  # fmt: skip
def test_what_no_change_touches_is_the_same_as_if_all_recipes_were_compared(changes, monkeypatch):
    def tables():
        ((_, variant),) = Experiment(config(variants={"a": changes})).variants
        return variant.tables

    quick = tables()
    monkeypatch.setattr("pipeline.studies.study.touches", lambda changes, read: True)
    assert quick == tables()
