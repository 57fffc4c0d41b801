"""Training written out plainly, by autograd and ``torch.optim.Adam``: the trainers' reference."""

import torch

from coarsegrain.training.batches import epoch_order

LOSSES = {
    "hinge": lambda y, t: (1 - t * y).clamp(min=0).mean(),
    "squared_hinge": lambda y, t: ((1 - t * y).clamp(min=0) ** 2).mean(),
    "mse": lambda y, t: ((y - t) ** 2).mean(),
}
ACTIVATIONS = {"linear": lambda y: y, "tanh": torch.tanh, "relu": torch.relu}


def trained_by_torch(
    network, data, settings, *, seed, precision, frozen=0, fused=False, epochs=None
):
    """The weights and biases of all layers after training, in float64.

    Objective: loss + λ Σ|w| over the weights that are trained; frozen layers are applied at every
    step; gradients by autograd.
    """
    dtype = getattr(torch, precision)
    x, t = (torch.from_numpy(each.reshape(len(each), -1)).to(dtype) for each in data)
    weights, biases = [], []
    for k, layer in enumerate(network.layers):
        weights.append(torch.tensor(layer.weight, dtype=dtype, requires_grad=k >= frozen))
        bias = None if layer.bias is None else torch.tensor(layer.bias, dtype=dtype)
        biases.append(None if bias is None else bias.requires_grad_(k >= frozen))
    parameters = [each for each in (*weights, *biases) if each is not None and each.requires_grad]
    optimizer = torch.optim.Adam(
        parameters,
        lr=settings.learning_rate,
        betas=settings.adam_betas,
        eps=settings.adam_epsilon,
        fused=fused,
    )
    for epoch in range(1, (epochs or settings.epochs) + 1):
        order = torch.from_numpy(epoch_order(seed, epoch, len(x)))
        for batch in order.split(settings.batch_size):
            y = x[batch]
            for layer, weight, bias in zip(network.layers, weights, biases, strict=True):
                y = y @ weight if bias is None else y @ weight + bias
                y = ACTIVATIONS[layer.activation](y)
            penalty = sum(weight.abs().sum() for weight in weights[frozen:])
            optimizer.zero_grad()
            (LOSSES[settings.loss](y, t[batch]) + settings.l1 * penalty).backward()
            optimizer.step()
    return [
        None if each is None else each.detach().numpy().astype(float) for each in weights + biases
    ]
