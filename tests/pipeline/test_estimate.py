"""`make estimate`: what a run would take, from Snakemake's list of jobs and benchmark files."""

import doctest
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checkouts import PROJECT, stages
from coarsegrain.errors import CoarsegrainError
from pipeline.estimate import costs, durations, measurement
from pipeline.estimate.__main__ import cores_of, notes, row, table, totals
from pipeline.estimate.costs import Estimate, estimated, work_of
from pipeline.estimate.durations import duration, size
from pipeline.estimate.measurement import largest
from pipeline.estimate.prediction import Cost, line, predict
from pipeline.estimate.records import Record, read_benchmark, records
from pipeline.estimate.schedule import dependencies, makespan
from pipeline.job_list import Job, list_jobs
from pipeline.staleness.locks import at_work
from pipeline.studies.work import WORK, lattices, multiply_adds
from pipeline.work import Work, planned

SMOKE = str(PROJECT / "workflow/presets/smoke.yaml")
SECONDS = {"s": 1, "min": 60, "h": 3600, "d": 86400, "days": 86400}


def job(
    stage, outputs=(), inputs=(), *, pending=True, threads=1, wildcards=None, benchmark=None,
    spec=(),
):  # fmt: skip
    """A job that runs this stage; its rule has the stage's name without the study's."""
    return Job(
        stage.rpartition(".")[2],
        wildcards or {},
        list(inputs),
        list(outputs),
        threads,
        100,
        f"stages.{stage}",
        dict(spec),
        benchmark=benchmark,
        pending=pending,
    )


SETTINGS = {
    "loss": "hinge", "l1": 0.0, "learning_rate": 1e-3, "adam_betas": [0.9, 0.999],
    "adam_epsilon": 1e-7, "batch_size": 10, "epochs": 7,
}  # fmt: skip


def sampling_job(path, betas, L=8, **options):
    spec = {"L": L, "method": "hybrid", "steps": 10, "betas": betas, "seed": 1}
    return job("lattices.sample_lattices", [path], spec=spec, **options)


def training_job(net, lattices, sizes, *, transferred=(), benchmark=None, **settings):
    spec = {
        "net": net, "member": 0, "sizes": sizes, "settings": {**SETTINGS, **settings},
        "validation_fraction": 0.25, "device": "cpu", "threads": 1, "precision": "float32",
        "targets": "spins",
    }  # fmt: skip
    made, inputs = [f"{net}.safetensors", f"{net}.csv"], [lattices, *transferred]
    return job("autoencoder.train_net", made, inputs, benchmark=benchmark, spec=spec)


#: 200 lattices: 50 to validate on, 150 to train on, 15 steps an epoch.
CRITICAL = {"constant": 0.4, "number": 200}


