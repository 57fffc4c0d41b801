"""Rule certify_lattices: test a set of lattices before anything uses it."""

import json
from dataclasses import asdict

from coarsegrain.analysis.certificate import FAMILY_LEVEL, Certificate, certify
from coarsegrain.errors import CoarsegrainError
from coarsegrain.ising.equilibration import equilibration_steps
from coarsegrain.storage.lattices import Lattices, read_lattices
from pipeline.stage import Input, Output, Spec, run


def main(*, lattices: Input, certificate: Output, spec: Spec) -> None:
    """Write the certificate of a set of lattices; stop if it fails.

    Spec: set, the name of the set.
    """
    found = read_lattices(lattices)
    L = found.spins.shape[1]
    exact = found.attributes.get("method") == "exact"
    try:
        made = certify(
            found.spins,
            found.betas,
            steps=None if exact else int(found.attributes.get("steps", 0)),
            steps_needed=equilibration_steps(L),
        )
    except ValueError as error:
        raise CoarsegrainError(f"{lattices} cannot be certified: {error}.") from error
    text = as_json(made, spec["set"], found)
    if not made.passed:
        # Snakemake deletes what a failed job wrote, so the log keeps the whole certificate.
        print(f"{text}\n{report(made, spec['set'])}", flush=True)
        raise CoarsegrainError(
            f"the lattices {lattices} fail their certificate ({made.failures[0].name}, and "
            f"{len(made.failures) - 1} more of {len(made.tests)} tests): nothing is computed from "
            "them. The sampler is broken or the file is not what it says; if it was edited or "
            "copied, delete it and run snakemake again."
        )
    certificate.write_text(text)


def as_json(made: Certificate, name: str, lattices: Lattices) -> str:
    """The certificate as JSON: the same text for the same lattices."""
    tests = [
        {
            **{key: rounded(value) for key, value in asdict(test).items()},
            "score": rounded(test.score),
            "passed": test.p_value >= made.level_per_test,
        }
        for test in made.tests
    ]
    record = {
        "set": name,
        "passed": made.passed,
        "lattices": len(lattices.spins),
        "L": lattices.spins.shape[1],
        "method": lattices.attributes.get("method", "unknown"),
        "steps": lattices.attributes.get("steps", "none"),
        "family_level": FAMILY_LEVEL,
        "level_per_test": rounded(made.level_per_test),
        "tests": tests,
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"


def rounded(value: object) -> object:
    """Floats to six digits: more would be neither meant nor the same on every machine."""
    return float(f"{value:.6g}") if isinstance(value, float) else value


def report(made: Certificate, name: str) -> str:
    """What failed, in words."""
    lines = [
        f"CERTIFICATE FAILED: {name}",
        f"{len(made.failures)} of {len(made.tests)} tests have a probability below "
        f"{made.level_per_test:.1e} ({FAMILY_LEVEL:g} over all of them):",
    ]
    for test in made.failures:
        where = f"β = {test.beta_min:.6g}"
        if test.beta_max > test.beta_min:
            where = f"β from {test.beta_min:.4g} to {test.beta_max:.4g}"
        chance = f"{test.p_value:.1e}" if test.p_value > 1e-300 else "below 1e-300"
        lines.append(
            f"  {test.name}, {where}: statistic {test.statistic:.4g}, probability {chance} "
            f"for correct lattices ({test.detail})"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    run(main)
