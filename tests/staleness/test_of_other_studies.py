"""Jobs of studies B and C do what their rules declare, and are stale when their code is edited."""

import pytest
from cases import FileEdit, assert_exactly
from edits import files
from recording import Recording

from planning import Planner

pytestmark = pytest.mark.slow

STUDIES = {"studies": ["autoencoder", "rbm", "neuralrg"]}
# What a stage imports where it needs it: on a GPU.
WHERE_NEEDED = {"workflow/coarsegrain/rbm/training/gpu.py": {"train_machine"}}
#: The libraries of these studies alone; what studies share is edited in test_edited_files.py.
FOLDERS = tuple(
    f"workflow/{each}/"
    for each in ("coarsegrain/rbm", "stages/rbm", "coarsegrain/flows", "stages/neuralrg")
)
OF_THESE_STUDIES = [name for name in files(".py") if name.startswith(FOLDERS)]


@pytest.fixture(scope="module")
def recording(recorded_run_of_all):
    """What every job of these studies really did, and those of all studies together."""
    return Recording(recorded_run_of_all[1])


@pytest.fixture(scope="module")
def plan(recorded_run_of_all, tmp_path_factory):
    """Plans the jobs of these studies, of a copy of the run."""
    copy = recorded_run_of_all[0].copied(tmp_path_factory.mktemp("rbm") / "copy")
    planner = Planner(copy.path, tmp_path_factory.mktemp("plan"))
    yield lambda *arguments, **changes: planner.plan(*arguments, settings=STUDIES, **changes)
    planner.close()


@pytest.fixture(scope="module")
def planned(recording, plan):
    """Every job of these studies as its rule has it, by name."""
    names = {job.name for job in recording.jobs}
    every = {recording.name_of(job.outputs): job for job in plan("--forceall")}
    assert names <= every.keys()
    return {name: every[name] for name in names}


def test_jobs_write_and_read_what_their_rules_declare(recording, planned):
    results = {path for job in planned.values() for path in (*job.inputs, *job.outputs)}
    for job in recording.jobs:
        declared = planned[job.name]
        if declared.rule == "report":
            continue
        assert set(declared.outputs) == set(job.outputs)
        assert (job.read & results) - set(job.outputs) <= set(declared.inputs), job
        unread = set(declared.inputs) - job.read
        certificates = declared.rule != "collect_certificates"
        assert {path for path in unread if not ("/certificates/" in path and certificates)} == set()


def test_every_key_of_a_spec_is_read_by_the_stage_that_it_is_given_to(recording):
    assert recording.unread_keys == set()


@pytest.mark.parametrize("name", OF_THESE_STUDIES)
def test_an_edit_makes_stale_what_ran_with_the_file_and_what_follows(recording, plan, name):
    stages = WHERE_NEEDED.get(name, set())
    ran = recording.jobs_where(lambda job: name in job.code or job.stage in stages)
    edits = FileEdit((name,)).changes()["edits"]
    assert_exactly(plan(edits=edits), recording.with_downstream(ran), recording)
