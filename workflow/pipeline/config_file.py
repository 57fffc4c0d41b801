"""Config files are data: what would run code, expand or be overlooked in one is refused.

Snakemake reads a config file through YTE, a template engine: if the file says ``__use_yte__``, the
Python code that it holds is run. So a config file is read here first.
"""

import reprlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from coarsegrain.errors import ConfigError
from coarsegrain.storage.refusal import one_line

# Ten times the shipped config with all its comments; reading so much takes half a second.
MOST_BYTES = 2**16
TEMPLATE = "__use_yte__"


def read_config_file(path: Path) -> Any:
    """Read a config file as plain YAML; what its values may be, ``validated`` says.

    Raises:
        ConfigError: the file is missing, too large, no YAML, holds a key twice, an alias or a tag,
            or is a template; a sentence names the file and, where there is one, the line.
    """
    name = _shown(path)
    try:
        if path.exists() and not path.is_file():
            raise ConfigError(f"{name} is no file; give a config file such as config.yaml.")
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError(f"there is no config file {name}.") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{name} is not valid YAML: it is not text in UTF-8.") from None
    except (OSError, ValueError) as error:  # ValueError: a path with a NUL
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"the config file {name} cannot be read: {reason}.") from None
    if len(text) > MOST_BYTES:
        raise ConfigError(
            f"{name} has more than {MOST_BYTES // 1024} kB, so it is no config file; "
            "config.yaml shows all keys that one may have."
        )
    try:
        content = _Loader(text).get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or "it holds characters that are not text"
        raise ConfigError(f"{name}{where} is not valid YAML: {one_line(why)}.") from None
    except RecursionError:
        raise ConfigError(f"{name} is nested too deeply; config.yaml has three levels.") from None
    if isinstance(content, dict) and TEMPLATE in content:
        raise ConfigError(
            f"{name} is a template ({TEMPLATE}): Snakemake runs the Python code in it. "
            "A config file of this workflow holds only values; write them out."
        )
    return content


class _Loader(yaml.SafeLoader):
    """YAML without aliases, without two keys of one name, and with errors that have a line."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: a few of aliases of aliases are gigabytes once they are followed."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            self._refuse("it uses an alias (*); write the value out", event.start_mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Build a value; PyYAML's own errors on a date such as 2026-13-01 have no line."""
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError) as error:
            self._refuse(f"a value makes no sense ({error})", node.start_mark)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse two equal keys, of which YAML would silently take the last."""
        if isinstance(node, yaml.MappingNode):
            known = set()
            for key, _ in node.value:
                if (key.tag, str(key.value)) in known:
                    self._refuse(f"it has the key {key.value!r} twice", key.start_mark)
                known.add((key.tag, str(key.value)))
        return super().construct_mapping(node, deep=deep)

    def _refuse(self, problem: str, mark: yaml.Mark) -> None:
        raise ConstructorError(None, None, problem, mark)


def _shown(path: Path) -> str:
    return str(path) if str(path).isprintable() else reprlib.repr(str(path))
