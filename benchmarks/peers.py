"""Other samplers of the 2D Ising model, as ``sampling.py`` runs them: a textbook, two packages.

Each has ``series``, energies and m² of many chains step by step, from which its relaxation is
measured, and ``advance``, whose time is measured. Peers' lattices are never copied out and their
own measurements are left off where they let us: a peer's time is that of its steps alone.
"""

import importlib.util
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Protocol

import numba
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


class Peer(Protocol):
    """A sampler that moves Markov chains on."""

    #: What stands in the table.
    name: str
    #: Where its chains start: "all up" or "random".
    start: str

    def series(self, chains: int, length: int) -> tuple[Array, Array] | None:
        """Energy per site and m² after each step of new chains, (chains, length) each.

        None if the code does not show single steps.
        """

    def advance(self, steps: int) -> None:
        """Move one chain, or a few side by side, on by ``steps`` steps in all."""


@numba.njit(error_model="numpy")
def next_random(state: npt.NDArray[np.uint64]) -> float:
    """A number in [0, 1): SplitMix64, few instructions and a state of its own, (1,).

    G. L. Steele, D. Lea and C. H. Flood, OOPSLA 2014, fig. 17.
    """
    state[0] += np.uint64(0x9E3779B97F4A7C15)
    z = state[0]
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return float((z ^ (z >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


@numba.njit(error_model="numpy")
def wolff_step(
    spins: npt.NDArray[np.int8],
    neighbours: npt.NDArray[np.int32],
    stack: npt.NDArray[np.int32],
    bond_probability: float,
    random: npt.NDArray[np.uint64],
) -> int:
    """Flip one Wolff cluster, site by site; returns its size.

    U. Wolff, Phys. Rev. Lett. 62, 361 (1989). A site is flipped when it joins, so that it is not
    asked again; the sites whose neighbours are still to be asked wait on a stack.

    Args:
        spins: (N,), ±1.
        neighbours: (N, 4), the sites beside each site.
        stack: (N,), work space.
        bond_probability: 1 − exp(−2β).
        random: state of ``next_random``.
    """
    site = int(next_random(random) * spins.size)
    old = spins[site]
    spins[site] = -old
    stack[0] = site
    waiting = 1
    size = 1
    while waiting > 0:
        waiting -= 1
        site = stack[waiting]
        for k in range(4):
            other = neighbours[site, k]
            if spins[other] == old and next_random(random) < bond_probability:
                spins[other] = -old
                stack[waiting] = other
                waiting += 1
                size += 1
    return size


@numba.njit(error_model="numpy")
def wolff_steps(
    spins: npt.NDArray[np.int8],
    neighbours: npt.NDArray[np.int32],
    stack: npt.NDArray[np.int32],
    bond_probability: float,
    random: npt.NDArray[np.uint64],
    steps: int,
) -> None:
    """Flip ``steps`` clusters, one after the other."""
    for _ in range(steps):
        wolff_step(spins, neighbours, stack, bond_probability, random)


@numba.njit(error_model="numpy")
def wolff_series(
    spins: npt.NDArray[np.int8],
    neighbours: npt.NDArray[np.int32],
    stack: npt.NDArray[np.int32],
    bond_probability: float,
    random: npt.NDArray[np.uint64],
    energy: Array,
    m2: Array,
) -> None:
    """Write E/N and m² after each of ``len(energy)`` steps."""
    sites = spins.size
    for t in range(len(energy)):
        wolff_step(spins, neighbours, stack, bond_probability, random)
        bonds = 0
        up = 0
        for site in range(sites):
            # neighbours 0 and 2 are to the right and below: each bond once
            bonds += spins[site] * (spins[neighbours[site, 0]] + spins[neighbours[site, 2]])
            up += spins[site]
        energy[t] = -bonds / sites
        m2[t] = (up / sites) ** 2


def square_neighbours(L: int) -> npt.NDArray[np.int32]:
    """(N, 4): right, left, below, above of each site of a periodic L × L lattice."""
    site = np.arange(L * L, dtype=np.int32).reshape(L, L)
    shifts = [(-1, 1), (1, 1), (-1, 0), (1, 0)]
    return np.stack([np.roll(site, s, axis).ravel() for s, axis in shifts], axis=1)


class TextbookWolff:
    """Wolff's algorithm as textbooks have it, compiled by numba; chains start all up."""

    name = f"textbook Wolff (numba {numba.__version__})"
    start = "all up"

    def __init__(self, beta: float, L: int, seed: int = 1) -> None:
        """Compile, and set up the chain that ``advance`` moves."""
        self._neighbours = square_neighbours(L)
        self._bond_probability = -np.expm1(-2 * beta)
        self._stack = np.empty(L * L, dtype=np.int32)
        self._spins = np.ones(L * L, dtype=np.int8)
        self._random = np.array([seed], dtype=np.uint64)
        self.advance(100)

    def series(self, chains: int, length: int) -> tuple[Array, Array]:
        """See ``Peer``."""
        energy, m2 = np.empty((2, chains, length))
        for chain in range(chains):
            spins = np.ones_like(self._spins)
            wolff_series(
                spins, self._neighbours, self._stack, self._bond_probability, self._random,
                energy[chain], m2[chain],
            )  # fmt: skip
        return energy, m2

    def advance(self, steps: int) -> None:
        """See ``Peer``."""
        wolff_steps(
            self._spins, self._neighbours, self._stack, self._bond_probability, self._random, steps
        )


@dataclass(frozen=True)
class PeapodsMode:
    """A step of peapods: a sweep of single spins, then a cluster update."""

    label: str
    sweep: str
    cluster: str


#: One sweep and one cluster update is the least that peapods does in a step with clusters.
PEAPODS_MODES = (
    PeapodsMode("heat bath + Wolff", "gibbs", "wolff"),
    PeapodsMode("Metropolis + Wolff", "metropolis", "wolff"),
    PeapodsMode("heat bath + Swendsen-Wang", "gibbs", "sw"),
)


class Peapods:
    """peapods (Rust): https://github.com/PeaBrane/peapods; chains start at random."""

    start = "random"
    #: Chains side by side: its time per chain and step no longer falls beyond.
    _side_by_side = 64

    def __init__(self, beta: float, L: int, mode: PeapodsMode) -> None:
        """Set up the chains that ``advance`` moves."""
        self.name = f"peapods {version('peapods')}, {mode.label}"
        self._beta, self._L, self._mode = beta, L, mode
        self._model = self._new_model(self._side_by_side)
        self.advance(100 * self._side_by_side)

    def series(self, chains: int, length: int) -> tuple[Array, Array]:
        """See ``Peer``. It averages over steps: with one step per call there is one to average."""
        energy, m2 = np.empty((2, chains, length))
        model = self._new_model(chains)
        for t in range(length):
            averages = self._sample(model, 1, one_thread=False)
            energy[:, t] = -averages["energies"]
            m2[:, t] = averages["mags2"]
        return energy, m2

    def advance(self, steps: int) -> None:
        """See ``Peer``."""
        self._sample(self._model, max(1, steps // self._side_by_side), one_thread=True)

    def _new_model(self, chains: int):
        from peapods import Ising

        # Chains at one temperature: as many "temperatures", all equal.
        return Ising((self._L, self._L), temperatures=np.full(chains, 1 / self._beta))

    def _sample(self, model, steps: int, *, one_thread: bool) -> dict[str, Array]:
        with np.errstate(all="ignore"):  # its Binder cumulant divides 0 by 0
            return model.sample(
                steps,
                sweep_mode=self._mode.sweep,
                cluster_update_interval=1,
                cluster_mode=self._mode.cluster,
                warmup_ratio=0.0,
                sequential=one_thread,
            )


class Pyising:
    """pyising (C++): https://github.com/mmaleki92/pyising, its Wolff algorithm.

    A call thermalises first and shows no single steps, but its chain is the textbook's. It
    measures after every step, which cannot be turned off.
    """

    start = "random"

    def __init__(self, beta: float, L: int) -> None:
        """Set up the chain that ``advance`` moves."""
        from pyising import Ising2D

        self.name = f"pyising {version('pyising')}, Wolff"
        self._temperature = 1 / beta
        self._model = Ising2D(L, 1)
        self._model.initialize_spins()
        self.advance(100)

    def series(self, chains: int, length: int) -> None:
        """See ``Peer``."""
        return

    def advance(self, steps: int) -> None:
        """See ``Peer``."""
        never = 2**31 - 1  # steps between two files with the lattice
        self._model.do_step_wolff(self._temperature, steps, never)


def installed_peers(beta: float, L: int) -> tuple[list[Peer], list[str]]:
    """The peers that can be run here, and the names of the packages that are missing."""
    peers: list[Peer] = [TextbookWolff(beta, L)]
    missing = []
    for package in ("peapods", "pyising"):
        try:
            version(package)
            if importlib.util.find_spec(package) is None:
                raise ImportError
            if package == "peapods":
                peers += [Peapods(beta, L, mode) for mode in PEAPODS_MODES]
            else:
                peers.append(Pyising(beta, L))
        except (ImportError, PackageNotFoundError):
            missing.append(package)
    return peers, missing
