"""Odd monotone splines of rational quadratic functions: values, derivatives, inverse.

C. Durkan, A. Bekasov, I. Murray and G. Papamakarios, NeurIPS 2019, arXiv:1906.04032, after
J. Gregory and R. Delbourgo (1982). In a bin of width W and height H, s = H/W, with slopes d₀ and d₁
at its ends:

    y = Y + H (s t² + d₀ t(1−t)) / D,   D = s + (d₀ + d₁ − 2s) t(1−t),   t = (u − X)/W,
    dy/du = s² (d₁ t² + 2 s t(1−t) + d₀ (1−t)²) / D².

The bins lie side by side from 0 on, and mirrored below it; beyond the last one the spline goes on
as a line of its last slope. Its numbers are logarithms: of widths and of heights, relative to
``EXTENT/bins``, then of slopes; all 0 make the identity. Nothing is normalised: bins may end
anywhere.
"""

import numpy as np

from coarsegrain.flows.kernels.fused import exponential
from coarsegrain.jit import kernel
from coarsegrain.simd import (
    LANES,
    absolute,
    chosen_where_less,
    load,
    splat,
    square_root,
    store,
    with_sign_of,
)
from coarsegrain.vector_math import logarithm

F32 = np.float32
#: Where the last bin ends if all widths are as at the start.
EXTENT = 3.0
_ZERO, _ONE, _TWO, _FOUR = F32(0), F32(1), F32(2), F32(4)


@kernel
def knots(numbers, bins, values):  # type: ignore[no-untyped-def]
    """Widths, heights and slopes from a spline's numbers.

    Args:
        numbers: ((3 bins + 1) LANES,) their logarithms.
        bins: how many.
        values: the same size, to be filled.
    """
    unit = splat(F32(EXTENT / bins))
    for k in range(3 * bins + 1):
        value = exponential(load(numbers, LANES * k))
        store(values, LANES * k, value * unit if k < 2 * bins else value)


@kernel
def spline_value(x, values, bins):  # type: ignore[no-untyped-def]
    """y and ln dy/dx of a vector x; ``values`` of ``knots``."""
    zero, one, two = splat(_ZERO), splat(_ONE), splat(_TWO)
    u = absolute(x)
    left, low = zero, zero
    width, height = load(values, 0), load(values, LANES * bins)
    d0, d1 = load(values, LANES * 2 * bins), load(values, LANES * (2 * bins + 1))
    X, Y = zero, zero
    for k in range(1, bins):
        X = X + load(values, LANES * (k - 1))
        Y = Y + load(values, LANES * (bins + k - 1))
        left = chosen_where_less(u, X, left, X)
        low = chosen_where_less(u, X, low, Y)
        width = chosen_where_less(u, X, width, load(values, LANES * k))
        height = chosen_where_less(u, X, height, load(values, LANES * (bins + k)))
        d0 = chosen_where_less(u, X, d0, load(values, LANES * (2 * bins + k)))
        d1 = chosen_where_less(u, X, d1, load(values, LANES * (2 * bins + k + 1)))
    X = X + load(values, LANES * (bins - 1))
    Y = Y + load(values, LANES * (2 * bins - 1))
    last = load(values, LANES * 3 * bins)
    t = (u - left) / width
    s = height / width
    rest = one - t
    q = t * rest
    D = s + (d0 + d1 - two * s) * q
    y = low + height * (s * t * t + d0 * q) / D
    slope = s * s * (d1 * t * t + two * s * q + d0 * rest * rest) / (D * D)
    y = chosen_where_less(u, X, y, Y + last * (u - X))
    slope = chosen_where_less(u, X, slope, last)
    return with_sign_of(y, x), logarithm(slope)


@kernel
def spline_inverse(y, values, bins):  # type: ignore[no-untyped-def]
    """x and ln dy/dx where the spline is the vector y."""
    zero, one, two = splat(_ZERO), splat(_ONE), splat(_TWO)
    v = absolute(y)
    left, low = zero, zero
    width, height = load(values, 0), load(values, LANES * bins)
    d0, d1 = load(values, LANES * 2 * bins), load(values, LANES * (2 * bins + 1))
    X, Y = zero, zero
    for k in range(1, bins):
        X = X + load(values, LANES * (k - 1))
        Y = Y + load(values, LANES * (bins + k - 1))
        left = chosen_where_less(v, Y, left, X)
        low = chosen_where_less(v, Y, low, Y)
        width = chosen_where_less(v, Y, width, load(values, LANES * k))
        height = chosen_where_less(v, Y, height, load(values, LANES * (bins + k)))
        d0 = chosen_where_less(v, Y, d0, load(values, LANES * (2 * bins + k)))
        d1 = chosen_where_less(v, Y, d1, load(values, LANES * (2 * bins + k + 1)))
    X = X + load(values, LANES * (bins - 1))
    Y = Y + load(values, LANES * (2 * bins - 1))
    last = load(values, LANES * 3 * bins)
    s = height / width
    h = v - low
    c = d0 + d1 - two * s
    # t of a t² + b t − s h = 0, by the form that loses no digits
    a, b = height * (s - d0) + h * c, height * d0 - h * c
    product = s * h
    root = square_root(b * b + splat(_FOUR) * a * product)
    t = two * product / (b + root)
    rest = one - t
    q = t * rest
    D = s + c * q
    slope = s * s * (d1 * t * t + two * s * q + d0 * rest * rest) / (D * D)
    x = chosen_where_less(v, Y, left + width * t, X + (v - Y) / last)
    slope = chosen_where_less(v, Y, slope, last)
    return with_sign_of(x, y), logarithm(slope)


