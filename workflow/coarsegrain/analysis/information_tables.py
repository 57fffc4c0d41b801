"""Tables of mutual information and of total correlations, of whatever variables."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from coarsegrain.analysis.information_by_scale import Information
from coarsegrain.analysis.total_correlation import Shared

Labels = Mapping[str, Any]


def pair_table(
    labels: Labels, found: Mapping[str, Sequence[Information]], samples: int
) -> pd.DataFrame:
    """Mutual information of pairs, by the name of the variables.

    Args:
        labels: values of the first columns.
        found: by the name of the variables, of every scale.
        samples: how many.
    """
    rows = [
        {
            **labels,
            "scale": each.scale,
            "variables": name,
            "distance": each.distance,
            "information_nats": each.nats,
            "information_error": each.error,
            "null_nats": each.null,
            "null_error": each.null_error,
            "pairs": each.pairs,
            "samples": samples,
        }
        for name, by_scale in found.items()
        for each in by_scale
    ]
    return pd.DataFrame(rows)


def total_table(
    labels: Labels, found: Mapping[str, Shared], samples: int, *, upper_limit: bool
) -> pd.DataFrame:
    """Total correlations, or upper limits of them, by the name of the variables; see above."""
    rows = [
        {
            **labels,
            "variables": name,
            "total_nats": each.nats,
            "total_error": each.error,
            "upper_limit": upper_limit,
            "samples": samples,
        }
        for name, each in found.items()
    ]
    return pd.DataFrame(rows)
