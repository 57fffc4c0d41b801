"""The code digest changes with what a stage computes, and with nothing else."""

import pytest

from pipeline.digest import LOCK, WORKFLOW, code_digest

FILES = {
    "stages/__init__.py": "",
    "stages/train.py": "from lib.nets import fit\nimport numpy as np\nprint(fit())\n",
    "lib/__init__.py": '"""The library."""\n',
    "lib/nets.py": (
        '"""Nets."""\nfrom . import loss\nfrom .deep.model import depth\n\n\n'
        'def fit():\n    """Fit."""\n    import lib.late\n\n    return loss.hinge() + depth\n'
    ),
    "lib/loss.py": "def hinge():\n    return 1\n",
    "lib/late.py": "late = 1\n",
    "lib/deep/__init__.py": "",
    "lib/deep/model.py": "from ..shared import depth\n",
    "lib/shared.py": "depth = 3\n",
    "lib/unrelated.py": "x = 1\n",
    "requirements.lock": "# a lock\nnumpy==2.0\nscikit-image==0.24\nmatplotlib==3.9  # plots\n",
}


@pytest.fixture
def root(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def digest(root):
    return code_digest("stages.train", root, root / "requirements.lock")


def edited(root, name, old, new):
    """The digest before and after an edit."""
    before, text = digest(root), (root / name).read_text()
    assert old in text
    (root / name).write_text(text.replace(old, new) if old else text + new)
    return before, digest(root)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("stages/train.py", "print(fit())", "print(-fit())"),
        ("lib/nets.py", "+ depth", "- depth"),
        ("lib/loss.py", "return 1", "return 2"),  # from . import module
        ("lib/deep/model.py", "import depth", "import depth as depth"),  # from .package.module
        ("lib/shared.py", "3", "4"),  # from ..module
        ("lib/late.py", "1", "2"),  # imported inside a function
        ("lib/__init__.py", "", "x = 1\n"),
        ("lib/deep/__init__.py", "", "x = 1\n"),
        ("stages/__init__.py", "", "x = 1\n"),
        ("requirements.lock", "numpy==2.0", "numpy==2.1"),
    ],
)
def test_edit_that_counts_changes_the_digest(root, name, old, new):
    before, after = edited(root, name, old, new)
    assert before != after


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("lib/loss.py", "return 1", "return 1  # the hinge"),
        ("lib/loss.py", "    return 1", "\n    return (\n        1\n    )\n"),
        ("lib/nets.py", '"""Fit."""', '"""Fit well."""'),
        ("lib/nets.py", '    """Fit."""\n', ""),
        ("lib/nets.py", '"""Nets."""\n', ""),
        ("lib/unrelated.py", "1", "2"),
        ("requirements.lock", "# a lock", "# the lock"),
        ("requirements.lock", "# plots", "# figures"),
        ("requirements.lock", "scikit-image==0.24", "scikit-image==0.25"),  # not imported
    ],
)
def test_edit_that_does_not_count_leaves_the_digest(root, name, old, new):
    before, after = edited(root, name, old, new)
    assert before == after


def test_locked_library_counts_under_its_own_name(root):
    (root / "lib/loss.py").write_text("from skimage import measure\n")
    before, after = edited(root, "requirements.lock", "scikit-image==0.24", "scikit-image==0.25")
    assert before != after


def test_data_file_of_an_imported_package_counts(root):
    before = digest(root)
    (root / "lib/unused").mkdir()
    (root / "lib/unused/plots.mplstyle").write_text("font.size: 9\n")
    assert digest(root) == before
    (root / "lib/plots.mplstyle").write_text("font.size: 9\n")
    with_style = digest(root)
    (root / "lib/plots.mplstyle").write_text("font.size: 8\n")
    assert len({before, with_style, digest(root)}) == 3


def test_circular_imports_have_a_digest(root):
    (root / "lib/loss.py").write_text("import stages.train\n")
    assert len(digest(root)) == 16


def test_stage_that_is_not_there_has_no_digest(root):
    with pytest.raises(ModuleNotFoundError, match=r"stages\.absent"):
        code_digest("stages.absent", root, root / "requirements.lock")


def test_a_new_scipy_trains_no_net_and_makes_no_lattices(tmp_path):
    lock = LOCK.read_text()
    assert "scipy==" in lock
    newer = tmp_path / "requirements.lock"
    newer.write_text(lock.replace("scipy==", "scipy==9."))
    stages = [
        ".".join(path.relative_to(WORKFLOW).with_suffix("").parts)
        for path in (WORKFLOW / "stages").rglob("*.py")
    ]
    stale = {each for each in stages if code_digest(each, lock=newer) != code_digest(each)}
    assert any(each.endswith("beta_flow") for each in stale)
    makers = ("train", "sample", "decimate", "hard_code", "transfer")
    assert not {each for each in stale if each.rpartition(".")[2].startswith(makers)}