@kernel
def spline_gradient(x, gy, gl, values, bins, g):  # type: ignore[no-untyped-def]
    """From derivatives by y and by ln dy/dx to those by x and by the spline's numbers.

    Args:
        x: vector.
        gy: vector, derivatives by y.
        gl: vector, derivatives by ln dy/dx.
        values: of ``knots``.
        bins: how many.
        g: ((3 bins + 1) LANES,) to be filled: derivatives by the spline's numbers.
    Returns:
        Derivatives by x.
    """
    zero, one, two = splat(_ZERO), splat(_ONE), splat(_TWO)
    u = absolute(x)
    gv = chosen_where_less(x, zero, zero - gy, gy)
    left = zero
    width, height = load(values, 0), load(values, LANES * bins)
    d0, d1 = load(values, LANES * 2 * bins), load(values, LANES * (2 * bins + 1))
    X = zero
    for k in range(1, bins):
        X = X + load(values, LANES * (k - 1))
        left = chosen_where_less(u, X, left, X)
        width = chosen_where_less(u, X, width, load(values, LANES * k))
        height = chosen_where_less(u, X, height, load(values, LANES * (bins + k)))
        d0 = chosen_where_less(u, X, d0, load(values, LANES * (2 * bins + k)))
        d1 = chosen_where_less(u, X, d1, load(values, LANES * (2 * bins + k + 1)))
    X = X + load(values, LANES * (bins - 1))
    last = load(values, LANES * 3 * bins)

    inverse_width = one / width
    t = (u - left) * inverse_width
    s = height * inverse_width
    rest = one - t
    q = t * rest
    c = d0 + d1 - two * s
    D = s + c * q
    n = s * t * t + d0 * q
    m = d1 * t * t + two * s * q + d0 * rest * rest
    inverse_D = one / D
    # y = Y + H n/D and ln dy/du = 2 ln s + ln m − 2 ln D, backwards
    a_height = gv * n * inverse_D
    a_n = gv * height * inverse_D
    a_D = zero - inverse_D * (a_n * n + two * gl)
    a_m = gl / m
    a_s = two * gl / s + a_m * two * q + a_n * t * t + a_D * (one - two * q)
    a_q = two * a_m * s + a_n * d0 + a_D * c
    a_t = two * a_m * (d1 * t - d0 * rest) + two * a_n * s * t + a_q * (one - two * t)
    a_d0 = a_m * rest * rest + a_n * q + a_D * q
    a_d1 = a_m * t * t + a_D * q
    a_height = a_height + a_s * inverse_width
    a_u = a_t * inverse_width
    a_width = zero - inverse_width * (a_s * s + a_t * t)
    a_left, a_low = zero - a_u, gv
    # the line beyond: y = Y + d (u − X), slope d
    a_u = chosen_where_less(u, X, a_u, gv * last)
    a_left = chosen_where_less(u, X, a_left, zero - gv * last)
    a_line = gv * (u - X) + gl / last

    X = zero
    for k in range(bins):
        W, H = load(values, LANES * k), load(values, LANES * (bins + k))
        end = X + W
        # of bin k where u lies in it, of all that come before it where u lies further on
        beyond = chosen_where_less(u, end, zero, one)
        of_width = chosen_where_less(u, X, zero, a_width)
        of_height = chosen_where_less(u, X, zero, a_height)
        of_width = chosen_where_less(zero, beyond, a_left, of_width)
        of_height = chosen_where_less(zero, beyond, a_low, of_height)
        store(g, LANES * k, of_width * W)
        store(g, LANES * (bins + k), of_height * H)
        X = end
    X, ended = zero, zero
    for k in range(bins):
        # slope k begins bin k and ends bin k − 1; what lies elsewhere may be no number
        end = X + load(values, LANES * k)
        begun = chosen_where_less(u, X, zero, chosen_where_less(u, end, a_d0, zero))
        store(g, LANES * (2 * bins + k), (begun + ended) * load(values, LANES * (2 * bins + k)))
        ended = chosen_where_less(u, X, zero, chosen_where_less(u, end, a_d1, zero))
        X = end
    on_line = chosen_where_less(u, X, ended, a_line)
    store(g, LANES * 3 * bins, on_line * last)
    return chosen_where_less(x, zero, zero - a_u, a_u)
