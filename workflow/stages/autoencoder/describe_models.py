"""Rule describe_models: the models layer by layer (Table I of Shukla & Thakur 2021)."""

import pandas as pd

from coarsegrain.nets.architecture import THERMOMETER, model_sizes, models, shallow_nets
from coarsegrain.storage.tables import write_table
from pipeline.stage import Output, Spec, run


def main(*, table: Output, spec: Spec) -> None:
    """List every layer of every net: sizes, activation, where its weights come from.

    Spec: L; autoencoder_layers, activation (of trained layers), map (what HCG hard-codes);
    thermometer_hidden.
    """
    L, activation = spec["L"], spec["activation"]
    hard_coded = f"hard-coded {spec['map']}"
    nets = shallow_nets(L)
    rows = []

    def add(model: str, sizes: list[int], layer: int, weights: str, act: str, biases: bool) -> None:
        rows.append(
            {
                "model": model,
                "layer": layer + 1,
                "inputs": sizes[layer],
                "outputs": sizes[layer + 1],
                "weights": weights,
                "activation": act,
                "biases": biases,
            }
        )

    for net in nets.values():
        sizes = [int(each) for each in net.name.split("-")[1:]]
        weights, act = (hard_coded, "linear") if net.hard_coded else ("trained", activation)
        add(net.name, sizes, 0, weights, act, False)
    for model in models(L).values():
        sizes = list(model_sizes(model, L, spec["autoencoder_layers"]))
        for layer in range(len(sizes) - 1):
            if layer >= len(model.transferred):
                add(model.name, sizes, layer, "trained", activation, False)
                continue
            source = model.transferred[layer]
            frozen = nets[source].hard_coded
            add(
                model.name, sizes, layer, f"transferred from {source}, frozen",
                "linear" if frozen else activation, False,
            )  # fmt: skip
    sizes = [L * L, spec["thermometer_hidden"], 1]
    for layer, act in enumerate(("tanh", "relu")):
        add(THERMOMETER, sizes, layer, "trained", act, True)
    write_table(table, pd.DataFrame(rows))


if __name__ == "__main__":
    run(main)
