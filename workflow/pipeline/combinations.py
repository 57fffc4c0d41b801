"""What settings may be together, beyond what the schema says of each by itself."""

from collections.abc import Callable, Iterator, Mapping

from coarsegrain.nets.architecture import THERMOMETER, WIDE_RANGE_AUTOENCODER, models, shallow_nets
from coarsegrain.nets.splits import number_for_testing, split

#: Dotted keys, and a function of their values that tells what is wrong with them together.
Combination = tuple[tuple[str, ...], Callable[..., str | None]]


def combinations() -> Iterator[Combination]:
    """Those of all studies."""
    yield ("nets.autoencoder_layers", "L"), _autoencoder_layers
    reach = ("lattices.critical.beta", "lattices.wide_range.beta_max", "local_entropy.beta_max")
    yield ("lattices.method", "L", *reach), _exact_sampling
    yield ("members_of", "members", "L"), _members_of
    yield ("rbm.kernel", "rbm.exponents.L"), _kernel
    yield ("neuralrg.patches.depth", "neuralrg.L"), _depth
    yield ("neuralrg.grown_from", "neuralrg.L"), _grown_from
    for section in ("lattices.wide_range", "local_entropy"):
        yield (f"{section}.beta_min", f"{section}.beta_max"), _range(section)
    for kind, section in (
        ("critical", "nets"), ("wide_range", "nets"), ("wide_range", "thermometer"),
    ):  # fmt: skip
        keys = [f"lattices.{kind}.number", "lattices.test_fraction", "lattices.validation_fraction"]
        yield (*keys, f"{section}.batch_size"), _splits(kind, f"{section}.batch_size")


def _autoencoder_layers(layers: str | list[int], L: int) -> str | None:
    if layers == "auto" or all(size <= L * L for size in map(int, layers)):
        return None
    return (
        f"nets.autoencoder_layers is {layers}, larger than the lattice; "
        f"with L = {L} each must be at most L*L = {L * L}."
    )


def _kernel(sites: int, L: int) -> str | None:
    if 2 * sites <= L:
        return None
    return (
        f"rbm.kernel is {sites}: it does not fit on the stack's second layer, of {L // 2} x "
        f"{L // 2} units; take at most {L // 2}, or a larger rbm.exponents.L."
    )


def _depth(scales: str | int, L: int) -> str | None:
    most = L.bit_length() - 1
    if scales == "auto" or int(scales) <= most:
        return None
    return (
        f"neuralrg.patches.depth is {scales}; with neuralrg.L = {L} it must be auto or an integer "
        f"from 1 to {most}."
    )


def _grown_from(first: str | int, L: int) -> str | None:
    if first == "auto" or int(first) <= L:
        return None
    return f"neuralrg.grown_from is {first}; it must be auto or at most neuralrg.L = {L}."


def _range(section: str) -> Callable[[float, float], str | None]:
    def problem(low: float, high: float) -> str | None:
        if low < high:
            return None
        return f"{section}.beta_min is {low} and beta_max is {high}; beta_min must be the smaller."

    return problem


def _exact_sampling(method: str, L: int, *betas: float) -> str | None:
    if method != "exact":
        return None
    try:  # these take a second, so only if the question is asked
        import numpy as np

        from coarsegrain.ising.sampler.coalescence import check_coalescence
    except ImportError:  # Snakemake's own environment need not have them
        return None
    try:
        check_coalescence(np.array(betas), L)
    except ValueError as error:
        return f"lattices.method is 'exact', but {str(error).partition(': ')[2]}"
    return None


def _members_of(numbers: Mapping[str, int], members: int, L: int) -> str | None:
    made_of = {net.name: net.transferred for net in models(L).values()}
    # a thermometer for every autoencoder whose lattices it measures
    made_of[WIDE_RANGE_AUTOENCODER] = (THERMOMETER,)
    known = [*shallow_nets(L), *made_of, THERMOMETER]
    for net in numbers:
        if net not in known:
            return f"members_of names {net!r}; nets of this L are {', '.join(known)}."
    for net, parts in made_of.items():
        for part in (each for each in parts if not each.startswith("HCG-")):
            needed, given = (numbers.get(each, members) for each in (net, part))
            if given < needed:
                return (
                    f"members_of gives {part} {given} members and {net} {needed}; "
                    f"each member of {net} needs one of {part}."
                )
    return None


def _splits(kind: str, batch_key: str) -> Callable[[int, float, float, int], str | None]:
    def problem(number: int, test: float, validation: float, batch_size: int) -> str | None:
        tested = number_for_testing(number, test)
        ranges = split(number - tested, validation_fraction=validation)
        train, *rest = (*(each.stop - each.start for each in ranges), tested)
        given = f"lattices.{kind}.number is {number}: with test_fraction {test} and "
        given += f"validation_fraction {validation} that leaves {train} for training"
        if min(train, *rest) < 1:
            return f"{given}, {rest[0]} for validation, {rest[1]} for testing; take more lattices."
        if batch_size > train:
            return (
                f"{given}, less than one batch; {batch_key} is {batch_size}, take at most {train}."
            )
        return None

    return problem
