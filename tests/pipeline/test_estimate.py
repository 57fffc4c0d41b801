"""`make estimate`: what a run would cost, from Snakemake's list of jobs and measurements."""

import doctest
import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkouts import PROJECT
from pipeline.environment import shell_prefix
from pipeline.estimate import cost, durations, measurement, timing
from pipeline.estimate.__main__ import (
    cores_of,
    label,
    measured_costs,
    notes,
    row,
    table,
    totals,
)
from pipeline.estimate.cost import DRAWING, MODELS, Cost
from pipeline.estimate.durations import brief, duration, size
from pipeline.estimate.lineage import Lineage
from pipeline.estimate.measurement import SampledSet
from pipeline.estimate.schedule import critical_path, dependencies, makespan
from pipeline.estimate.timing import Measured
from pipeline.estimate.workbench import Workbench
from pipeline.job_list import Job, list_jobs
from pipeline.staleness.locks import at_work

SMOKE = str(PROJECT / "workflow/presets/smoke.yaml")
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "days": 86400}


def job(rule, outputs=(), inputs=(), *, pending=True, threads=1, wildcards=None, **options):
    """A job whose stage is called with these options; those that are no strings as JSON."""
    words = " ".join(
        f"--{name.replace('_', '-')} {value if isinstance(value, str) else as_word(value)}"
        for name, value in options.items()
    )
    command = f"python -m stages.{rule} {words} > log 2>&1"
    return Job(rule, wildcards or {}, list(inputs), list(outputs), threads, 100, command, pending)


def as_word(value):
    return "'" + json.dumps(value) + "'"


SETTINGS = {
    "loss": "hinge", "l1": 0.0, "learning_rate": 1e-3, "adam_betas": [0.9, 0.999],
    "adam_epsilon": 1e-7, "batch_size": 10, "epochs": 7,
}  # fmt: skip


def sampling_job(path, betas, L=8):
    spec = {"L": L, "method": "hybrid", "steps": "auto", "betas": betas, "seed": 1}
    return job("sample_lattices", [path], shards="", lattices=path, device="cpu", spec=spec)


def training_job(net, path, sizes, **settings):
    spec = {
        "net": net, "member": 0, "sizes": sizes, "settings": {**SETTINGS, **settings},
        "splits": {"test_fraction": 0.2, "validation_fraction": 0.25}, "device": "cpu",
        "threads": 1, "precision": "float32", "activation": "linear",
    }  # fmt: skip
    return job(
        "train_model", [f"{net}.safetensors", f"{net}.csv"], [path], lattices=path, spec=spec
    )


# --- durations and sizes ---


@given(st.floats(0.1, 1e8))
def test_a_duration_is_told_to_within_nine_percent_or_half_of_a_tenth_of_a_second(seconds):
    words = duration(seconds).split()
    told = sum(
        float(number) * SECONDS[unit] for number, unit in zip(words[::2], words[1::2], strict=True)
    )
    # The coarsest steps: 10 s after a minute, 10 min after an hour.
    assert told == pytest.approx(seconds, rel=0.09, abs=0.0501)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "< 0.1 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (600, "10 min"),
        (3599, "1 h"),
        (13260, "3 h 40 min"),
        (86399, "1 d"),
        (86400 * 40.2, "40 days"),
    ],
)
def test_a_duration_never_counts_a_unit_up_to_the_next(seconds, told):
    assert duration(seconds) == told


def test_the_examples_of_durations_are_right():
    tested = doctest.testmod(durations)
    assert tested.attempted == 3
    assert tested.failed == 0


def test_short_times_and_sizes_have_two_digits():
    assert [brief(each) for each in (0.00034567, 8.83e-6, 12.3)] == ["0.35 ms", "8.8 µs", "12 s"]
    assert [size(each) for each in (3.94e8, 10, 1.23e10)] == ["390 MB", "< 1 MB", "12 GB"]


# --- the clock ---


@st.composite
def graphs(draw):
    """Jobs of some seconds and threads, each waiting for some before it."""
    number = draw(st.integers(1, 12))
    seconds = draw(st.lists(st.floats(0, 10), min_size=number, max_size=number))
    threads = draw(st.lists(st.integers(1, 3), min_size=number, max_size=number))
    needs = [draw(st.sets(st.integers(0, k - 1))) if k else set() for k in range(number)]
    return seconds, needs, threads


@given(graphs(), st.integers(1, 4))
def test_the_clock_is_between_the_work_shared_out_and_the_work_one_by_one(graph, cores):
    seconds, needs, threads = graph
    occupied = [time * min(each, cores) for time, each in zip(seconds, threads, strict=True)]
    shortest = max(critical_path(seconds, needs), sum(occupied) / cores)
    clock = makespan(seconds, needs, threads, cores)
    assert shortest * (1 - 1e-12) <= clock <= sum(seconds) * (1 + 1e-12)


