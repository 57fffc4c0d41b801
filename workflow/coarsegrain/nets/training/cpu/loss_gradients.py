"""Losses and their slopes with respect to the outputs, in one pass over a batch."""

from coarsegrain.jit import kernel

# At the kink 1 - t y = 0 the slope is -t, as torch's clamp has it.


@kernel
def hinge_slopes(y, t, slopes):  # type: ignore[no-untyped-def]
    """Hinge loss. Sums over the batch; slopes are those of the mean.

    Args:
        y: (at least n, at least outputs) outputs.
        t: (n, outputs) targets.
        slopes: of the shape of y, where ∂loss/∂y goes.
    Returns:
        The sums of the hinge losses and of the losses.
    """
    one, zero = y.dtype.type(1), y.dtype.type(0)
    scale = one / y.dtype.type(t.size)
    hinge = 0.0
    for i in range(t.shape[0]):
        row = zero
        for j in range(t.shape[1]):
            target = y.dtype.type(t[i, j])
            margin = one - target * y[i, j]
            slopes[i, j] = -target * scale if margin >= zero else zero
            row += zero if margin < zero else margin
        hinge += row
    return hinge, hinge


@kernel
def squared_hinge_slopes(y, t, slopes):  # type: ignore[no-untyped-def]
    """Squared hinge loss; see ``hinge_slopes``."""
    one, zero, two = y.dtype.type(1), y.dtype.type(0), y.dtype.type(2)
    scale = one / y.dtype.type(t.size)
    hinge, loss = 0.0, 0.0
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            target = y.dtype.type(t[i, j])
            margin = one - target * y[i, j]
            margin = zero if margin < zero else margin
            slopes[i, j] = -two * target * margin * scale
            hinge += margin
            loss += margin * margin
    return hinge, loss


@kernel
def mse_slopes(y, t, slopes):  # type: ignore[no-untyped-def]
    """Squared error; see ``hinge_slopes``."""
    one, zero, two = y.dtype.type(1), y.dtype.type(0), y.dtype.type(2)
    scale = one / y.dtype.type(t.size)
    hinge, loss = 0.0, 0.0
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            target = y.dtype.type(t[i, j])
            margin = one - target * y[i, j]
            hinge += zero if margin < zero else margin
            error = y[i, j] - target
            slopes[i, j] = two * error * scale
            loss += error * error
    return hinge, loss


SLOPES = {"hinge": hinge_slopes, "squared_hinge": squared_hinge_slopes, "mse": mse_slopes}
