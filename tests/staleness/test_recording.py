"""What the recorded jobs did is what their rules say that they do."""

import pytest
from cases import FileEdit

pytestmark = pytest.mark.slow

EVERY_JOB = FileEdit((), arguments=("--forceall",))


def test_every_job_of_the_workflow_was_recorded_and_wrote_what_its_rule_declares(recording, plans):
    planned = plans(EVERY_JOB)
    written = {job.name: set(job.outputs) for job in recording.jobs}
    assert len(planned) == len(written) == len(recording.jobs)
    for job in planned:
        name = recording.name_of(job.outputs)
        if name != recording.report.name:  # a part of it may be written by Snakemake or a shell
            assert set(job.outputs) == written.pop(name)
    assert list(written) == [recording.report.name]


def test_every_input_that_a_rule_declares_is_read_but_for_certificates(recording, plans):
    read = {job.name: job.read for job in recording.jobs}
    unread = {
        (recording.name_of(job.outputs), path)
        for job in plans(EVERY_JOB)
        if job.rule != "report"  # it waits for all tables and figures and shows the PNGs
        for path in job.inputs
        if "/certificates/" not in path or job.rule == "collect_certificates"
        if path not in read[recording.name_of(job.outputs)]
    }
    assert unread == set()


def test_every_result_that_a_job_reads_is_declared_as_its_input(recording, plans):
    declared = {recording.name_of(job.outputs): set(job.inputs) for job in plans(EVERY_JOB)}
    results = {output for job in recording.jobs for output in job.outputs}
    undeclared = {
        (job.name, path)
        for job in recording.jobs
        for path in (job.read & results) - declared[job.name] - set(job.outputs)
    }
    assert undeclared == set()


def test_every_key_of_a_spec_is_read_by_the_stage_that_it_is_given_to(recording):
    assert recording.unread_keys == set()


def test_every_stage_with_a_spec_was_watched(recording, plans):
    with_spec = {job.rule for job in plans(EVERY_JOB) if " --spec '{}' " not in job.command}
    assert {job.stage for job in recording.jobs if job.given} >= with_spec - {"report"}