@given(graphs(), st.integers(1, 4))
def test_jobs_of_one_thread_take_at_most_grahams_bound(graph, cores):
    seconds, needs, _ = graph
    clock = makespan(seconds, needs, [1] * len(seconds), cores)
    longest, total = critical_path(seconds, needs), sum(seconds)
    assert clock <= (total / cores + (1 - 1 / cores) * longest) * (1 + 1e-12) + 1e-12


def test_a_job_of_all_cores_runs_alone():
    assert makespan([2.0, 3.0, 3.0], [set(), set(), set()], [2, 1, 1], 2) == 5.0


def test_the_longest_way_to_the_end_starts_first():
    # A chain of 1 + 5 beside a job of 5: begun with the chain, two cores need 6 seconds, not 11.
    assert makespan([5.0, 1.0, 5.0], [set(), set(), {1}], [1, 1, 1], 2) == 6.0


def test_jobs_wait_for_those_that_make_their_inputs():
    jobs = [job("a", ["x"]), job("b", ["y"], ["x", "given"]), job("c", ["z"], ["x", "y"])]
    assert dependencies(jobs) == [set(), {0}, {0, 1}]


# --- jobs and where files come from ---


def test_options_and_spec_are_read_off_the_command():
    made = job("evaluate", lattices_in="a.nc b.nc", shards="", spec={"net": "CG-8-4", "n": [1]})
    assert made.options["lattices-in"] == ["a.nc", "b.nc"]
    assert made.options["shards"] == []
    assert made.spec == {"net": "CG-8-4", "n": [1]}


def test_lattices_are_counted_through_shards_and_coarse_graining():
    grid = {"grid": [0.1, 0.2, 0.3], "each": 7}
    spec = {"set": sampling_job("", {"constant": 0.4, "number": 10}).spec, "shards": 3, "shard": 0}
    jobs = [
        sampling_job("grid.nc", grid),
        job("sample_shard", ["s.nc"], lattices="s.nc", device="cpu", spec=spec),
        job(
            "decimate_lattices", ["1.nc", "2.nc"], lattices="grid.nc", first="1.nc", second="2.nc",
            spec={"map": "majority"},
        ),
    ]  # fmt: skip
    lineage = Lineage(jobs)
    assert lineage.source("grid.nc").number == 21
    assert lineage.source("s.nc").number == 4  # the largest of 10 in three
    assert lineage.source("2.nc")[2:] == (21, 2, "majority")


def test_sizes_of_a_net_include_the_layers_transferred_into_it():
    hcg = [
        job("hard_code_weights", [f"hcg{k}"], network=f"hcg{k}", spec={"L": 8, "step": k})
        for k in (1, 2)
    ]
    transferred = job("transfer_weights", ["t"], parts="hcg1 hcg2", network="t")
    model = job("train_model", ["m"], transferred="t", spec={"sizes": [16, 32, 64]})
    lineage = Lineage([*hcg, transferred, model])
    assert lineage.sizes("hcg2") == (32, 16)
    assert lineage.sizes("t") == (64, 32, 16)
    assert lineage.sizes("m") == (64, 32, 16, 32, 64)


# --- costs ---


def test_every_rule_that_runs_a_command_has_a_model_of_its_cost():
    rules = set()
    for path in (PROJECT / "workflow/rules").glob("*.smk"):
        for text in re.split(r"^rule ", path.read_text(), flags=re.M)[1:]:
            if re.search(r"^    (shell|script|run):", text, flags=re.M):
                rules.add(text.partition(":")[0])
    assert len(rules) > 20
    assert rules == MODELS.keys() | DRAWING.keys()


def test_a_rule_without_a_model_is_told_as_unknown_and_counts_as_nothing():
    new = job("dream", ["x"])
    found = cost.cost(new, bench=None)
    assert found.seconds is None
    assert row("dream", [(new, found)])[3:5] == ("unknown", "unknown")
    assert any("unknown" in line for line in notes([found], 0.0))
    assert "< 0.1 s" in totals([new], [found], 1)[0]


def test_a_job_whose_inputs_no_job_makes_is_told_as_unknown(bench):
    train = training_job("net", "given.nc", [64, 32, 64])
    found = cost.cost(train, bench([train]))
    assert (found.seconds, found.basis) == (None, "no job makes given.nc")


