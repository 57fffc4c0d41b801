"""The config as delivered is valid; every mistake in it is told in a sentence."""

import copy
import importlib.util
import json
import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from coarsegrain.errors import ConfigError
from pipeline.config import SCHEMA, validated

PROJECT = Path(__file__).resolve().parents[2]
PRESETS = sorted((PROJECT / "workflow/presets").glob("*.yaml"))
SHIPPED = yaml.safe_load((PROJECT / "config.yaml").read_text())
DELETE = object()


def edit(config, key, value):
    """Set, or ``DELETE``, the value at a dotted key."""
    *path, last = key.split(".")
    for name in path:
        config = config[name]
    if value is DELETE:
        del config[last]
    else:
        config[last] = value


def config(**edits):
    """The shipped config with edits; ``__`` for the dots of keys."""
    changed = copy.deepcopy(SHIPPED)
    for key, value in edits.items():
        edit(changed, key.replace("__", "."), value)
    return changed


def overlaid(base, preset):
    return base | {
        key: overlaid(base.get(key, {}), value) if isinstance(value, dict) else value
        for key, value in preset.items()
    }


def told(changed, **options):
    """The lines that a config is refused with."""
    with pytest.raises(ConfigError) as error:
        validated(changed, **options)
    return str(error.value).split("\n")


def leaves(values, prefix=""):
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name


def sections(values, prefix=""):
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield prefix + name
            yield from sections(value, f"{prefix}{name}.")


KEYS, SECTIONS = sorted(leaves(SHIPPED)), sorted(sections(SHIPPED))


def test_schema_is_a_schema_and_knows_every_key_of_the_shipped_config():
    Draft202012Validator.check_schema(SCHEMA)
    assert KEYS
    assert validated(SHIPPED) == SHIPPED


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_preset_over_the_shipped_config_is_valid(preset):
    laid = overlaid(SHIPPED, yaml.safe_load(preset.read_text()))
    assert validated(laid) == laid


def test_presets_are_there():
    assert {"paper", "smoke"} <= {path.stem for path in PRESETS}


def test_given_config_is_left_as_it_was():
    given_config = config(nets__l1="1e-5")
    before = copy.deepcopy(given_config)
    result = validated(given_config)
    result["nets"]["adam_betas"].append(1)
    assert given_config == before


def test_numbers_that_yaml_reads_as_text_are_numbers():
    text = "{l1: 1e-5, number: 1e4, epsilon: 1E-7, betas: [9e-1, 0.999], layers: [1e2, 64, 256]}"
    read = yaml.safe_load(text)
    assert isinstance(read["l1"], str)
    result = validated(
        config(
            nets__l1=read["l1"],
            lattices__critical__number=read["number"],
            nets__adam_epsilon=read["epsilon"],
            nets__adam_betas=read["betas"],
            nets__autoencoder_layers=read["layers"],
            lattices__steps="50",
        )
    )
    assert result["nets"]["l1"] == 1e-5
    assert result["nets"]["adam_epsilon"] == 1e-7
    assert result["nets"]["adam_betas"] == [0.9, 0.999]
    assert result["nets"]["autoencoder_layers"] == [100, 64, 256]
    assert result["lattices"]["critical"]["number"] == 10_000
    assert result["lattices"]["steps"] == 50


def test_equal_numbers_written_otherwise_give_the_same_spec():
    one = validated(config(nets__l1=0, members=3.0, nets__learning_rate=1))
    other = validated(config(nets__l1=0.0, members=3, nets__learning_rate=1.0))
    assert json.dumps(one) == json.dumps(other)


@pytest.mark.parametrize("whole", [None, [], "config", 3, [{"seed": 1}]])
def test_config_that_is_no_mapping_is_refused(whole):
    assert "the config is" in told(whole)[0]


@pytest.mark.parametrize("key", KEYS + SECTIONS)
def test_missing_key_is_told_with_the_place_of_its_default(key):
    changed = config()
    edit(changed, key, DELETE)
    (line,) = told(changed)
    assert line.startswith(f"{key} is missing")
    assert "config.yaml" in line


@pytest.mark.parametrize("key", SECTIONS)
@pytest.mark.parametrize(("value", "shown"), [(None, "empty"), (3, "3"), (["a"], "['a']")])
def test_section_that_is_none_is_told_with_its_keys(key, value, shown):
    changed = config()
    edit(changed, key, value)
    (line,) = told(changed)
    assert line.startswith(f"{key} is {shown}; it must be a section with the keys ")


