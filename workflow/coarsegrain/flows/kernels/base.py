"""Latent variables: normal numbers, and a mean with two modes.

Of N normal numbers z, ε = Σz/√N is normal and independent of what is left of them. It becomes
a = μ + σε, of the sign + or −, and a spline of it takes the mean's place:

    w = z + (spline(a) − ε)/√N,
    ln q(w) = ln [½ N(a; μ, σ) + ½ N(a; −μ, σ)] − ln spline'(a) + ln N(z) − ln N(ε).

The maps that follow are odd and the target is even: training draws the sign + only.
"""

import math

import numpy as np

from coarsegrain.flows.kernels.spline import knots, spline_gradient, spline_inverse, spline_value
from coarsegrain.jit import kernel
from coarsegrain.philox import fill_with_random_words
from coarsegrain.simd import (
    LANES,
    at_least,
    chosen_where_less,
    load,
    load_upper_bits,
    splat,
    square_root,
    store,
    total,
)
from coarsegrain.vector_math import exponential, logarithm

F32 = np.float32
_HALF, _ONE, _TWO = F32(0.5), F32(1), F32(2)
_UNIT = F32(2.0**-22)
_ROOT_TWO = F32(math.sqrt(2))
_LOG_TWO_PI = math.log(2 * math.pi)
# M. Giles, GPU Computing Gems (2011), ch. 10: erf⁻¹(x)/x in powers of w − 2.5 and of √w − 3,
# w = −ln(1 − x²), highest power first.
_NEAR = tuple(
    F32(c)
    for c in (
        2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 2.1858087e-04,
        -1.25372503e-03, -4.17768164e-03, 2.46640727e-01, 1.50140941,
    )
)  # fmt: skip
_FAR = tuple(
    F32(c)
    for c in (
        -2.00214257e-04, 1.00950558e-04, 1.34934322e-03, -3.67342844e-03, 5.73950773e-03,
        -7.6224613e-03, 9.43887047e-03, 1.00167406, 2.83297682,
    )
)  # fmt: skip
_FIVE, _CENTRE, _THREE = F32(5), F32(2.5), F32(3)


@kernel
def normal_of_words(words, start):  # type: ignore[no-untyped-def]
    """Normal numbers from 32 random words: √2 erf⁻¹(2u − 1), u their upper 23 bits; up to ±5.3."""
    x = (load_upper_bits(words, start) + splat(_HALF)) * splat(_UNIT) - splat(_ONE)
    w = splat(F32(0)) - logarithm((splat(_ONE) - x) * (splat(_ONE) + x))
    v = w - splat(_CENTRE)
    near = splat(_NEAR[0])
    for c in _NEAR[1:]:
        near = near * v + splat(c)
    v = square_root(at_least(w, splat(_ONE))) - splat(_THREE)
    far = splat(_FAR[0])
    for c in _FAR[1:]:
        far = far * v + splat(c)
    return splat(_ROOT_TWO) * x * chosen_where_less(w, splat(_FIVE), near, far)


@kernel
def fill_with_normal_numbers(z, first, stream, step, key0, key1):  # type: ignore[no-untyped-def]
    """Latent variables of samples 32 ``first`` … of a step.

    Args:
        z: (blocks, N LANES) float32 to be filled.
        first: number of the first block: fourth counter word of the random numbers.
        stream: second counter word.
        step: third counter word.
        key0: lower half of the key.
        key1: upper half of the key.
    """
    words = np.empty(z.shape[1], np.uint32)
    for block in range(len(z)):
        fill_with_random_words(words, 0, first + block, step, stream, key0, key1)
        for at in range(0, len(words), LANES):
            store(z[block], at, normal_of_words(words, at))


