"""The defaults that every config is laid over: those of this checkout's ``config.yaml``."""

from collections.abc import Mapping
from typing import Any

from pipeline.config import PROJECT
from pipeline.config_file import read_config_file


def laid_over_defaults(config: Any) -> Any:
    """Fill in from ``config.yaml`` what ``config`` does not say, section by section.

    In this project's own folder that changes nothing: Snakemake has read the same file. A workflow
    that imports this one need only give the keys that it changes.

    Args:
        config: nested dicts; left as it is. Anything else is returned for ``validated`` to refuse.
    """
    if not isinstance(config, Mapping):
        return config
    from snakemake.utils import update_config

    whole = read_config_file(PROJECT / "config.yaml")
    update_config(whole, config)
    return whole
