"""Config validation: every problem told in a sentence, before any job starts.

The schema (``workflow/schemas/config.schema.json``) says what each key may be by itself;
``pipeline/combinations.py`` what keys may be together.
"""

import difflib
import json
import math
import os
import re
import reprlib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from coarsegrain.errors import ConfigError
from pipeline.combinations import Combination, combinations

PROJECT = Path(__file__).resolve().parent.parent.parent
SCHEMA: dict[str, Any] = json.loads((PROJECT / "workflow/schemas/config.schema.json").read_text())
# Folders of the project that results may not be mixed with; hidden ones are not named here.
SOURCES = ("workflow", "tests", "envs", "docs", "profiles", "benchmarks")
# PyYAML reads 1e-5 as text: a number needs a point and a signed exponent there.
NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")

# The shipped config has some 60 values, a sweep a few hundred; far more, or a text so long, nobody
# has meant.
MOST_VALUES = 5000
LONGEST_NAME = 60
# Where no user's results belong, also where one may write there; /dev/shm is a disk in memory.
SYSTEM = ("bin", "boot", "dev", "etc", "lib", "lib64", "proc", "sbin", "sys", "usr")
LONGEST_FOLDER = 200  # file systems take 255 bytes, and files inside get longer names

NUMBERS_ARE_FINITE = Draft202012Validator.TYPE_CHECKER.redefine(
    "number",
    lambda _, value: (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and (isinstance(value, int) or math.isfinite(value))
    ),
)
Validator = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator, type_checker=NUMBERS_ARE_FINITE
)


def validated(
    config: Any, *, check_cuda: bool = True, known: Collection[str] = ()
) -> dict[str, Any]:
    """Check the config and return it as plain nested dicts, with numbers of the right type.

    Args:
        config: what YAML or Snakemake read.
        check_cuda: also check that there is a GPU if ``device`` is ``cuda``.
        known: keys at the top whose values were found valid before, by themselves.
    Raises:
        ConfigError: one line for every problem: the key, its value, what is allowed.
    """
    if not isinstance(config, Mapping):
        raise ConfigError(
            f"the config is {_shown(config)}, not a list of `key: value` lines as in config.yaml."
        )
    if not _is_small(config):
        raise ConfigError(
            f"the config holds more than {MOST_VALUES} values, or itself; "
            "config.yaml shows all keys that it may have."
        )
    try:
        plain = _converted(config, SCHEMA)
        errors = list(_validator(frozenset(known)).iter_errors(plain))
    except (ValueError, OverflowError, RecursionError) as error:
        raise ConfigError(f"the config holds something too large to check ({error}).") from error
    sentences: dict[str, None] = {}  # in order, each once
    faulty: set[str] = set()
    for each in errors:
        for key, sentence in _told(each, plain):
            faulty.add(key)
            sentences[sentence] = None
    for keys, problem in _combinations():
        if keys == ("device",) and not check_cuda:
            continue
        if not any(f"{key}.".startswith(f"{bad}.") for key in keys for bad in faulty):
            told = problem(*(_value(plain, key) for key in keys))
            sentences |= {told: None} if told else {}
    if sentences:
        raise ConfigError("\n".join(sentences))
    plain["results_dir"] = _normal(plain["results_dir"])
    return dict(plain)


@cache
def _validator(known: frozenset[str]) -> Draft202012Validator:
    """Of the whole schema, but for the values of some keys at the top."""
    properties = SCHEMA["properties"] | dict.fromkeys(known & SCHEMA["properties"].keys(), True)
    validator: Draft202012Validator = Validator(SCHEMA | {"properties": properties})
    return validator


def _is_small(config: Any) -> bool:
    """Whether it holds no more values than one may check; the same list twice counts twice."""
    todo, values = [config], 0
    while todo and values <= MOST_VALUES:
        each = todo.pop()
        inside = each.values() if isinstance(each, Mapping) else each
        if isinstance(each, Mapping | list | tuple | set | frozenset):
            values += len(inside)
            todo.extend(islice(inside, MOST_VALUES))
    return values <= MOST_VALUES


def _converted(value: Any, schema: Mapping[str, Any]) -> Any:
    """A copy of ``value`` with numeric text as numbers, and ints and floats as the schema says."""
    if isinstance(value, Mapping):
        known = schema.get("properties", {})
        return {key: _converted(each, known.get(key, {})) for key, each in value.items()}
    kinds = {each["type"]: each for each in (schema, *schema.get("anyOf", ())) if "type" in each}
    if isinstance(value, list):
        items = kinds.get("array", {}).get("items", {})
        return [_converted(each, items) for each in value]
    if isinstance(value, bool) or not kinds.keys() & {"integer", "number"}:
        return value
    if isinstance(value, str) and NUMBER.fullmatch(value):
        value = float(value)
    if "integer" in kinds and isinstance(value, float) and value.is_integer():
        return int(value)
    if "number" in kinds and isinstance(value, int):
        return float(value) if abs(value) < 2**1023 else math.inf
    return value