def write_benchmark(path, seconds, processor):
    """As Snakemake does."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    names = "s h:m:s max_rss max_vms max_uss max_pss io_in io_out mean_load cpu_time"
    row = [seconds, "0:00:01", 100.0, 300.0, 90.0, 95.0, 0.1, 0.2, 45.0, processor]
    Path(path).write_text("\t".join(names.split()) + "\n" + "\t".join(map(str, row)) + "\n")


def write_sidecar(path, spec, **facts):
    told = {"file": Path(path).name, "stage": "stages.any", "spec": spec, **facts}
    Path(f"{path}.prov.json").write_text(json.dumps(told))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


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
    assert tested.attempted == 2
    assert tested.failed == 0


def test_sizes_have_two_digits():
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
    longest = makespan(seconds, needs, threads, 100)
    shortest = max(longest, sum(occupied) / cores)
    clock = makespan(seconds, needs, threads, cores)
    assert shortest * (1 - 1e-12) <= clock <= sum(seconds) * (1 + 1e-12)


@given(graphs(), st.integers(1, 4))
def test_jobs_of_one_thread_take_at_most_grahams_bound(graph, cores):
    seconds, needs, _ = graph
    clock = makespan(seconds, needs, [1] * len(seconds), cores)
    longest, total = makespan(seconds, needs, [1] * len(seconds), 100), sum(seconds)
    assert clock <= (total / cores + (1 - 1 / cores) * longest) * (1 + 1e-12) + 1e-12


@given(graphs())
def test_any_number_of_cores_leaves_the_longest_chain_of_jobs_that_wait_for_each_other(graph):
    seconds, needs, threads = graph
    ends = []
    for time, before in zip(seconds, needs, strict=True):
        ends.append(time + max((ends[k] for k in before), default=0.0))
    assert makespan(seconds, needs, threads, sum(threads)) == pytest.approx(max(ends))


def test_a_job_of_all_cores_runs_alone():
    assert makespan([2.0, 3.0, 3.0], [set(), set(), set()], [2, 1, 1], 2) == 5.0


def test_the_longest_way_to_the_end_starts_first():
    # A chain of 1 + 5 beside a job of 5: begun with the chain, two cores need 6 seconds, not 11.
    assert makespan([5.0, 1.0, 5.0], [set(), set(), {1}], [1, 1, 1], 2) == 6.0


def test_jobs_wait_for_those_that_make_their_inputs():
    jobs = [job("a", ["x"]), job("b", ["y"], ["x", "given"]), job("c", ["z"], ["x", "y"])]
    assert dependencies(jobs) == [set(), {0}, {0, 1}]


# --- work ---


def test_lattices_are_counted_through_shards_and_coarse_graining():
    whole = sampling_job("", {"constant": 0.4, "number": 10}).spec
    jobs = [
        sampling_job("grid.nc", {"grid": [0.1, 0.2, 0.3], "each": 7}),
        job("lattices.sample_shard", ["s.nc"], spec={"set": whole, "shards": 3, "shard": 0}),
        job("lattices.decimate_lattices", ["1.nc", "2.nc"], ["grid.nc"], spec={"map": "majority"}),
        job("autoencoder.evaluate_model", ["e"], ["2.nc"]),
    ]
    grid, shard, _, evaluation = planned(jobs)
    assert lattices(grid) == lattices(evaluation) == (21, 64)
    assert lattices(shard) == (4, 64)  # the largest of 10 in three


def test_multiply_adds_of_a_net_include_the_layers_transferred_into_it():
    hcg = [
        job("autoencoder.hard_code_weights", [f"hcg{k}"], spec={"L": 8, "step": k}) for k in (1, 2)
    ]
    transferred = job("autoencoder.transfer_weights", ["t"], ["hcg1", "hcg2"])
    model = training_job("m", "a.nc", [16, 32, 64], transferred=["t"])
    evaluation = job("autoencoder.evaluate_model", ["e"], ["m.safetensors"])
    tasks = planned([*hcg, transferred, model, evaluation])
    frozen = 64 * 32 + 32 * 16
    assert multiply_adds(tasks[1]) == 32 * 16
    assert multiply_adds(tasks[2]) == frozen
    assert multiply_adds(tasks[3]) == multiply_adds(tasks[4]) == frozen + 16 * 32 + 32 * 64


def amount(*jobs):
    """The work of the last of these jobs."""
    return work_of(planned(jobs)[-1]).amount


def test_work_grows_with_what_the_time_is_proportional_to():
    few, many = (sampling_job("a.nc", {**CRITICAL, "number": n}) for n in (200, 400))
    train = training_job("net", "a.nc", [64, 32, 64])
    assert amount(many) == 2 * amount(few) == 2 * 200 * 64 * 10
    assert amount(sampling_job("a.nc", CRITICAL, L=16)) == 4 * amount(few)
    assert amount(many, train) == 2 * amount(few, train)
    assert amount(few, training_job("net", "a.nc", [64, 32, 64], epochs=70)) == 10 * amount(
        few, train
    )
    assert amount(few, training_job("net", "a.nc", [64, 64, 64])) == 2 * amount(few, train)
    smaller_batches = training_job("net", "a.nc", [64, 32, 64], batch_size=5)
    assert amount(few, train) < amount(few, smaller_batches) < 2 * amount(few, train)
    flows = [
        job(
            "autoencoder.beta_flow",
            ["f"],
            ["a.nc", "net.safetensors", "t"],
            spec={"bootstrap_samples": n},
        )
        for n in (100, 1000)
    ]
    thermometer = replace(train, outputs=["t"])
    assert amount(few, train, thermometer, flows[0]) < amount(few, train, thermometer, flows[1])
    evaluation = job("autoencoder.evaluate_model", ["e"], ["net.safetensors", "a.nc"])
    assert amount(few, train, evaluation) == 200 * 2 * 64 * 32
    assert amount(job("plot", ["p"], ["e"])) == 1
    of_one, of_two = (
        job("autoencoder.measure_floors", ["f"], sets) for sets in (["a.nc"], ["a.nc", "b.nc"])
    )
    assert amount(many, replace(many, outputs=["b.nc"]), of_two) == 4 * amount(few, of_one)


def test_members_trained_together_are_the_work_of_all_and_none_for_those_that_take_from_it():
    lattices, alone = sampling_job("a.nc", CRITICAL), training_job("net", "a.nc", [64, 32, 64])
    together = job("autoencoder.train_members", ["t"], ["a.nc"], spec={"members": [alone.spec] * 3})
    taken = replace(alone, inputs=["a.nc", "t"])
    assert amount(lattices, together) == 3 * amount(lattices, alone)
    assert amount(lattices, together, taken) == 1


@pytest.mark.parametrize("rule", [{"stop_at_loss": 0.1}, {"plateau_epochs": 5}])
def test_a_training_that_may_stop_early_is_an_upper_bound(rule):
    lattices, train = sampling_job("a.nc", CRITICAL), training_job("net", "a.nc", [4, 2], **rule)
    assert work_of(planned([lattices, train])[1]).at_most
    assert not work_of(planned([lattices, training_job("net", "a.nc", [4, 2])])[1]).at_most
    cost = Cost(10.0, "records", at_most=True)
    assert row("train", [(train, cost)])[3:5] == ("<= 10 s", "<= 10 s")
    told = Estimate([Work()], [cost])
    assert "at most 10 s" in totals([train], told, 1)[0]
    assert any("upper bound" in line for line in notes(told, 1))


def test_every_stage_with_work_of_its_own_exists():
    assert {f"stages.{stage}" for stage in WORK.amounts} <= set(stages(PROJECT))


def test_the_small_config_asks_for_seconds_of_work_and_for_no_more_than_the_config():
    def asked_for(number, sizes, epochs):
        lattices = sampling_job("a.nc", {**CRITICAL, "number": number})
        train = training_job("net", "a.nc", sizes, epochs=epochs)
        small = WORK.small(planned([lattices, train]))
        number = small["lattices"]["critical"]["number"]
        epochs = small["nets"]["epochs"]["deep"]
        lattices = sampling_job("a.nc", {**CRITICAL, "number": number})
        return number, epochs, amount(lattices, training_job("net", "a.nc", sizes, epochs=epochs))

    assert asked_for(200, [64, 32, 64], 7)[:2] == (200, 7)
    number, epochs, work = asked_for(30_000, [1024, 512, 1024], 4000)
    assert number == 10_000
    assert 1 < epochs < 10
    assert work == pytest.approx(1.5e11, rel=0.3)
    assert asked_for(30_000, [2**14, 2**13, 2**14], 4000)[1] == 1


# --- records ---


def test_processor_time_after_snakemakes_last_look_counts_at_the_same_rate(folder):
    # Snakemake looks every half second until 15 s, then every 30 s.
    for seconds, seen_at, used in ((0.9, 0.5, 0.45), (12.3, 12.0, 6.0), (58.0, 45.0, 15.0)):
        write_benchmark("b.tsv", seconds, used)
        assert read_benchmark(Path("b.tsv")) == pytest.approx((seconds, seconds * used / seen_at))
    for unknown in (0.0, "NA"):
        write_benchmark("b.tsv", 0.3, unknown)
        assert read_benchmark(Path("b.tsv")) == (0.3, 0.3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text.splitlines()[0],
        lambda text: text.replace("cpu_time", "cpu"),
        lambda text: text.replace("12.5", "soon"),
        lambda text: text.replace("12.5", "nan"),
        lambda text: text.replace("12.5", "-1"),
        lambda text: text[: text.rindex("\t")],
        lambda text: "\0\0",
    ],
)
def test_a_damaged_benchmark_file_is_left_out_and_named(folder, damage):
    jobs = [job("plot", ["p"], benchmark="p.tsv"), job("plot", ["q"], benchmark="q.tsv")]
    for each in jobs:
        write_benchmark(each.benchmark, 12.5, 12.0)
    Path("q.tsv").write_text(damage(Path("q.tsv").read_text()))
    found, damaged = records(jobs, work_of)
    assert [each.path for each in found] == ["p.tsv"]
    assert damaged == ["q.tsv"]


def test_a_job_without_a_benchmark_file_has_no_record(folder):
    jobs = [job("plot", ["p"], benchmark="p.tsv"), job("plot", ["q"])]
    assert records(jobs, work_of) == ([], [])


def test_a_record_tells_of_the_work_that_was_done_whatever_is_planned_now(folder):
    lattices = sampling_job("a.nc", CRITICAL)
    train = training_job("net", "a.nc", [64, 32], epochs=70, benchmark="n.tsv", stop_at_loss=0.1)
    write_benchmark("n.tsv", 8.0, 8.0)
    spec = json.loads(json.dumps(train.spec))
    spec["settings"]["epochs"] = 14
    write_sidecar("net.safetensors", spec, training_ended="after epoch 7 of at most 14")
    (record,) = records([lattices, train], work_of)[0]
    assert record.planned == amount(lattices, train) / 5
    assert record.work.amount == amount(lattices, train) / 10
    write_sidecar("net.safetensors", {"net": "of another version"})
    assert records([lattices, train], work_of) == ([], ["n.tsv"])


def test_time_that_other_programs_took_counts_only_where_the_processor_may_wait(folder):
    write_benchmark("p.tsv", 10.0, 4.0)
    for threads, seconds in ((1, 4.0), (2, 10.0)):
        made = job("plot", ["p"], threads=threads, benchmark="p.tsv")
        assert records([made], work_of)[0][0].seconds == seconds
    write_sidecar("p", {}, device="cuda")
    assert records([job("plot", ["p"], benchmark="p.tsv")], work_of)[0][0].seconds == 10.0


# --- from records to costs ---


def record(amount, seconds, kind="", path="other.tsv", group="train"):
    return Record(path, group, Work(amount, kind), amount, seconds)


def foretold(amount, *known, path="new.tsv", kind="", start=1.0):
    return predict(path, "train", Work(amount, kind), known, lambda: start, "records")


@given(st.floats(0.1, 10), st.floats(1e-3, 10), st.floats(1, 1e3))
def test_times_on_a_line_are_continued_along_it(start, slope, amount):
    constant, found = line([10.0, 30.0, 100.0], [start + slope * k for k in (10, 30, 100)], start)
    assert constant + found * amount == pytest.approx(start + slope * amount, rel=1e-6)


def test_a_record_of_a_job_is_scaled_by_its_work_beyond_the_start():
    found = foretold(300.0, record(100.0, 5.0))  # 1 s to start, 0.04 s per unit of work
    assert found.seconds == pytest.approx(13.0)
    assert found.basis == "records"


def test_a_job_with_the_same_work_takes_what_it_took():
    own, others = record(100.0, 5.0, path="new.tsv"), record(100.0, 9.0)
    found = foretold(100.0, others, own)
    assert (found.seconds, found.basis) == (5.0, "its last run")
    assert foretold(100.0, own, others, path="third.tsv").seconds == 7.0


def test_jobs_of_its_kind_tell_more_than_others_of_its_rule():
    deep, shallow = record(100.0, 9.0, "deep"), record(100.0, 3.0, "shallow")
    assert foretold(100.0, deep, shallow, kind="deep").seconds == 9.0
    assert foretold(100.0, deep, shallow, kind="new").seconds == 6.0
    assert foretold(100.0, replace(deep, group="plot")) is None


def test_records_of_little_work_cannot_tell_what_much_work_takes():
    tiny = record(1.0, 2.0, "deep")  # half of it is the start
    assert foretold(4.0, tiny, kind="deep").trusted
    assert not foretold(1000.0, tiny, kind="deep").trusted
    other = record(500.0, 100.0, "shallow")
    both = foretold(1000.0, tiny, other, kind="deep")
    assert both.trusted
    assert both.seconds == pytest.approx(200, rel=0.05)


@pytest.fixture
def asked(monkeypatch):
    """What is measured: a start takes 1 s; the small run tells what it is set to."""
    asked = {"groups": [], "starts": [], "small run": []}

    def small_run(arguments, changes, groups, work_of, cores):
        asked["groups"] += groups
        asked["changes"] = changes
        return asked["small run"]

    def start_of(stage):
        asked["starts"].append(stage)
        return 1.0

    monkeypatch.setattr(costs, "small_run", small_run)
    monkeypatch.setattr(costs, "start_of", start_of)
    return asked


def told_of(jobs, **options):
    return estimated(jobs, Path("results/now"), [], 1, lambda what: None, **options)


def test_without_any_record_work_is_measured_and_of_the_rest_the_start(folder, asked):
    jobs = [sampling_job(f"{k}.nc", CRITICAL) for k in (1, 2)]
    jobs += [
        job("plot", ["p"], ["1.nc"]),
        job("autoencoder.beta_flow", ["f"], ["1.nc"], spec={"bootstrap_samples": 9}),
    ]
    work = work_of(planned(jobs)[0])
    asked["small run"] = [Record("s.tsv", "sample_lattices", work, work.amount, 3.0)]
    told = told_of(jobs)
    assert asked["groups"] == ["sample_lattices"]
    assert asked["changes"]["members"] == 2
    # Of one job the start has to do: all that it needs would be made to measure it.
    assert asked["starts"] == ["stages.plot"]
    assert [(each.seconds, each.basis) for each in told.costs] == [
        *[(3.0, "measured")] * 2,
        *[(1.0, "its start only")] * 2,
    ]
    assert told.load is not None


def test_nothing_is_measured_where_this_runs_own_records_tell_all(folder, asked, monkeypatch):
    jobs = [
        sampling_job("a.nc", CRITICAL, benchmark="results/now/benchmarks/a.tsv"),
        sampling_job("b.nc", CRITICAL, benchmark="results/now/benchmarks/b.tsv"),
    ]
    write_benchmark(jobs[0].benchmark, 3.0, 3.0)
    (folder / "results/other").mkdir()
    (folder / "results/other/config.json").write_text("{}")
    monkeypatch.setattr(costs, "jobs_of", None)  # is not called
    told = told_of(jobs)
    assert [each.basis for each in told.costs] == ["its last run", "records"]
    assert [each.seconds for each in told.costs] == [3.0, 3.0]
    assert (asked["groups"], asked["starts"], told.load) == ([], [], None)


def test_records_of_other_results_are_scaled_by_the_work_that_their_config_asked_for(
    folder, asked, monkeypatch
):
    other = sampling_job("x.nc", {**CRITICAL, "number": 400}, benchmark="results/other/b/x.tsv")
    write_benchmark(other.benchmark, 9.0, 9.0)
    (folder / "results/other/config.json").write_text("{}")
    monkeypatch.setattr(costs, "jobs_of", lambda results: [other])
    told = told_of([sampling_job("a.nc", CRITICAL)])
    assert told.costs[0].seconds == pytest.approx(5.0)
    assert "other runs" in told.costs[0].basis
    assert asked["groups"] == []


def test_results_of_another_version_are_left_out_with_a_sentence(folder, asked, monkeypatch):
    (folder / "results/old").mkdir(parents=True)
    (folder / "results/old/config.json").write_text("{}")

    def refuse(results):
        raise CoarsegrainError("no such key")

    monkeypatch.setattr(costs, "jobs_of", refuse)
    told = told_of([job("plot", ["p"])])
    assert told.left_out == ["results/old/config.json is not one of this version's"]
    assert any("results/old" in line for line in notes(told, 1))


@pytest.mark.parametrize("text", ["{\"__use_yte__\": true, \"?open('ran', 'w')\": 1}", "[", "\0"])
def test_a_config_kept_with_results_that_holds_code_or_nothing_is_refused_unread(
    folder, monkeypatch, text
):
    monkeypatch.setattr(measurement, "list_jobs", None)  # is not called
    (folder / "config.json").write_text(text)
    with pytest.raises(CoarsegrainError):
        measurement.jobs_of(folder)


def test_the_small_run_makes_the_largest_job_of_a_rule_that_needs_fewest_others():
    jobs = [
        job("sample", ["a"]), job("sample", ["b"]), job("train", ["m"], ["a"]),
        job("train", ["n"], ["b"]), job("train", ["o"], ["b", "m"]), job("flow", ["f"], ["n"]),
    ]  # fmt: skip

    def of(*amounts):
        return [Work(each) for each in amounts]

    assert largest(jobs, of(1, 1, 2, 2, 2, 1), ["flow", "sample", "train"]) == ["f", "b", "n"]
    assert largest(jobs, of(1, 5, 2, 2, 3, 1), ["train", "dream"]) == ["o"]
    odd = [*of(1, 1, 2), Work(1, group="odd"), *of(3, 1)]
    assert largest(jobs, odd, ["train odd", "train"]) == ["n", "o"]


# --- what is printed ---


def test_the_table_has_a_row_per_rule_and_kind_with_all_jobs_and_those_to_do():
    jobs = [job("train", ["a"]), job("train", ["b"], pending=False), job("sample", ["c"])]
    works = [Work(1, "deep"), Work(1, "deep"), Work(1)]
    told = Estimate(works, [Cost(10.0, "records")] * 3)
    lines = [re.split(r" {2,}", line) for line in table(jobs, told)]
    assert lines[1:] == [
        ["sample", "1", "1", "10 s", "10 s", "records"],
        ["train deep", "2", "1", "10 s", "10 s", "records"],
    ]


def test_totals_tell_what_is_to_do_apart_from_everything():
    jobs = [
        job("a", ["x"], pending=False),
        job("b", ["y"], ["x"]),
        job("b", ["z"], ["x"], threads=2),
    ]
    told = Estimate([Work(bytes=1e9)] * 3, [Cost(30.0, "records")] * 3)
    lines = totals(jobs, told, 2)
    assert "1 min 30 s for what is to do; 2 min for everything" in lines[0]
    assert "30 s on 3 cores; 30 s on any number" in totals(jobs, told, 3)[1]
    assert "1 min on 2 cores;" in lines[1]
    assert "about 3.0 GB" in lines[3]
    assert "1 min on 1 core;" in totals(jobs, told, 1)[1]


def test_when_nothing_is_to_do_it_says_so(folder):
    Path("r").write_bytes(bytes(5_000_000))
    done = job("report", ["r"], pending=False)
    lines = totals([done], Estimate([Work()], [Cost(60.0, "records")]), 2)
    assert lines[0].startswith("Nothing to do")
    assert "1 min of one core" in lines[1]
    assert "5.0 MB" in lines[2]


def test_it_says_so_if_the_machine_was_busy_while_it_measured():
    told = Estimate([Work()], [Cost(1.0, "measured")], load=5.2)
    assert any("busy" in line and "load 5.2 on 2 cores" in line for line in notes(told, 2))
    for calm in (replace(told, load=1.9), replace(told, load=None)):
        assert not any("busy" in line for line in notes(calm, 2))


def test_cores_are_those_that_snakemake_is_given():
    assert cores_of(["--cores", "3", "--configfile", "a.yaml"]) == 3
    assert cores_of(["--cores", "all"]) == cores_of([]) == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("cores", ["abc", "0", "-2", "1.5"])
def test_what_is_no_number_of_cores_is_refused_with_a_sentence(cores):
    with pytest.raises(CoarsegrainError, match=f"'{cores}'; give CORES"):
        cores_of([f"--cores={cores}"])


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
    assert 0 < to_do["train_net"] < Counter(each.rule for each in jobs)["train_net"]
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
    while not asked.stderr.readline().startswith("measuring"):
        assert asked.poll() is None
    os.killpg(asked.pid, signal.SIGINT)
    rest = asked.communicate(timeout=60)[1]
    assert asked.returncode == 130
    assert rest.split("\n") == ["", "Interrupted; nothing was started.", ""]


@pytest.mark.slow
def test_it_works_while_another_run_holds_the_lock_and_writes_no_results(checkout):
    lock = checkout.path / ".snakemake/runs/results/smoke/run.lock"
    with at_work("results/smoke", lock, {"pid": 1}):
        assert "Another run is at work" in checkout.smoke().stdout
        asked = estimate(checkout, "--cores", "2", "--configfile", SMOKE)
        told, errors = asked.communicate()
        assert lock.read_text() == '{"pid": 1}'
    assert asked.returncode == 0, errors
    assert re.search(r"^train_net Model-1 +2 +2 .*measured$", told, flags=re.M)
    assert re.search(r"^plot_beta_flow +1 +1 .*its start only$", told, flags=re.M)
    assert re.search(r"^By the clock .* on 2 cores", told, flags=re.M)
    assert not (checkout.path / "results").exists()


@pytest.mark.slow
def test_a_finished_run_tells_of_itself_and_of_a_like_one_beside_it(smoke_run):
    like = smoke_run.path / "like.yaml"
    like.write_text("results_dir: results/like\nseed: 1\nmembers: 3\n")
    for changes, basis in (([], "its last run"), ([str(like)], "records, also of other runs")):
        asked = estimate(smoke_run, "--cores", "2", "--configfile", SMOKE, *changes)
        told, errors = asked.communicate()
        assert asked.returncode == 0, errors
        assert re.search(rf"^train_net Model-1 +\d .*{basis}$", told, flags=re.M)
        assert "measured" not in told.partition("By the clock")[0].partition("Made anew")[0]
    assert not (smoke_run.path / "results/like").exists()