@kernel
def _splatted(numbers, values):  # type: ignore[no-untyped-def]
    """Knots of a spline that all samples share."""
    each = np.empty(len(numbers) * LANES, F32)
    for k in range(len(numbers)):
        store(each, LANES * k, splat(numbers[k]))
    knots(each, len(numbers) // 3, values)


@kernel
def _log_modes(a, mu, log_sigma):  # type: ignore[no-untyped-def]
    """ln [½ N(a; μ, σ) + ½ N(a; −μ, σ)] without −½ ln 2π."""
    one, half = splat(_ONE), splat(_HALF)
    scale = exponential(splat(-log_sigma))
    right, left = (a - splat(mu)) * scale, (a + splat(mu)) * scale
    x, y = splat(-_HALF) * right * right, splat(-_HALF) * left * left
    high = at_least(x, y)
    low = x + y - high
    return high + logarithm((one + exponential(low - high)) * half) - splat(log_sigma)


@kernel
def with_modes(z, sign, modes, mean, kept, log_q):  # type: ignore[no-untyped-def]
    """Give the mean of latent variables its two modes.

    Args:
        z: (blocks, N LANES) normal numbers, changed in place.
        sign: (blocks, LANES) float32, ±1.
        modes: μ and ln σ, float32.
        mean: numbers of the spline, float32.
        kept: (blocks, LANES) to be filled: ε.
        log_q: (blocks, LANES) to be filled: ln q without −(N/2) ln 2π.
    """
    values, bins = np.empty(len(mean) * LANES, F32), len(mean) // 3
    _splatted(mean, values)
    N = z.shape[1] // LANES
    root, half = splat(F32(1 / math.sqrt(N))), splat(_HALF)
    sigma = exponential(splat(modes[1]))
    for block in range(len(z)):
        row = z[block]
        sums, squares = splat(F32(0)), splat(F32(0))
        for i in range(N):
            x = load(row, LANES * i)
            sums = sums + x
            squares = squares + x * x
        epsilon = sums * root
        s = load(sign[block], 0)
        a = s * (splat(modes[0]) + sigma * epsilon)
        y, slope = spline_value(a, values, bins)
        shift = (y - epsilon) * root
        for i in range(N):
            store(row, LANES * i, load(row, LANES * i) + shift)
        store(kept[block], 0, epsilon)
        rest = half * (epsilon * epsilon - squares)
        store(log_q[block], 0, _log_modes(a, modes[0], modes[1]) - slope + rest)


@kernel
def log_density_of_latent(w, modes, mean, log_q):  # type: ignore[no-untyped-def]
    """ln q of latent variables with two modes, without −(N/2) ln 2π: arguments as above."""
    values, bins = np.empty(len(mean) * LANES, F32), len(mean) // 3
    _splatted(mean, values)
    N = w.shape[1] // LANES
    root, half = splat(F32(1 / math.sqrt(N))), splat(_HALF)
    for block in range(len(w)):
        sums, squares = splat(F32(0)), splat(F32(0))
        for i in range(N):
            x = load(w[block], LANES * i)
            sums = sums + x
            squares = squares + x * x
        y = sums * root
        a, slope = spline_inverse(y, values, bins)
        rest = half * (y * y - squares)
        store(log_q[block], 0, _log_modes(a, modes[0], modes[1]) - slope + rest)


@kernel
def without_modes(w, uniform, modes, mean):  # type: ignore[no-untyped-def]
    """The normal numbers that ``with_modes`` makes latent variables of.

    A mean y is that of the mode + with the probability N(a; μ, σ) / [N(a; μ, σ) + N(a; −μ, σ)].

    Args:
        w: (blocks, N LANES), of ``with_modes``, changed in place.
        uniform: (blocks, LANES) float32, random numbers from 0 to 1 that choose the mode.
        modes: as above.
        mean: as above.
    """
    values, bins = np.empty(len(mean) * LANES, F32), len(mean) // 3
    _splatted(mean, values)
    N = w.shape[1] // LANES
    root, one = splat(F32(1 / math.sqrt(N))), splat(_ONE)
    inverse = exponential(splat(-modes[1]))
    for block in range(len(w)):
        sums = splat(F32(0))
        for i in range(N):
            sums = sums + load(w[block], LANES * i)
        y = sums * root
        a, _ = spline_inverse(y, values, bins)
        right, left = (a - splat(modes[0])) * inverse, (a + splat(modes[0])) * inverse
        share = one / (one + exponential(splat(_HALF) * (right * right - left * left)))
        epsilon = chosen_where_less(load(uniform[block], 0), share, right, splat(F32(0)) - left)
        shift = (epsilon - y) * root
        for i in range(N):
            store(w[block], LANES * i, load(w[block], LANES * i) + shift)


@kernel
def with_modes_gradient(gw, kept, weight, modes, mean, g_modes, g_mean):  # type: ignore[no-untyped-def]
    """Add the derivatives of weight · ln q(w) + loss(w), for samples of the sign +.

    Args:
        gw: (blocks, N LANES) derivatives of the loss by w.
        kept: (blocks, LANES), of ``with_modes``.
        weight: of ln q, the same for all samples, float32; 0 for a path gradient.
        modes: as above.
        mean: as above.
        g_modes: (2,) float64, added to.
        g_mean: (numbers,) float64, added to.
    """
    values, bins = np.empty(len(mean) * LANES, F32), len(mean) // 3
    g = np.empty_like(values)
    _splatted(mean, values)
    N = gw.shape[1] // LANES
    root, one, two = splat(F32(1 / math.sqrt(N))), splat(_ONE), splat(_TWO)
    sigma = exponential(splat(modes[1]))
    w, minus = splat(weight), splat(-weight)
    for block in range(len(gw)):
        gy = splat(F32(0))
        for i in range(N):
            gy = gy + load(gw[block], LANES * i)
        epsilon = load(kept[block], 0)
        ga = spline_gradient(splat(modes[0]) + sigma * epsilon, gy * root, minus, values, bins, g)
        for k in range(len(mean)):
            g_mean[k] += total(load(g, LANES * k))
        # by way of a, and of the other mode, which is 2μ/σ further away
        apart = two * splat(modes[0]) / sigma
        far = apart + epsilon
        odds = exponential(splat(_HALF) * (epsilon * epsilon - far * far))
        share = odds / (one + odds)
        g_modes[0] += total(ga - w * share * two * far / sigma)
        g_modes[1] += total(ga * sigma * epsilon + w * (share * far * apart - one))


@kernel
def score_of_latent(w, modes, mean, score, learn, g_modes, g_mean):  # type: ignore[no-untyped-def]
    """Derivatives of ln q by latent variables with two modes.

    Args:
        w: (blocks, N LANES), of ``with_modes``.
        modes: as above.
        mean: as above.
        score: (blocks, N LANES) to be filled.
        learn: whether derivatives of −ln q by the parameters are wanted.
        g_modes: (2,) float64, to which they are added.
        g_mean: (numbers,) float64, the same.
    """
    values, bins = np.empty(len(mean) * LANES, F32), len(mean) // 3
    g = np.empty_like(values)
    _splatted(mean, values)
    N = w.shape[1] // LANES
    root, zero, one = splat(F32(1 / math.sqrt(N))), splat(F32(0)), splat(_ONE)
    inverse = exponential(splat(-modes[1]))
    for block in range(len(w)):
        sums = zero
        for i in range(N):
            sums = sums + load(w[block], LANES * i)
        y = sums * root
        a, slope = spline_inverse(y, values, bins)
        # the two modes, by their shares
        right, left = (a - splat(modes[0])) * inverse, (a + splat(modes[0])) * inverse
        share = one / (one + exponential(splat(_HALF) * (right * right - left * left)))
        other = one - share
        of_modes = zero - (share * right + other * left) * inverse
        bend = spline_gradient(a, zero, one, values, bins, g)
        of_mean = (of_modes - bend) * exponential(zero - slope)
        shift = (y + of_mean) * root  # what is left of w without its mean is normal
        for i in range(N):
            store(score[block], LANES * i, shift - load(w[block], LANES * i))
        if learn:
            spline_gradient(a, of_mean, one, values, bins, g)
            for k in range(len(mean)):
                g_mean[k] += total(load(g, LANES * k))
            g_modes[0] += total((other * left - share * right) * inverse)
            g_modes[1] += total(one - share * right * right - other * left * left)