WRONG_TYPES = [
    None,
    True,
    "word",
    {"a": 1},
    [1],
    [1, 2, 3, 4],
    math.nan,
    math.inf,
    -math.inf,
    "nan",
]


@pytest.mark.parametrize("key", KEYS)
def test_value_of_a_wrong_type_is_told_with_the_key_and_what_is_allowed(key):
    for value in WRONG_TYPES:
        if key == "results_dir" and isinstance(value, str):
            continue
        if value is True and described(key).get("type") == "boolean":
            continue
        changed = config()
        edit(changed, key, value)
        (line,) = told(changed)
        assert line.startswith(f"{key} is ")
        assert "; it must be " in line


# Of keys that the schema describes by more than a number's ends or a list of words.
OUT_OF_RANGE = {
    "results_dir": ["", "a b", "{wildcard}", "a\n", "-rf", "résultats", "~/x", "a:b", "x" * 1001],
    "L": [2, 7, 0, -32, 1026, 8.5],
    "lattices.steps": [0, -5, 1.5, "Auto"],
    "nets.autoencoder_layers": [[1, 2], [0, 1, 1], [1, 2.5, 1], ["a", 1, 1], "Auto"],
    "nets.adam_betas": [[0.9], [0.9, 1], [-0.1, 0.9], 0.9, [0.9, True], [0.9, math.nan]],
    "studies": [[], ["rbm", "rbm"], ["lattices"], "rbm", [3]],
    "rbm.hidden": [0, 65537, 1.5, "Auto"],
    "neuralrg.L": [2, 6, 12, 128, 8.5, "8"],
    "neuralrg.patches.depth": [0, 7, 1.5, "Auto"],
    "members_of": [{"thermometer": 1}, {"thermometer": 101}, {"thermometer": 2.5}],
    "variants": [{"A": {"L": 8}}, {"a b": {"L": 8}}, {"a": {}}, {"a": 3}],
    "sweeps": [{"A": {"L": [8]}}, {"a": {}}, {"a": {"L": 8}}, {"a": {"L": []}}],
}


def described(key):
    """What the schema says of a key."""
    found = SCHEMA
    for name in key.split("."):
        found = found["properties"][name]
    return found


def out_of_range(key):
    """Values just outside of what the schema allows."""
    told = described(key)
    if key in OUT_OF_RANGE:
        return OUT_OF_RANGE[key]
    if told.get("type") == "boolean":
        return [0, 1, "true", "yes"]
    if "enum" in told:
        return [f"{told['enum'][0]}s", str(told["enum"][-1]).upper()]
    step = 1 if told["type"] == "integer" else 1e-9
    beyond = {"minimum": -step, "maximum": step, "exclusiveMinimum": 0, "exclusiveMaximum": 0}
    ends = [told[end] + more for end, more in beyond.items() if end in told]
    assert ends, f"{key} has no ends: put values that must be refused into OUT_OF_RANGE"
    return [*ends, 1.5] if told["type"] == "integer" else ends


@pytest.mark.parametrize("key", KEYS)
def test_value_out_of_range_is_told_with_the_key_and_what_is_allowed(key):
    for value in out_of_range(key):
        changed = config()
        edit(changed, key, value)
        (line,) = told(changed)
        assert line.startswith(f"{key} is "), (value, line)
        assert "; it must be " in line


IN_RANGE = {
    "seed": [0, 2**32 - 1],
    "members": [2, 100],
    "L": [18, 1024],
    "jobs_per_gpu": [1, 16],
    "lattices.method": ["hybrid"],  # exact needs a smaller range of beta: below
    "lattices.shards": [1, 10000],
    "lattices.steps": [1, "auto"],
    "lattices.critical.beta": [0.01, 0.5999],
    "lattices.wide_range.beta_max": [0.6],
    "nets.l1": [0],
    "nets.adam_betas": [[0, 0]],
    "nets.autoencoder_layers": [[1, 1, 1], [1024, 1024, 1024]],
    "local_entropy.beta_max": [0.5999],
    "bootstrap_samples": [100],
    "results_dir": ["results", "/tmp/x/y", "/dev/shm/x", "x" * 200, "my-results/L_32", "a.b/c+d"],
}


@pytest.mark.parametrize("key", IN_RANGE)
def test_value_at_the_edge_of_the_range_is_valid(key):
    for value in IN_RANGE[key]:
        changed = config()
        edit(changed, key, value)
        validated(changed)


