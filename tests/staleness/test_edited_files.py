"""An edited file makes stale what really imported or opened it, and what follows: no more, no less.

What a job imported and opened is from a recording of its processes, not from reading import
statements, and what follows is from the files that jobs opened, not from Snakemake's graph.
"""

import pytest
from cases import TRAINING, FileEdit, assert_exactly
from edits import PROJECT, files, reformatted, with_comments, with_other_docstrings

pytestmark = pytest.mark.slow

SAMPLING = {"sample_lattices"}
# What only a GPU's path imports or opens, so that a run on a CPU cannot tell: the stages that may.
ON_A_GPU = {
    "coarsegrain/ising/sampler/kernels.cu": SAMPLING,  # sampler/cupy_backend.py compiles it
    # nets/training/loop.py decides while it trains which of these it imports
    "coarsegrain/nets/training/gpu/__init__.py": TRAINING,
    "coarsegrain/nets/training/gpu/shallow_cuda.py": TRAINING,
    "coarsegrain/nets/training/gpu/shallow_layout.py": TRAINING,
    "coarsegrain/nets/training/gpu/shallow.cu": TRAINING,
    "coarsegrain/nets/training/gpu/stacked.py": TRAINING,
    "coarsegrain/nets/training/gpu/stacked_net.py": TRAINING,
    "coarsegrain/nets/training/gpu/cuda_graphs.py": TRAINING,
}
# The smoke preset leaves it out.
OF_OTHER_STUDIES = ("workflow/report/rbm/", "workflow/report/neuralrg/")
CAPTIONS = sorted(
    path.relative_to(PROJECT).as_posix() for path in (PROJECT / "workflow/report").rglob("*.rst")
)


def made_with(recording, name):
    """The jobs that really imported or opened a file."""
    stages = ON_A_GPU.get(name.removeprefix("workflow/"), set())
    return recording.jobs_where(
        lambda job: name in job.code or name in job.read or job.stage in stages
    )


@pytest.mark.parametrize("case", [FileEdit((name,)) for name in files()], ids=str)
def test_an_edit_makes_stale_what_ran_with_the_file_and_what_follows(recording, plans, case):
    expected = recording.with_downstream(made_with(recording, *case.names))
    assert_exactly(plans(case), expected, recording)


def longer(text):
    return f"{text}\nMore.\n"


@pytest.mark.parametrize("case", [FileEdit((name,), longer) for name in CAPTIONS], ids=str)
def test_an_edited_caption_makes_the_report_stale_and_nothing_else(recording, plans, case):
    """Nothing at all, if it is of a study that the report is not about."""
    left_out = case.names[0].startswith(OF_OTHER_STUDIES)
    expected = set() if left_out else {recording.report.name}
    assert made_with(recording, *case.names) == expected
    assert_exactly(plans(case), expected, recording)


@pytest.mark.parametrize(
    "case",
    [
        FileEdit((), with_comments),
        FileEdit(tuple(files(".py")), with_comments),
        FileEdit(tuple(files(".py")), with_other_docstrings),
        FileEdit(tuple(files(".py")), reformatted),
    ],
    ids=["no edit", "comments", "docstrings", "layout"],
)
def test_edits_of_all_modules_that_change_no_program_make_nothing_stale(recording, plans, case):
    assert_exactly(plans(case), set(), recording)


def test_the_table_of_what_a_gpu_imports_is_up_to_date(recording):
    run_here = {name for job in recording.jobs for name in job.code | job.read}
    for name in ON_A_GPU:
        assert (PROJECT / "workflow" / name).is_file()
        assert f"workflow/{name}" not in run_here
