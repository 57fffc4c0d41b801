"""Rule exact_points: inverse temperatures and slopes that are known exactly, without a sample."""

import pandas as pd

from coarsegrain.analysis.exact_points import (
    beta_of_largest_heat_capacity,
    slope_of_effective_beta,
)
from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.rg.flow_equation import fixed_point_of_effective_beta
from coarsegrain.storage.tables import write_table
from pipeline.stage import Output, Spec, run


def main(*, table: Output, spec: Spec) -> None:
    """Write the critical point, the peak of the heat capacity at L, and eq. 5's fixed point.

    Spec: L.
    """
    star = fixed_point_of_effective_beta()
    points = {
        "critical_beta": BETA_CRITICAL,
        "beta_of_largest_heat_capacity": beta_of_largest_heat_capacity(spec["L"]),
        "fixed_point_of_eq5": star,
        "slope_of_eq5_at_fixed_point": slope_of_effective_beta(star),
    }
    write_table(table, pd.DataFrame({"quantity": points.keys(), "value": points.values()}))


if __name__ == "__main__":
    run(main)