def test_exact_sampling_is_valid_where_it_ends():
    reach = {"lattices__wide_range__beta_max": 0.44, "local_entropy__beta_max": 0.44}
    assert validated(config(lattices__method="exact", **reach))["lattices"]["method"] == "exact"


COMBINATIONS = [
    (
        {"lattices__wide_range__beta_min": 0.5, "lattices__wide_range__beta_max": 0.1},
        ["lattices.wide_range.beta_min is 0.5", "beta_max is 0.1", "smaller"],
    ),
    (
        {"lattices__wide_range__beta_min": 0.1, "lattices__wide_range__beta_max": 0.1},
        ["lattices.wide_range.beta_min is 0.1", "smaller"],
    ),
    ({"local_entropy__beta_min": 0.55}, ["local_entropy.beta_min is 0.55", "beta_max is 0.5"]),
    (
        {"nets__autoencoder_layers": [256, 64, 1025]},
        ["nets.autoencoder_layers is [256, 64, 1025]", "L = 32", "at most L*L = 1024"],
    ),
    ({"L": 4, "nets__autoencoder_layers": [8, 17, 8]}, ["autoencoder_layers", "at most L*L = 16"]),
    ({"neuralrg__patches__depth": 4}, ["neuralrg.patches.depth is 4", "from 1 to 3"]),
    ({"rbm__kernel": 6, "rbm__exponents__L": 8}, ["rbm.kernel is 6", "4 x 4 units", "at most 4"]),
    (
        {"lattices__critical__number": 3, "nets__batch_size": 1},
        ["lattices.critical.number is 3", "0 for validation", "take more lattices"],
    ),
    (
        {"lattices__critical__number": 150, "nets__batch_size": 100},
        [
            "lattices.critical.number is 150",
            "leaves 96 for train",
            "nets.batch_size is 100",
            "at most 96",
        ],
    ),
    (
        {
            "lattices__wide_range__number": 150,
            "nets__batch_size": 10,
            "thermometer__batch_size": 100,
        },
        ["lattices.wide_range.number is 150", "thermometer.batch_size is 100"],
    ),
    (
        {
            "lattices__wide_range__number": 150,
            "nets__batch_size": 100,
            "thermometer__batch_size": 10,
        },
        ["lattices.wide_range.number is 150", "nets.batch_size is 100"],
    ),
    (
        {"lattices__method": "exact"},
        ["lattices.method is 'exact'", "L = 32, β = 0.6", 'use method="hybrid"'],
    ),
    (
        {"lattices__test_fraction": 0.9999, "nets__batch_size": 1, "thermometer__batch_size": 1},
        ["with test_fraction 0.9999", "0 for validation"],
    ),
]


@pytest.mark.parametrize(("edits", "fragments"), COMBINATIONS)
def test_impossible_combination_is_told_with_its_keys(edits, fragments):
    lines = told(config(**edits))
    for fragment in fragments:
        assert fragment in lines[0]


@pytest.mark.parametrize(
    ("path", "fragment"),
    [
        (".", "the project itself"),
        ("./", "the project itself"),
        ("/", "contains the project"),
        (str(PROJECT), "the project itself"),
        (str(PROJECT.parent), "contains the project"),
        ("..", "'..'"),
        ("results/../workflow", "'..'"),
        ("workflow", "workflow is a folder of the project"),
        (str(PROJECT / "workflow" / "results"), "workflow is a folder of the project"),
        ("./tests//x", "tests is a folder of the project"),
        ("envs/x", "envs is a folder"),
        ("docs", "docs is a folder"),
        ("profiles", "profiles is a folder"),
        ("benchmarks/a", "benchmarks is a folder"),
        (".git", ".git is a folder"),
        (".snakemake/x", ".snakemake is a folder"),
        ("config.yaml", "config.yaml is a file"),
        ("Snakefile/results", "Snakefile is a file"),
        ("/etc/coarsegrain", "/etc belongs to the system"),
        ("/usr/lib/x", "/usr belongs to the system"),
        ("/proc/1/x", "/proc belongs to the system"),
        ("/dev/sda/x", "/dev belongs to the system"),
    ],
)
def test_results_may_not_lie_among_the_sources(path, fragment):
    if not set(path) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/+-"):
        pytest.skip("this checkout's path has characters that results_dir may not have")
    (line,) = told(config(results_dir=path))
    assert line.startswith(f"results_dir is {path!r}, ")
    assert fragment in line


