"""Ask the NVIDIA driver which GPUs it shows, and print them as JSON. A program, run by its path.

The driver reads CUDA_VISIBLE_DEVICES once, when it is first asked: the process that asks cannot be
put on one of the GPUs any more. So a process of its own asks, without this project's imports. No
context is created, and no memory taken, on any GPU.
"""

import ctypes
import json

LIBRARY = "libcuda.so.1"


def main() -> None:
    """Print {"gpus": [[uuid, name], ...]}, or {"error": why} where the driver shows none."""
    driver = ctypes.CDLL(LIBRARY)
    number, device = ctypes.c_int(0), ctypes.c_int(0)
    error = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(number))
    gpus = []
    for ordinal in range(0 if error else number.value):
        uuid, name = ctypes.create_string_buffer(16), ctypes.create_string_buffer(256)
        error = (
            error
            or driver.cuDeviceGet(ctypes.byref(device), ordinal)
            or driver.cuDeviceGetUuid_v2(uuid, device)
            or driver.cuDeviceGetName(name, len(name), device)
        )
        gpus.append([uuid.raw.hex(), name.value.decode(errors="replace")])
    print(json.dumps({"error": error} if error else {"gpus": gpus}))


if __name__ == "__main__":
    try:
        main()
    except AttributeError as missing:  # a driver too old for what computes here
        print(json.dumps({"error": str(missing)}))
