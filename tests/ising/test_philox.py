"""The random numbers are Philox4x32-10, word for word."""

import numpy as np
import pytest
import randomgen
from hypothesis import given
from hypothesis import strategies as st

from coarsegrain.ising.sampler import philox
from coarsegrain.philox import philox4x32

U64 = np.uint64
WORD = st.integers(0, 2**32 - 1)


def words(counter: tuple[int, ...], key: tuple[int, int]) -> list[int]:
    return [int(x) for x in philox4x32(*map(U64, counter), *map(U64, key))]


@pytest.mark.parametrize(
    ("counter", "key", "expected"),
    [
        ((0,) * 4, (0, 0), "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
        ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
        (
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xA4093822, 0x299F31D0),
            "d16cfe09 94fdcceb 5001e420 24126ea1",
        ),
    ],
)
def test_known_answers_of_random123(counter, key, expected):
    assert " ".join(f"{x:08x}" for x in words(counter, key)) == expected


@pytest.mark.parametrize("seed", [0, 1, 0xDEADBEEF12345678, 2**64 - 1])
def test_stream_equals_randomgen(seed):
    # randomgen counts up before it draws, so its first four words are those of counter 1.
    stream = randomgen.Philox(key=seed, number=4, width=32)
    expected = [int(x) for x in stream.random_raw(400)]
    key = seed & 0xFFFFFFFF, seed >> 32
    assert [x for c in range(1, 101) for x in words((c, 0, 0, 0), key)] == expected


def philox_in_plain_integers(counter: tuple[int, ...], key: tuple[int, int]) -> list[int]:
    """Philox4x32-10 as in the paper (Salmon et al. 2011, section 3.3)."""
    mask = 0xFFFFFFFF
    left, right = list(counter[1::2]), list(counter[::2])
    k = list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * right[0], 0xCD9E8D57 * right[1]
        right = [(p1 >> 32) ^ left[0] ^ k[0], (p0 >> 32) ^ left[1] ^ k[1]]
        left = [p1 & mask, p0 & mask]
        k = [(k[0] + 0x9E3779B9) & mask, (k[1] + 0xBB67AE85) & mask]
    return [right[0], left[0], right[1], left[1]]


@given(counter=st.tuples(WORD, WORD, WORD, WORD), key=st.tuples(WORD, WORD))
def test_any_counter_and_key_agrees_with_plain_integers(counter, key):
    assert words(counter, key) == philox_in_plain_integers(counter, key)


def test_planes_are_the_four_words_low_half_first():
    x = words((3, 5, 7, 11), (13, 17))
    plane_0, plane_1 = philox.planes(*map(U64, (3, 5, 7, 11, 13, 17)))
    assert int(plane_0) == x[0] | x[1] << 32
    assert int(plane_1) == x[2] | x[3] << 32


def test_streams_of_different_decisions_never_meet():
    kinds = [philox.START, philox.SEED_SITE, philox.RIGHT_BONDS, philox.DOWN_BONDS]
    kinds += [philox.HEAT_BATH, philox.HEAT_BATH + U64(1)]
    numbers = {int(philox.stream_number(k, w)) for k in kinds for w in (0, 1, 63, 2**24 - 1)}
    assert len(numbers) == len(kinds) * 4
    assert max(numbers) < 2**32
