"""Fields of ±1 states in double precision, summed in one order.

BLAS orders its sums by the processor. Here every output is summed over inputs one after the other,
while the loop over outputs is the inner one and becomes vector instructions.
"""

from coarsegrain.jit import kernel


@kernel
def products(v, w, x):  # type: ignore[no-untyped-def]
    """Add v W to x.

    Args:
        v: (n, n_visible) int8, ±1.
        w: (n_visible, n_hidden) float64.
        x: (n, n_hidden) float64, added to.
    """
    for k in range(len(v)):
        for i in range(w.shape[0]):
            if v[k, i] > 0:
                for j in range(w.shape[1]):
                    x[k, j] += w[i, j]
            else:
                for j in range(w.shape[1]):
                    x[k, j] -= w[i, j]


@kernel
def transposed_products(h, w, y):  # type: ignore[no-untyped-def]
    """Add h Wᵀ to y.

    Args:
        h: (n, n_hidden) int8, ±1.
        w: (n_visible, n_hidden) float64.
        y: (n, n_visible) float64, added to.
    """
    products(h, w.T.copy(), y)


@kernel
def tied_products(v, kernels, L, stride, offset, x):  # type: ignore[no-untyped-def]
    """Add to x what the windows of a tied machine see.

    Args:
        v: (n, L²) int8, ±1.
        kernels: (channels, n, n) float64.
        L: side of the visible lattice.
        stride: sites between hidden units.
        offset: first row and column of the first window.
        x: (n, channels (L/stride)²) float64, added to.
    """
    size, side = kernels.shape[1], L // stride
    for k in range(len(v)):
        j = 0
        for c in range(len(kernels)):
            for block_row in range(side):
                for block_col in range(side):
                    for di in range(size):
                        row = (stride * block_row + di + offset) % L * L
                        for dj in range(size):
                            col = (stride * block_col + dj + offset) % L
                            x[k, j] += v[k, row + col] * kernels[c, di, dj]
                    j += 1


@kernel
def transposed_tied_products(h, kernels, L, stride, offset, y):  # type: ignore[no-untyped-def]
    """Add to y what hidden units of a tied machine send; arguments as above.

    Args:
        h: (n, channels (L/stride)²) int8, ±1.
        kernels: as above.
        L: as above.
        stride: as above.
        offset: as above.
        y: (n, L²) float64, added to.
    """
    size, side = kernels.shape[1], L // stride
    for k in range(len(h)):
        j = 0
        for c in range(len(kernels)):
            for block_row in range(side):
                for block_col in range(side):
                    for di in range(size):
                        row = (stride * block_row + di + offset) % L * L
                        for dj in range(size):
                            col = (stride * block_col + dj + offset) % L
                            y[k, row + col] += h[k, j] * kernels[c, di, dj]
                    j += 1
