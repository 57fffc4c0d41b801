"""ln ξ as a smooth function of the coupling, from correlation lengths measured at a few of them.

A polynomial in ln K is fitted to measured ln ξ by weighted least squares. It is written in
polynomials that are orthogonal on the points with their weights 1/σ² (G. E. Forsythe, J. SIAM 5,
74 (1957)): p_{k+1}(x) = (x − a_k) p_k(x) − b_k p_{k−1}(x). Then no equations are solved,

    c_k = Σ w y p_k / Σ w p_k²,

and the errors of the c_k are independent, with variances 1/Σ w p_k². Sums are in the order of the
points (exactly rounded for the fit); logarithms are the C library's.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coarsegrain.jit import kernel

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MeasuredLogLength:
    """A smooth curve through measured ln ξ. Beyond the ends of its K it goes on as a straight line.

    Attributes:
        ends: (2,) ln K of the first and last point.
        shifts: (degree,) the a_k.
        ratios: (degree,) the b_k.
        coefficients: (degree + 1,) the c_k.
        variances: (degree + 1,) theirs.
        chi_squared: of the fit.
        freedom: points less coefficients.
    """

    ends: FloatArray
    shifts: FloatArray
    ratios: FloatArray
    coefficients: FloatArray
    variances: FloatArray
    chi_squared: float
    freedom: int

    def __call__(self, K: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """ln ξ and d ln ξ/dK at couplings K (n,), above 0."""
        couplings = np.asarray(K, dtype=np.float64)
        values, slopes = np.empty(len(couplings)), np.empty(len(couplings))
        _evaluate(couplings, self.ends, self.shifts, self.ratios, self.coefficients, values, slopes)
        return values, slopes

    def error_of_coupling(self, K: npt.ArrayLike, after: npt.ArrayLike) -> FloatArray:
        """Standard error of the K' at which ξ(K') = ξ(K)/b, from those of the measured lengths.

        With f the curve, f(K') − f(K) = −ln b, so that to first order in the errors
        δK' = −Σ (p_k(K') − p_k(K)) δc_k/f'(K'). Both lengths are from one curve, and their
        errors are partly the same.

        Args:
            K: (n,) couplings before.
            after: (n,) K'.
        """
        before = np.asarray(K, dtype=np.float64)
        later = np.asarray(after, dtype=np.float64)
        variance = np.zeros(len(before))
        for k, of_coefficient in enumerate(self.variances):
            alone = np.zeros_like(self.coefficients)
            alone[k] = 1.0
            curves = []
            for couplings in (before, later):
                value, slope = np.empty(len(couplings)), np.empty(len(couplings))
                _evaluate(couplings, self.ends, self.shifts, self.ratios, alone, value, slope)
                curves.append(value)
            variance += of_coefficient * (curves[1] - curves[0]) ** 2
        return np.asarray(np.sqrt(variance) / self(later)[1])


def fit_log_length(
    K: npt.ArrayLike, xi: npt.ArrayLike, std_error: npt.ArrayLike, *, degree: int
) -> MeasuredLogLength:
    """Fit ln ξ.

    Args:
        K: (n,) couplings, increasing, above 0.
        xi: (n,) measured correlation lengths.
        std_error: (n,) their standard errors.
        degree: of the polynomial in ln K, below n.
    Raises:
        ValueError: there are too few points.
    """
    log_k = [math.log(each) for each in np.asarray(K, dtype=np.float64).tolist()]
    lengths = np.asarray(xi, dtype=np.float64).tolist()
    if degree >= len(log_k):
        raise ValueError(f"a curve of degree {degree} takes more than {len(log_k)} points.")
    y = [math.log(each) for each in lengths]
    errors = np.asarray(std_error, dtype=np.float64).tolist()
    w = [(length / error) ** 2 for length, error in zip(lengths, errors)]
    ends = log_k[0], log_k[-1]
    x = [_scaled(each, *ends) for each in log_k]
    before, p = [0.0] * len(x), [1.0] * len(x)
    norm_before = math.nan
    shifts: list[float] = []
    ratios: list[float] = []
    coefficients: list[float] = []
    variances: list[float] = []
    rest = y
    for _ in range(degree + 1):
        norm = math.fsum(wi * pi * pi for wi, pi in zip(w, p))
        c = math.fsum(wi * yi * pi for wi, yi, pi in zip(w, rest, p)) / norm
        rest = [yi - c * pi for yi, pi in zip(rest, p)]
        shift = math.fsum(wi * xi * pi * pi for wi, xi, pi in zip(w, x, p)) / norm
        ratio = norm / norm_before if coefficients else 0.0
        shifts.append(shift)
        ratios.append(ratio)
        coefficients.append(c)
        variances.append(1 / norm)
        following = [(xi - shift) * pi - ratio * qi for xi, pi, qi in zip(x, p, before)]
        before, p, norm_before = p, following, norm
    return MeasuredLogLength(
        np.array(ends),
        np.array(shifts[:-1]),
        np.array(ratios[:-1]),
        np.array(coefficients),
        np.array(variances),
        math.fsum(wi * yi * yi for wi, yi in zip(w, rest)),
        len(x) - degree - 1,
    )


def _scaled(log_k: float, low: float, high: float) -> float:
    return 2 * (log_k - low) / (high - low) - 1


@kernel
def _evaluate(  # type: ignore[no-untyped-def]
    K, ends, shifts, ratios, coefficients, values, slopes
):
    """Values and slopes with respect to K; arguments as above."""
    scale = 2.0 / (ends[1] - ends[0])
    for i in range(len(K)):
        x = scale * (math.log(K[i]) - ends[0]) - 1.0
        inside = min(max(x, -1.0), 1.0)
        before, p = 0.0, 1.0
        slope_before, slope = 0.0, 0.0
        value, total_slope = coefficients[0], 0.0
        for k in range(len(shifts)):
            following = (inside - shifts[k]) * p - ratios[k] * before
            slope_after = p + (inside - shifts[k]) * slope - ratios[k] * slope_before
            before, p = p, following
            slope_before, slope = slope, slope_after
            value += coefficients[k + 1] * p
            total_slope += coefficients[k + 1] * slope
        values[i] = value + total_slope * (x - inside)
        slopes[i] = total_slope * scale / K[i]