@pytest.fixture
def bench(monkeypatch, tmp_path):
    """A workbench of some jobs, on which a start takes 1 s, a step 2 ms, other things nothing."""
    asked = []

    def step(inputs, targets, sizes, *arguments, **options):
        asked.append(tuple(sizes))
        return Measured(0.002, 0.003)

    def sampled(betas, L, method, steps, device):
        nothing = Measured(0.0, 0.0)
        spins = np.ones((4, L, L), np.int8)
        return SampledSet(spins, betas[:4], nothing, nothing, nothing, nothing, nothing, 10.0)

    monkeypatch.setattr(measurement, "training_step", step)
    monkeypatch.setattr(measurement, "sampled_set", sampled)
    monkeypatch.setattr(Workbench, "_warm_up", lambda self: 0.0)
    monkeypatch.setattr(timing, "program", lambda *arguments: Measured(1.0, 1.0))

    def made(jobs):
        bench = Workbench(jobs, tmp_path, tell=lambda what: None)
        bench.asked = asked
        return bench

    return made


def test_a_training_takes_its_start_and_its_steps(bench):
    # 200 lattices: 40 to test, 40 of the rest to validate, 120 to train on, 12 steps an epoch.
    lattices = sampling_job("a.nc", {"constant": 0.4, "number": 200})
    train = training_job("net", "a.nc", [64, 32, 64])
    found = cost.cost(train, bench([lattices, train]))
    assert found.seconds == pytest.approx(1 + 0.002 * 12 * 7)
    assert found.processor == pytest.approx(1 + 0.003 * 12 * 7)
    assert found.basis == "84 steps, 2.0 ms each"
    assert found.bytes == 4 * 2 * 64 * 32
    assert not found.at_most


