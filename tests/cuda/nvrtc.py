"""NVIDIA's runtime compiler, from its wheel: it needs no GPU."""

import ctypes
import importlib.metadata


def _library() -> ctypes.CDLL:
    files = importlib.metadata.files("nvidia-cuda-nvrtc")
    library = next(f for f in files if f.name.startswith("libnvrtc.so"))
    return ctypes.CDLL(str(library.locate()))


def compile_with_nvrtc(source: str, *options: str) -> tuple[bool, str, str]:
    """Whether it compiles, the compiler's log, and the PTX."""
    library, program = _library(), ctypes.c_void_p()
    created = library.nvrtcCreateProgram(
        ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None
    )
    assert created == 0
    flags = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
    failed = library.nvrtcCompileProgram(program, len(flags), flags)
    texts = []
    for what in ("ProgramLog", "PTX"):
        size = ctypes.c_size_t()
        getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size))
        text = ctypes.create_string_buffer(max(1, size.value))
        getattr(library, f"nvrtcGet{what}")(program, text)
        texts.append(text.value.decode())
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return failed == 0, texts[0], texts[1]
