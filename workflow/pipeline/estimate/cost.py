"""What each job of a run will take: a model of its cost for every rule, fed by measurements.

    python -m pipeline.estimate.cost jobs.json costs.json

This must run in the jobs' own environment (``environment.shell_prefix``).
"""

import contextlib
import json
import shlex
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path

from coarsegrain.nets.architecture import THERMOMETER
from coarsegrain.nets.training import TrainingSettings
from pipeline.estimate import measurement
from pipeline.estimate.durations import brief
from pipeline.estimate.lineage import NoMakerError
from pipeline.estimate.timing import Measured
from pipeline.estimate.workbench import Workbench
from pipeline.job_list import Job

#: Drawing a figure and writing it twice, in seconds after the imports. Hardly depends on the
#: config. From the benchmark files of a run at laptop scale on one core of a 2.6 GHz Xeon.
DRAWING = {
    "plot_loss_curves": 0.7,
    "plot_reconstructions": 0.4,
    "plot_weight_matrices": 1.1,
    "plot_spin_correlations": 1.6,
    "plot_local_entropy": 0.6,
    "plot_lattice_gallery": 0.6,
    "plot_thermometer": 0.8,
    "plot_beta_flow": 0.7,
    "plot_autoencoder_wide_range_losses": 0.4,
    "plot_certificates": 1.0,
}
#: Snakemake's report, from the same run.
REPORT = 1.5
#: Bytes of a figure as PDF and PNG, of the report, of a table, and of a certificate, from there.
FIGURE_BYTES, REPORT_BYTES, TABLE_BYTES, CERTIFICATE_BYTES = 5e5, 8e6, 3e4, 1e4


@dataclass(frozen=True)
class Cost:
    """What a job takes.

    Attributes:
        seconds: by the clock, with cores of its own; None if that is unknown.
        processor: seconds.
        basis: what the numbers come from.
        at_most: whether a rule for stopping may end the job earlier.
        bytes: of its outputs.
    """

    seconds: float | None
    processor: float
    basis: str
    bytes: float
    at_most: bool = False


def cost(job: Job, bench: Workbench) -> Cost:
    """What a job takes, or why nobody can say."""
    if job.rule in DRAWING:
        drawing = Measured(DRAWING[job.rule], DRAWING[job.rule])
        return _cost(
            bench.start("plot_beta_flow") + drawing, "start measured + fixed", FIGURE_BYTES
        )
    if job.rule not in MODELS:
        return Cost(None, 0.0, "no model of this rule", 0.0)
    try:
        return MODELS[job.rule](job, bench)
    except NoMakerError as error:
        return Cost(None, 0.0, str(error), 0.0)


def _sampling(job: Job, bench: Workbench) -> Cost:
    source = bench.lineage.source(job.outputs[0])
    one, number = bench.sampled(source), source.number
    made = one.reading if job.options.get("shards") else one.sampling
    calls = ("reading", "writing") if job.options.get("shards") else ("sampling", "writing")
    work = bench.start("sample_lattices", *calls) + (made + one.writing) * number
    kept = 0.0 if job.rule == "sample_shard" else one.bytes * number
    return _cost(work, f"{number:,} lattices, {brief(made.seconds)} each", kept)


def _certificate(job: Job, bench: Workbench) -> Cost:
    source = bench.lineage.source(job.options["lattices"][0])
    one, number = bench.sampled(source), source.number
    work = bench.start("certify_lattices", "reading") + one.certifying
    work += (one.certifying_one + one.reading) * number
    return _cost(work, f"{number:,} lattices", CERTIFICATE_BYTES)


def _decimation(job: Job, bench: Workbench) -> Cost:
    source = bench.lineage.source(job.options["lattices"][0])
    one, number = bench.sampled(source), source.number
    work = (
        bench.start("certify_lattices", "reading", "writing") + (one.reading + one.writing) * number
    )
    # Half of the sites and a quarter.
    return _cost(work, f"{number:,} lattices", 0.75 * one.bytes * number)


def _training(job: Job, bench: Workbench) -> Cost:
    if job.options.get("together"):  # trained by train_members
        work = bench.start("train_model", "reading")
        return _cost(work, "start measured", _bytes(job, bench))
    steps, step = bench.training_step(job)
    work = bench.start("train_model", "reading", "training") + step * steps
    for name in ("lattices", "lattices-in", "lattices-out"):
        for path in job.options.get(name, ()):
            work += bench.reading(path)
    settings = TrainingSettings(**job.spec["settings"])
    may_stop = settings.stop_at_loss is not None or settings.plateau_epochs is not None
    basis = f"{steps:,} steps, {brief(step.seconds)} each"
    return _cost(work, basis, _bytes(job, bench), at_most=may_stop)


def _joint_training(job: Job, bench: Workbench) -> Cost:
    """As if its members were trained one after the other; side by side takes less."""
    options = ("lattices-in", "lattices-out", "transferred")
    costs = []
    for k, spec in enumerate(job.spec["members"]):
        rule = "train_thermometer" if spec["net"] == THERMOMETER else "train_model"
        words = ["python", "-m", f"stages.{rule}", "--spec", json.dumps(spec)]
        for name in options:
            words += [f"--{name}", *job.options.get(name, [])[k : k + 1]]
        costs.append(_training(replace(job, rule=rule, command=shlex.join(words)), bench))
    return Cost(
        sum(each.seconds or 0.0 for each in costs),
        sum(each.processor for each in costs),
        f"{len(costs)} members, {costs[0].basis}",
        sum(each.bytes for each in costs),
        at_most=any(each.at_most for each in costs),
    )