def test_equal_trainings_are_measured_once(bench):
    lattices = sampling_job("a.nc", {"constant": 0.4, "number": 200})
    trains = [training_job(f"net-{k}", "a.nc", [64, 16 << k // 2, 64]) for k in range(4)]
    used = bench([lattices, *trains])
    for each in trains:
        cost.cost(each, used)
    assert used.asked == [(64, 16, 64), (64, 32, 64)]


@pytest.mark.parametrize("rule", [{"stop_at_loss": 0.1}, {"plateau_epochs": 5}])
def test_a_training_that_may_stop_early_is_told_as_an_upper_bound(bench, rule):
    lattices = sampling_job("a.nc", {"constant": 0.4, "number": 200})
    train = training_job("net", "a.nc", [64, 32, 64], **rule)
    found = cost.cost(train, bench([lattices, train]))
    assert found.at_most
    assert row("train", [(train, found)])[3:5] == ("<= 1.2 s", "<= 1.3 s")
    assert "at most 1.3 s" in totals([train], [found], 1)[0]
    assert any("upper bound" in line for line in notes([found], 0.0))


def test_the_table_has_a_row_per_net_and_kind_of_set_with_all_jobs_and_those_to_do():
    jobs = [
        training_job("Model-1", "a", [4, 2, 4]),
        training_job("Model-1", "b", [4, 2, 4]),
        job("sample_lattices", ["c"], wildcards={"set": "critical/Model-1/member-0"}, spec={}),
    ]
    jobs[1] = replace(jobs[1], pending=False)
    costs = [Cost(10.0, 20.0, "why", 0.0)] * 3
    lines = [re.split(r" {2,}", line) for line in table(jobs, costs)]
    assert lines[1:] == [
        ["sample_lattices critical", "1", "1", "10 s", "20 s", "why"],
        ["train_model Model-1", "2", "1", "10 s", "20 s", "why"],
    ]


def test_when_nothing_is_to_do_it_says_so():
    done = job("report", ["r"], pending=False)
    lines = totals([done], [Cost(60.0, 60.0, "fixed", 5e6)], 2)
    assert lines[0].startswith("Nothing to do")
    assert "1 min of processor time" in lines[1]


def test_cores_are_those_that_snakemake_is_given():
    assert cores_of(["--cores", "3", "--configfile", "a.yaml"]) == 3
    assert cores_of(["--cores", "all"]) == cores_of([]) == len(os.sched_getaffinity(0))


# --- measurements ---


@pytest.mark.slow  # compiles the sampler
def test_lattices_are_measured_on_a_sample_of_the_set():
    betas = np.linspace(0.1, 0.4, 300)
    found = measurement.sampled_set(betas, 8, "hybrid", "auto", "cpu")
    assert found.spins.shape[1:] == (8, 8)
    assert len(found.spins) == len(found.betas) <= 300
    assert found.betas[[0, -1]].tolist() == betas[[0, -1]].tolist()
    assert 0 < found.sampling.processor < 0.1
    assert 8 < found.bytes < 1000


# --- the workflow ---


def estimate(checkout, *arguments, **options):
    """Start `python -m pipeline.estimate` in a checkout."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.estimate", *arguments],
        cwd=checkout.path,
        env={**os.environ, "PYTHONPATH": str(checkout.path / "workflow")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def counted(dry_run):
    """Jobs per rule that a dry run tells of, those without a command apart."""
    found = re.search(r"^job +count\n[- ]+\n(.*?)^total", dry_run, flags=re.M | re.S)
    lines = [line.split() for line in found[1].splitlines()] if found else []
    return Counter({rule: int(number) for rule, number in lines if rule != "default"})


@pytest.mark.slow
def test_jobs_are_those_of_snakemakes_dry_run(smoke_run, tmp_path, monkeypatch):
    changes = tmp_path / "changes.yaml"
    changes.write_text("bootstrap_samples: 300\nmembers: 3")
    monkeypatch.chdir(smoke_run.path)
    jobs = list_jobs(["--cores", "1", "--configfile", SMOKE, str(changes)])
    every = smoke_run.smoke("--dry-run", "--forceall", changes=[changes])
    pending = smoke_run.smoke("--dry-run", changes=[changes])
    assert Counter(each.rule for each in jobs) == counted(every.stdout)
    to_do = Counter(each.rule for each in jobs if each.pending)
    assert to_do == counted(pending.stdout)
    assert 0 < to_do["train_model"] < Counter(each.rule for each in jobs)["train_model"]
    assert smoke_run.smoke("--dry-run").stdout.count("Nothing to be done") == 1


@pytest.mark.slow
def test_a_bad_config_is_told_in_the_words_of_a_run_and_nothing_is_left_behind(checkout):
    bad = checkout.path / "bad.yaml"
    bad.write_text("L: 7\nnets: {batch_sise: 3}\n")
    run = checkout.smoke(changes=[bad])
    asked = estimate(checkout, "--cores", "1", "--configfile", SMOKE, str(bad))
    told = asked.communicate()[1]
    assert asked.returncode == 1
    for sentence in ("L is 7; it must be", "nets.batch_sise is no key of the config; did you mean"):
        assert sentence in told
        assert sentence in run.stdout
    assert "Traceback" not in told
    assert not (checkout.path / "results").exists()
    assert not list((checkout.path / ".snakemake").glob("runs/**/*.lock"))


@pytest.mark.slow
def test_interrupted_it_ends_with_one_line(checkout):
    asked = estimate(checkout, "--cores", "1", "--configfile", SMOKE, start_new_session=True)
    for line in asked.stderr:
        if line.startswith("measuring"):
            break
    os.killpg(asked.pid, signal.SIGINT)
    rest = asked.communicate(timeout=60)[1]
    assert asked.returncode == 130
    lines = [line for line in rest.splitlines() if line and not line.startswith("measuring")]
    assert lines == ["Interrupted; nothing was started."]


@pytest.mark.slow
def test_it_works_while_another_run_holds_the_lock_and_writes_no_results(checkout):
    lock = checkout.path / ".snakemake/runs/results/smoke/run.lock"
    with at_work("results/smoke", lock, {"pid": 1}):
        assert "Another run is at work" in checkout.smoke().stdout
        asked = estimate(checkout, "--cores", "2", "--configfile", SMOKE)
        told, errors = asked.communicate()
        assert lock.read_text() == '{"pid": 1}'
    assert asked.returncode == 0, errors
    assert re.search(r"^train_model Model-1 +2 +2 ", told, flags=re.M)
    assert re.search(r"^By the clock .* on 2 cores", told, flags=re.M)
    assert not (checkout.path / "results").exists()


@pytest.mark.slow
def test_trainings_take_what_was_estimated_within_a_factor_of_two(checkout, monkeypatch):
    monkeypatch.chdir(checkout.path)
    # More epochs than a start takes; no end before the last one.
    longer = checkout.path / "longer.yaml"
    longer.write_text(
        "L: 16\nnets: {epochs: {shallow: 300, deep: 60}}\n"
        "lattices: {critical: {number: 2000}, wide_range: {number: 2000}}\n"
        "thermometer: {max_epochs: 30, stop_mse: 1.0e-9}\n"
    )
    monkeypatch.setenv("PATH", os.environ["PATH"])  # to be put back afterwards
    arguments = ["--cores", "1", "--configfile", SMOKE, str(longer)]
    jobs = list_jobs(arguments)
    wanted = [
        f"results/smoke/nets/{net}/member-0.safetensors"
        for net in ("CG-256-128", "UP-128-256", "Model-1", "Model-2", "thermometer")
    ]
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", *wanted, *arguments], capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr.decode()
    costs, _ = measured_costs(jobs)
    for each, estimated in zip(jobs, costs, strict=True):
        if each.outputs[0] in wanted:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(["bash", "-c", f"{shell_prefix(1)}{each.command}"], check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            taken = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            assert 0.5 < estimated.processor / taken < 2, label(each)
