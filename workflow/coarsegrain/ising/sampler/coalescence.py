"""How long exact samples take: the length of a block, and where it would be too long.

The coupling time of the monotone heat bath was measured at L = 4 to 128
(docs/lab-notes/lattices.md). Below β_c = ln(1 + √2)/2 it grows like (β_c − β)⁻², up to some 4 L²
at β_c; above, all-up and all-down meet when one reverses its magnetization, for which two
interfaces of length L have to form.
"""

import math

import numpy as np
import numpy.typing as npt

from coarsegrain.ising.critical_point import BETA_CRITICAL
from coarsegrain.ising.sides import check_side

#: Longest expected run of one lattice that is begun: some 30 ms of one core at L = 32.
MAX_SWEEPS = 100_000


def block_sweeps(beta: float, L: int) -> int:
    """Sweeps of a block: about the mean coupling time, which is close to the cheapest choice.

    T = 1 + ⌈f(max(β_c − β, 0)) − f(β_c)⌉ with f(ε) = 1/(ε + 1/2L)²

    A block coalesces with a probability of 0.5 to 0.9 up to β_c, and less above, where longer
    blocks would not make runs shorter. The rule is part of what defines the bits of a sample. It
    uses additions, products and divisions only, and so is the same on every machine.

    Args:
        beta: inverse temperature, ≥ 0, J = k_B = 1.
        L: side of the lattice, even, 4 to 4096.
    """
    check_side(L)
    rounding = 0.5 / L
    near, far = max(BETA_CRITICAL - beta, 0.0) + rounding, BETA_CRITICAL + rounding
    return 1 + math.ceil(1.0 / (near * near) - 1.0 / (far * far))


def expected_sweeps(beta: float, L: int) -> float:
    """Sweeps that an exact sample takes, to a factor of about two.

    2.6 T eʸ (1 + y)^(−3/4), y = 2Lσ with Onsager's tension of an interface, σ = 2β + ln tanh β
    above β_c and 0 below. The power was fitted to measured coupling times.
    """
    y = 2 * L * max(2 * beta + math.log(math.tanh(beta)), 0.0) if beta > BETA_CRITICAL else 0.0
    return 2.6 * block_sweeps(beta, L) * math.exp(min(y, 700.0)) / math.pow(1 + y, 0.75)


def check_coalescence(betas: npt.NDArray[np.float64], L: int) -> None:
    """Raise ValueError if an exact sample at any β (n,) is expected to take over MAX_SWEEPS.

    The criterion looks at (β, L) alone. A run that has begun is never given up: leaving out slow
    ones would bias the rest.
    """
    hardest = int(betas.argmax())
    sweeps = expected_sweeps(float(betas[hardest]), L)
    if sweeps > MAX_SWEEPS:
        raise ValueError(
            f"betas[{hardest}]: exact sampling at L = {L}, β = {betas[hardest]} would take about "
            f"{sweeps:.1g} sweeps per lattice (at most {MAX_SWEEPS:,} are begun), because the "
            "coupling time explodes near and above β_c = 0.4407; "
            'use method="hybrid" there, or exact sampling at a smaller β or L.'
        )