def test_results_behind_a_link_into_the_sources_or_the_system_are_refused(tmp_path):
    for target, fragment in ((PROJECT / "workflow", "workflow is"), (Path("/etc"), "/etc belongs")):
        (tmp_path / target.name).symlink_to(target)
        (line,) = told(config(results_dir=str(tmp_path / target.name / "x")))
        assert fragment in line


def test_results_dir_with_a_name_too_long_for_a_disk_is_refused():
    (line,) = told(config(results_dir="results/" + "x" * 201))
    assert line == "results_dir has a folder's name of more than 200 letters; shorten it."


def test_results_dir_is_returned_in_its_shortest_form():
    assert validated(config(results_dir="results//a/./b/"))["results_dir"] == "results/a/b"
    assert validated(config(results_dir="//tmp/a"))["results_dir"] == "/tmp/a"


def test_cuda_without_a_gpu_is_told(monkeypatch):
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    (line,) = told(config(device="cuda"))
    assert line.startswith("device is 'cuda', but torch finds no CUDA device")
    assert validated(config(device="cuda"), check_cuda=False)["device"] == "cuda"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    (line,) = told(config(device="cuda"))
    assert line.startswith("device is 'cuda', but CuPy, which computes there, is not installed")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    assert validated(config(device="cuda"))["device"] == "cuda"


@pytest.mark.parametrize(
    ("key", "suggestion"),
    [
        ("membres", "did you mean members?"),
        ("nets.epoch", "did you mean nets.epochs?"),
        ("lattices.critical.betas", "did you mean lattices.critical.beta?"),
        ("thermometer.test.lattice_per_beta", "thermometer.test.lattices_per_beta?"),
        ("adam_betas", "did you mean nets.adam_betas?"),
        ("nets.epochs.qqq", "known here are shallow, deep."),
    ],
)
def test_unknown_key_is_told_with_the_nearest_known_one(key, suggestion):
    changed = config()
    edit(changed, key, 1)
    (line,) = told(changed)
    assert line.startswith(f"{key} is no key of the config")
    assert suggestion in line


def test_key_with_dots_is_told_to_be_nested():
    (line,) = told(SHIPPED | {"lattices.critical.beta": 0.4})
    assert line.startswith("lattices.critical.beta is no key of the config")
    assert "nested" in line


@pytest.mark.parametrize("key", [1, None, True, "", "a\nb", 2.5])
def test_key_that_is_no_name_is_told_on_one_line(key):
    assert len(told(SHIPPED | {key: 1})) == 1


def test_all_problems_are_told_at_once_each_on_its_line():
    changed = config(
        members=1,
        lattices__critical__beta=0.7,
        nets__adam_betas=[2, 3],
        nets__l1=DELETE,
        thermometer=None,
        local_entropy__beta_min=0.55,
        results_dir="workflow",
    ) | {"spam": 1}
    starts = {
        "members is 1;", "lattices.critical.beta is 0.7;", "nets.adam_betas is [2.0, 3.0];",
        "nets.l1 is missing", "thermometer is empty;", "local_entropy.beta_min is 0.55",
        "results_dir is 'workflow'", "spam is no key",
    }  # fmt: skip
    lines = told(changed)
    assert len(lines) == len(starts)
    for start in starts:
        assert any(line.startswith(start) for line in lines), start


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["1e-5", "1e999", "auto", "10", 10**400, 2**64, 0.5, "cuda", "results/x"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(max_size=4) | st.integers() | st.none(), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.dictionaries(st.sampled_from(KEYS + SECTIONS), ANYTHING | st.just(DELETE), max_size=4))
def test_any_edit_gives_a_valid_config_or_sentences(edits):
    changed = config()
    for key, value in sorted(edits.items(), reverse=True):  # inner keys before their sections
        edit(changed, key, value)
    try:
        result = validated(changed, check_cuda=False)
    except ConfigError as error:
        sentences = str(error).split("\n")
    else:
        sentences = []
        assert json.loads(json.dumps(result, allow_nan=False)) == result
        assert validated(result, check_cuda=False) == result
    assert all(sentence.endswith((".", "?")) for sentence in sentences)


@settings(max_examples=100, deadline=None)
@given(ANYTHING)
def test_anything_else_is_refused_with_sentences(whole):
    told(whole)
