"""GPUs shared out among jobs: which of them a process may use, and a claim on one.

Snakemake gives no job a device. So a job that is about to compute with CUDA claims a GPU first, and
no other job of anyone on this machine gets that one until the job has ended.
"""

from pipeline.gpus.auto import settled_device
from pipeline.gpus.claim import claim_gpu, gpu_slots, take_device
from pipeline.gpus.visible import Gpu, visible_gpus

__all__ = ["Gpu", "claim_gpu", "gpu_slots", "settled_device", "take_device", "visible_gpus"]
