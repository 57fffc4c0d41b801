"""A recorded run, and what Snakemake would do in copies of it."""

import shutil

import pytest
from recording import Recording

from planning import Planner, Planners

# Dry runs side by side: CI has two cores.
PLANNERS = 2


@pytest.fixture(scope="session")
def recording(recorded_smoke_run):
    """What every job of the smoke run really did."""
    return Recording(recorded_smoke_run[1])


@pytest.fixture(scope="session")
def planners(smoke_run, tmp_path_factory):
    """Dry runs in copies of the smoke run."""
    folders = [tmp_path_factory.mktemp("copy") for _ in range(PLANNERS)]
    for folder in folders:
        shutil.copytree(smoke_run.path, folder, dirs_exist_ok=True)
    made = Planners([Planner(folder, tmp_path_factory.mktemp("plan")) for folder in folders])
    yield made
    made.close()


@pytest.fixture(scope="module")
def plans(planners, request):
    """Plans by case; those of all tests of the file that will run are made ahead, side by side."""
    ahead = {}

    def of(case):
        if case not in ahead:
            ahead[case] = planners.submit(*case.arguments, **case.changes())
        return ahead[case].result()

    for item in request.session.items:
        if item.path != request.path:  # it may be another worker's
            continue
        case = getattr(getattr(item, "callspec", None), "params", {}).get("case")
        if hasattr(case, "changes"):
            ahead[case] = planners.submit(*case.arguments, **case.changes())
    return of
