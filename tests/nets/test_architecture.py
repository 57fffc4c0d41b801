"""Names and sizes of the nets are the paper's at L = 32 and follow from L elsewhere."""

from coarsegrain.nets.architecture import model_sizes, models, shallow_nets


def test_at_L_32_the_nets_have_the_papers_names():
    assert list(shallow_nets(32)) == [
        "CG-1024-512", "CG-512-256", "UP-256-512", "UP-512-1024", "HCG-1024-512", "HCG-512-256",
    ]  # fmt: skip
    assert list(models(32)) == [
        "Model-1", "Model-2", "Model-2-CG", "Model-3", "Model-3-HCG", "AE-WR",
    ]  # fmt: skip


def test_table_one_says_which_layers_are_transferred_from_where():
    table = models(32)
    assert table["Model-1"].transferred == ()
    assert table["Model-2"].transferred == ("HCG-1024-512", "HCG-512-256")
    assert table["Model-3"].transferred == (
        "CG-1024-512", "CG-512-256", "UP-256-512", "UP-512-1024",
    )  # fmt: skip
    assert [model.name for model in table.values() if not model.is_trained] == [
        "Model-3",
        "Model-3-HCG",
    ]


def test_sizes_follow_from_L():
    assert model_sizes(models(32)["Model-1"], 32, "auto") == (1024, 512, 256, 512, 1024)
    assert model_sizes(models(6)["AE-WR"], 6, "auto") == (36, 18, 9, 18, 36)
    assert "UP-9-18" in shallow_nets(6)


def test_other_hidden_layers_are_for_nets_without_transferred_weights():
    assert model_sizes(models(32)["Model-1"], 32, [100, 7, 100]) == (1024, 100, 7, 100, 1024)
    assert model_sizes(models(32)["Model-2"], 32, [100, 7, 100]) == (1024, 512, 256, 512, 1024)
