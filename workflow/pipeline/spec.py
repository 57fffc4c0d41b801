"""Specs and seeds: what decides a rule's result, in one canonical form.

Snakemake compares ``params`` as an unnamed set of reprs, so two swapped values go unnoticed; one
string is compared whole. Every rule therefore passes a single canonical JSON string.
"""

import hashlib
import json
from typing import Any


def canonical_json(value: Any) -> str:
    """Render ``value`` as JSON with sorted keys and no spaces: equal values, equal strings.

    Raises:
        ValueError: a number is NaN or infinite.
        TypeError: a value is no plain JSON value.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def derived_seed(seed: int, purpose: str, **keys: str | int) -> int:
    """Derive the 64-bit seed for one purpose from the experiment's only seed.

    The keys are usually a rule's wildcards. Adding a net, a member or a sweep point changes no
    other seed, because nothing is counted: the seed is the hash of what it is for.

    Args:
        seed: the experiment's seed (``seed`` in ``config.yaml``).
        purpose: what the numbers are for, e.g. ``"lattices"``.
        keys: what tells one use from another, e.g. ``net="CG-1024-512", member=0``.
    Returns:
        An integer in [0, 2^64), for ``numpy.random.SeedSequence``, Philox or torch.
    """
    key = canonical_json({"seed": seed, "purpose": purpose, "keys": keys})
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big")