def _told(error: ValidationError, config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """One error of the schema as (faulty key, sentence) pairs."""
    schema, path = SCHEMA, list[str]()
    for step in error.absolute_path:
        if "properties" not in schema:  # an entry of a list: tell about the whole list
            break
        schema = schema["properties"][step]
        path.append(str(step))
    key = ".".join(path)
    value = _value(config, key)
    known = schema.get("properties", {})
    if not known:
        yield key, f"{key} is {_shown(value)}; it must be {schema['allowed']}."
    elif not isinstance(value, Mapping):
        yield (
            key,
            f"{key} is {_shown(value)}; it must be a section with the keys {', '.join(known)}.",
        )
    elif error.validator == "required":
        for name in (name for name in known if name not in value):
            full = ".".join([*path, name])
            yield full, f"{full} is missing; config.yaml has its default (git diff config.yaml)."
    else:  # additionalProperties
        for name in (name for name in value if name not in known):
            plain = str(name).isprintable() and len(str(name)) <= LONGEST_NAME
            shown = name if plain else reprlib.repr(name)
            full = ".".join([*path, str(shown)])
            yield full, f"{full} is no key of the config; {_suggestion(str(name), path)}"


def _suggestion(name: str, path: list[str]) -> str:
    """The nearest key of the same section, or else of the whole config."""
    keys = list(_keys(SCHEMA))
    if "." in name and name in keys:
        return "its sections are nested, each on a line of its own, as in config.yaml."
    siblings = {key.split(".")[-1]: key for key in keys if key.split(".")[:-1] == path}
    for names in (siblings, {key.split(".")[-1]: key for key in keys}):
        nearest = difflib.get_close_matches(name[:LONGEST_NAME], names, n=1)
        if nearest:
            return f"did you mean {names[nearest[0]]}?"
    return f"known here are {', '.join(siblings)}."


def _keys(schema: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Every dotted key, sections included."""
    for name, each in schema.get("properties", {}).items():
        yield prefix + name
        yield from _keys(each, f"{prefix}{name}.")


def _value(config: Any, key: str) -> Any:
    """The value at a dotted key; the config itself for the empty one."""
    for name in key.split(".") if key else ():
        config = config[name]
    return config


def _shown(value: Any) -> str:
    return "empty" if value is None else reprlib.repr(value)


def _normal(path: str) -> str:
    """``results//a/./b/`` -> ``results/a/b``; Snakemake warns of the former."""
    return os.path.normpath(re.sub("/+", "/", path))


def _results_dir(path: str) -> str | None:
    told = f"results_dir is {path!r}, "
    if ".." in path.split("/"):
        return f"{told}but may not contain '..'; write it out."
    project = os.path.realpath(PROJECT)
    folder = os.path.realpath(_normal(path))  # of the workflow that imports this one, maybe
    if any(os.path.commonpath([each, folder]) == folder for each in (project, os.getcwd())):
        return f"{told}which is or contains the project itself; take a folder such as results/mine."
    inside = os.path.relpath(folder, project).split("/")[0]
    if inside in SOURCES or (inside.startswith(".") and inside != ".."):
        return f"{told}but {inside} is a folder of the project; take one such as results/mine."
    top = folder.split("/")[1]
    if top in SYSTEM and not folder.startswith("/dev/shm/"):
        return f"{told}but /{top} belongs to the system; take a folder of your own."
    if any(len(each) > LONGEST_FOLDER for each in folder.split("/")):
        return f"results_dir has a folder's name of more than {LONGEST_FOLDER} letters; shorten it."
    for each in (folder, *map(str, Path(folder).parents)):
        if os.path.isfile(each):
            return f"{told}but {os.path.basename(each)} is a file; take a folder."
    return None


def _device(name: str) -> str | None:
    if name != "cuda":
        return None
    try:
        from coarsegrain.device import missing_library  # this imports torch: it takes seconds

        missing = missing_library()
    except ImportError:  # Snakemake's own environment need not have it; the stage will ask again
        return None
    return f"device is 'cuda', but {missing}; take auto or cpu." if missing else None


def _combinations() -> Iterator[Combination]:
    yield ("results_dir",), _results_dir
    yield ("device",), _device
    yield from combinations()
