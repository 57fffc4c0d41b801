"""The sampler once more, site by site in plain Python: the definition that the kernels must meet.

Slow and obvious on purpose. It shares with the library only what defines the random numbers: the
layout of sites in words is written out again here, as are Philox and both updates.
"""

from functools import cache

MASK = 0xFFFFFFFF
START, SEED_SITE, RIGHT, DOWN, HEAT_BATH = range(5)


@cache
def philox(counter: tuple[int, int, int, int], seed: int) -> tuple[int, int, int, int]:
    c0, c1, c2, c3 = counter
    k0, k1 = seed & MASK, seed >> 32
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & MASK, (p0 >> 32) ^ c3 ^ k1, p0 & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def uniform(kind: int, word: int, bit: int, step: int, lattice: int, seed: int) -> int:
    """The 64-bit integer U of one decision: its bits are bit ``bit`` of 64 planes, high to low."""
    u = 0
    for block in range(32):
        x0, x1, x2, x3 = philox((block, kind << 24 | word, step, lattice), seed)
        for plane in (x0 | x1 << 32, x2 | x3 << 32):
            u = u << 1 | (plane >> bit & 1)
    return u


def address(L: int, row: int, column: int) -> tuple[int, int, int]:
    """Word row, word within it, and bit of a site."""
    if L <= 32:
        return row % (L // 2), 0, column + 32 * (row // (L // 2))
    return row, column // 64, column % 64


def flood_fill(L: int, site: tuple[int, int], right: list, down: list) -> set[tuple[int, int]]:
    """Sites connected to ``site``; right[row][column] is the bond to (row, column + 1)."""
    cluster, stack = {site}, [site]
    while stack:
        y, x = stack.pop()
        above, below, left, beside = (y - 1) % L, (y + 1) % L, (x - 1) % L, (x + 1) % L
        for bond, neighbour in (
            (right[y][x], (y, beside)),
            (right[y][left], (y, left)),
            (down[y][x], (below, x)),
            (down[above][x], (above, x)),
        ):
            if bond and neighbour not in cluster:
                cluster.add(neighbour)
                stack.append(neighbour)
    return cluster


def sample(
    L: int, lattice: int, seed: int, steps: int, bond: int, against_2: int, against_4: int
) -> list[list[int]]:
    """One lattice as rows of ±1; the last three arguments are its thresholds."""
    words = -(-L // 64)
    sites = [(y, x) for y in range(L) for x in range(L)]
    up = philox((0, START << 24, 0, lattice), seed)[0] & 1
    s = [[2 * up - 1] * L for _ in range(L)]
    for step in range(1, steps + 1):
        right, down = ([[False] * L for _ in range(L)] for _ in range(2))
        for y, x in sites:
            word_row, w, bit = address(L, y, x)
            word = word_row * words + w
            if s[y][x] == s[y][(x + 1) % L]:
                right[y][x] = uniform(RIGHT, word, bit, step, lattice, seed) < bond
            if s[y][x] == s[(y + 1) % L][x]:
                down[y][x] = uniform(DOWN, word, bit, step, lattice, seed) < bond
        x0, x1, _, _ = philox((0, SEED_SITE << 24, step, lattice), seed)
        for y, x in flood_fill(L, (x0 * L >> 32, x1 * L >> 32), right, down):
            s[y][x] *= -1
        for colour in range(2):
            for y, x in sites:
                if (y + x) % 2 != colour:
                    continue
                h = s[y - 1][x] + s[(y + 1) % L][x] + s[y][x - 1] + s[y][(x + 1) % L]
                threshold = {0: 2**63, 2: against_2, 4: against_4}[abs(h)]
                word_row, w, bit = address(L, y, x)
                word = (word_row - word_row % 2) * words + w  # shared by two word rows
                u = uniform(HEAT_BATH + colour, word, bit, step, lattice, seed)
                s[y][x] = (1 if h >= 0 else -1) * (-1 if u < threshold else 1)
    philox.cache_clear()
    return s


MONOTONE = 6


def monotone_update(h: int, coin: int, v: int, against_2: int, against_4: int) -> int:
    """A spin (±1) in the field h: its sign, unless V < 2T(|h|), then the coin. V has 63 bits."""
    if h == 0 or v < {2: against_2, 4: against_4}[abs(h)]:
        return 2 * coin - 1
    return 1 if h > 0 else -1


def monotone_sweeps(
    s: list[list[int]], L: int, sweeps: range, lattice: int, seed: int, against: tuple[int, int]
) -> list[list[int]]:
    """The state that the numbered sweeps lead to from s."""
    s = [list(row) for row in s]
    words = -(-L // 64)
    for sweep in sweeps:
        for colour in range(2):
            for y in range(L):
                for x in range((y + colour) % 2, L, 2):
                    word_row, w, bit = address(L, y, x)
                    word = (word_row - word_row % 2) * words + w
                    u = uniform(MONOTONE + colour, word, bit, sweep, lattice, seed)
                    coin, v = u >> 63, u & (2**63 - 1)
                    h = s[y - 1][x] + s[(y + 1) % L][x] + s[y][x - 1] + s[y][(x + 1) % L]
                    s[y][x] = monotone_update(h, coin, v, *against)
    return s


def couple_from_the_past(
    L: int, lattice: int, seed: int, block: int, against_2: int, against_4: int
) -> tuple[list[list[int]], int]:
    """One exact lattice as rows of ±1, and the number of the first sweep after its run.

    Read-once: the state before the second coalescing block. Every map is applied to the all-up,
    the all-down and the current state one after the other; nothing is stopped early.
    """
    current, b = None, 0
    while True:
        sweeps = range(b * block + 1, (b + 1) * block + 1)
        arguments = (L, sweeps, lattice, seed, (against_2, against_4))
        top = monotone_sweeps([[1] * L for _ in range(L)], *arguments)
        bottom = monotone_sweeps([[-1] * L for _ in range(L)], *arguments)
        b += 1
        if top == bottom:
            if current is not None:
                philox.cache_clear()
                return current, sweeps.stop
            current = top
        elif current is not None:
            current = monotone_sweeps(current, *arguments)
