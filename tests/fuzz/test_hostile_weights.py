"""A file of weights is a net, a checkpoint or a joint training, or it is refused."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from limits import judged, refused, refused_by_stage

from coarsegrain.nets.network import Layer, Network, read_network
from coarsegrain.storage.weights import MOST_HEADER, read_weights, write_weights
from coarsegrain.training.checkpoint import Checkpoint, CheckpointFile
from pipeline.together import read_trained

WEIGHT = np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3)
HISTORY = np.ones((2, 2, 3))
FROZEN = Network((Layer(np.ones((5, 4), np.float32)),))


def written(folder, tensors=None, metadata=None):
    path = folder / "a.safetensors"
    write_weights(path, tensors or {"0.weight": WEIGHT}, metadata or {"activations": "linear"})
    return path


def split(path):
    """The header of a safetensors file as JSON, and the numbers."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def join(path, header, numbers):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + numbers)
    return path


ODD = st.sampled_from(
    [0, 1, -1, 3, 12, 48, 2**31, 2**32, 2**63, 2**64 - 1, 2**64, 10**30, 1.5, None, "", "F64",
     "BF16", "BOOL", "F8_E4M3", "I64", [], [0], [0, 48], [48, 0], [2**63, 2**63], [2**32, 2**32],
     [0, 2**60], [2**64 - 1, 2], {}, True]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_rewritten_header_is_refused_or_says_the_same(data, tmp_path_factory):
    path = written(tmp_path_factory.mktemp("header"))
    header, numbers = split(path)
    for _ in range(data.draw(st.integers(1, 3))):
        entry = data.draw(st.sampled_from(["0.weight", "1.weight", "__metadata__"]))
        kind = data.draw(st.sampled_from(["dtype", "shape", "data_offsets", "coarsegrain", "x"]))
        if entry in header and isinstance(header[entry], dict):
            header[entry][kind] = data.draw(ODD)
        else:
            header[entry] = {"dtype": "F32", "shape": [4, 3], "data_offsets": data.draw(ODD)}
    answer = judged(read_weights, join(path, header, numbers))
    if isinstance(answer, str):
        assert str(path) in answer
    else:
        assert list(answer[0]) == ["0.weight"]
        assert np.array_equal(answer[0]["0.weight"], WEIGHT)


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=64)
    | st.text(st.sampled_from('{}[]":,0.weightdypshaF32 \\u\0'), max_size=64).map(str.encode)
)
def test_any_header_is_refused(tmp_path_factory, header):
    path = tmp_path_factory.mktemp("any") / "a.safetensors"
    refused(read_weights, join(path, header, b"\0" * 48))


HEADERS = {
    "a header of 104857600 bytes": b" " * (100 * 2**20 - 1) + b"}",
    "a header of 1048577 bytes": b" " * (MOST_HEADER + 1),
    "cannot be read": b"[" * 100_000,
    "cannot be read as a set of weights": b'{"a":' * 10_000,
}


@pytest.mark.parametrize("fragment", HEADERS)
def test_header_that_is_large_or_deep_is_refused(fragment, tmp_path):
    path = join(tmp_path / "a.safetensors", HEADERS[fragment], b"")
    assert fragment in refused(read_weights, path)


ENTRIES = [
    "", "null", "[]", "3", '{"metadata": 3}', '{"metadata": {}}', '{"metadata": {}, "sha256": 3}',
    "[" * 100_000, '{"metadata": {"a": ' + "9" * 5000 + "}}", '{"metadata": {"\\ud800": 1}}',
]  # fmt: skip


@pytest.mark.parametrize("entry", ENTRIES, ids=range(len(ENTRIES)))
def test_metadata_that_are_none_of_ours_are_refused(entry, tmp_path):
    path = written(tmp_path)
    header, numbers = split(path)
    header["__metadata__"]["coarsegrain"] = entry
    refused(read_weights, join(path, header, numbers))


def test_two_entries_of_one_name_are_refused(tmp_path):
    path = written(tmp_path)
    header, numbers = split(path)
    other = json.dumps({"0.weight": {"dtype": "F32", "shape": [12], "data_offsets": [0, 48]}})
    text = f"{json.dumps(header)[:-1]}, {other[1:]}"
    refused(read_weights, join(path, text.encode(), numbers))


# From here on the file is whole and its digest right: what only a forger writes.
ANY_ARRAY = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8]),
    st.one_of(
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
        st.sampled_from([(4, 3), (3, 4), (3,), (2, 2, 3), (1, 2, 3), (0, 2, 3), (0, 2**40)]),
    ),
    elements=st.integers(0, 3),
)  # fmt: skip
NAMES = [
    "0.weight", "1.weight", "0.bias", "1.bias", "0.history", "0.0.weight", "0.0.bias", "history",
]  # fmt: skip
ACTIVATIONS = st.sampled_from(["linear", "linear,tanh", "", ",", "eval", "relu,relu"])
CHECKPOINTS = st.fixed_dictionaries(
    {},
    optional={
        "0.weight": ANY_ARRAY | st.just(WEIGHT), "history": ANY_ARRAY | st.just(HISTORY),
        "x": ANY_ARRAY,
    },
)  # fmt: skip
TENSORS = st.dictionaries(st.sampled_from(NAMES), ANY_ARRAY, min_size=1)


@settings(max_examples=200, deadline=None)
@given(tensors=TENSORS, activations=ACTIVATIONS)
def test_any_arrays_are_a_net_that_answers_or_are_refused(tmp_path_factory, tensors, activations):
    path = written(tmp_path_factory.mktemp("net"), tensors, {"activations": activations})
    net = judged(read_network, path)
    if isinstance(net, str):
        assert str(path) in net
    else:
        assert net(np.ones((2, net.sizes[0]), np.int8)).shape == (2, net.sizes[-1])


@settings(max_examples=200, deadline=None)
@given(tensors=TENSORS, frozen=st.sampled_from([None, FROZEN]))
def test_any_arrays_are_a_joint_training_or_are_refused(tmp_path_factory, tensors, frozen):
    path = written(tmp_path_factory.mktemp("together"), tensors, {})
    found = judged(lambda each: read_trained(each, 0, frozen, ["linear"]), path)
    if isinstance(found, str):
        assert str(path) in found
    else:
        inputs = np.ones((2, found.network.sizes[0]), np.int8)
        assert found.network(inputs).shape == (2, found.network.sizes[-1])
        assert found.history.objectives.shape == (found.history.epochs, 2)


@settings(max_examples=200, deadline=None)
@given(tensors=CHECKPOINTS.filter(bool))
def test_any_arrays_are_a_checkpoint_or_training_starts_anew(tmp_path_factory, tensors):
    path = written(tmp_path_factory.mktemp("checkpoint"), tensors, {})
    start = Checkpoint(np.empty((0, 2, 3)), {"0.weight": WEIGHT})
    found = judged(lambda each: CheckpointFile(each, 0).load(start), path)
    assert found is None or (
        found.tensors["0.weight"].shape == WEIGHT.shape and found.history.shape[1:] == (2, 3)
    )


def test_stage_refuses_forged_weights_with_a_sentence(tmp_path):
    path = written(tmp_path, {"0.weight": np.ones((0, 2**40), np.float32)})
    network = tmp_path / "out" / "net.safetensors"
    told = refused_by_stage("autoencoder.transfer_weights", "--parts", path, "--network", network)
    assert told.startswith(f"error: {path} holds no net of coarsegrain")
