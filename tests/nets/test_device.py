"""The device is what was asked for, or there is an error: never a silent fallback."""

import pytest
import torch

from coarsegrain.errors import DeviceError
from coarsegrain.nets.device import choose_device, use_threads


def test_auto_says_which_device_it_took(capsys):
    chosen = choose_device("auto")
    assert chosen == ("cuda" if torch.cuda.is_available() else "cpu")
    assert f"device: {chosen}" in capsys.readouterr().out


def test_cpu_is_cpu_also_where_there_is_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("cpu") == "cpu"


def test_cuda_without_cuda_is_an_error_with_a_way_out(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="no CUDA device; use auto or cpu"):
        choose_device("cuda")


def test_threads_are_the_number_asked_for():
    before = torch.get_num_threads()
    try:
        use_threads(1)
        assert torch.get_num_threads() == 1
    finally:
        use_threads(before)