def _weights(job: Job, bench: Workbench) -> Cost:
    return _cost(bench.start("transfer_weights"), "start measured", _bytes(job, bench))


def _hard_coding(job: Job, bench: Workbench) -> Cost:
    return _cost(bench.start("evaluate_model"), "start measured", _bytes(job, bench))


def _bytes(job: Job, bench: Workbench) -> float:
    """Of the net that a job writes; its few biases do not count."""
    sizes = job.spec.get("sizes") or bench.lineage.sizes(job.outputs[0])
    number = 8 if job.spec.get("precision") == "float64" else 4
    return float(number * sum(a * b for a, b in pairwise(sizes)))


def _table(job: Job, bench: Workbench) -> Cost:
    return _cost(bench.start("evaluate_model"), "start measured", TABLE_BYTES)


def _evaluation(job: Job, bench: Workbench) -> Cost:
    options = job.options
    number = bench.lineage.source(options["lattices-in"][0]).number
    work = bench.start("evaluate_model", "reading") + bench.evaluation(
        options["network"][0], number
    )
    for name in ("lattices-in", "lattices-out"):
        work += bench.reading(options[name][0])
    return _cost(work, f"{number:,} lattices", 0.0)


def _thermometer_test(job: Job, bench: Workbench) -> Cost:
    lattices = job.options["lattices"][0]
    number = bench.lineage.source(lattices).number
    work = bench.start("evaluate_model", "reading") + bench.reading(lattices)
    for path in job.options["thermometers"]:
        work += bench.evaluation(path, number)
    return _cost(work, f"{number:,} lattices", TABLE_BYTES)


def _flow(job: Job, bench: Workbench) -> Cost:
    options, samples = job.options, job.spec["bootstrap_samples"]
    source = bench.lineage.source(options["lattices"][0])
    betas, number = source.spec["betas"], source.number
    work = bench.start("certify_lattices", "reading") + bench.reading(options["lattices"][0])
    for autoencoder, thermometer in zip(options["autoencoders"], options["thermometers"]):
        # Lattices, outputs and their signs go through the thermometer.
        work += bench.evaluation(autoencoder, number) + bench.evaluation(thermometer, number) * 3
    resampling = measurement.bootstrap_sample(
        len(options["autoencoders"]), len(betas["grid"]), betas["each"]
    )
    work += resampling * (4 * samples)  # four kinds of fixed point
    return _cost(work, f"{number:,} lattices, {4 * samples:,} resamplings", TABLE_BYTES)


def _entropy(job: Job, bench: Workbench) -> Cost:
    lattices, autoencoders = job.options["lattices"][0], job.options["autoencoders"]
    source = bench.lineage.source(lattices)
    work = bench.start("certify_lattices", "reading") + bench.reading(lattices)
    for path in autoencoders:
        work += bench.evaluation(path, source.number)
    # Lattices, decimated ones with a quarter of the sites, outputs; each at two boundaries.
    images = round(2 * (1.25 + len(autoencoders)) * source.number)
    work += measurement.entropy_of_image(source.spec["L"]) * images
    return _cost(work, f"{images:,} images", TABLE_BYTES)


def _report(job: Job, bench: Workbench) -> Cost:
    return _cost(Measured(REPORT, REPORT), "fixed", REPORT_BYTES)


#: The model of every rule that runs a command and draws no figure.
MODELS: dict[str, Callable[[Job, Workbench], Cost]] = {
    "sample_lattices": _sampling,
    "sample_shard": _sampling,
    "certify_lattices": _certificate,
    "collect_certificates": _table,
    "decimate_lattices": _decimation,
    "hard_code_weights": _hard_coding,
    "train_shallow_net": _training,
    "train_model": _training,
    "train_thermometer": _training,
    "train_members": _joint_training,
    "transfer_weights": _weights,
    "evaluate_model": _evaluation,
    "collect_losses": _table,
    "describe_models": _table,
    "test_thermometer": _thermometer_test,
    "local_entropy": _entropy,
    "beta_flow": _flow,
    "report": _report,
}


def _cost(work: Measured, basis: str, bytes: float, *, at_most: bool = False) -> Cost:
    return Cost(work.seconds, work.processor, basis, bytes, at_most)


def main(arguments: Sequence[str]) -> None:
    """Read jobs from the first file, write their costs to the second."""
    jobs = [Job(**each) for each in json.loads(Path(arguments[0]).read_text())]

    def tell(what: str) -> None:
        print(f"measuring {what}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(None):
        bench = Workbench(jobs, Path(folder), tell)
        costs = [asdict(cost(job, bench)) for job in jobs]
    record = {"costs": costs, "compiling": bench.compiling}
    Path(arguments[1]).write_text(json.dumps(record))


if __name__ == "__main__":
    main(sys.argv[1:])
