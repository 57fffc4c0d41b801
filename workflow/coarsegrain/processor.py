"""The processor that kernels are compiled for: the width of its vectors, its multiply-add.

Kernels give the same bits on every processor; which of two ways to them is the faster depends on
the registers: 32 of 512 bits with AVX-512, 16 of 256 with AVX2, 32 of 128 on ARM. numba compiles
for the host unless NUMBA_CPU_NAME, NUMBA_CPU_FEATURES or NUMBA_ENABLE_AVX say otherwise, so the
question goes to LLVM, with the names that numba gives it: what does it make of a small function?
"""

import functools
import re

from llvmlite import binding
from numba.core.registry import cpu_target

_FUNCTION = """
target triple = "{triple}"
declare <16 x float> @llvm.fma.v16f32(<16 x float>, <16 x float>, <16 x float>)
define void @f(<16 x float>* %p) {{
  %x = load <16 x float>, <16 x float>* %p, align 4
  %y = fadd <16 x float> %x, %x
  store <16 x float> %y, <16 x float>* %p, align 4
  %z = call <16 x float> @llvm.fma.v16f32(<16 x float> %x, <16 x float> %x, <16 x float> %x)
  %q = getelementptr <16 x float>, <16 x float>* %p, i32 1
  store <16 x float> %z, <16 x float>* %q, align 4
  ret void
}}
"""


@functools.cache
def vector_bits() -> int:
    """Bits of the widest vector registers that kernels use: 512, 256 or 128."""
    for register, bits in (("zmm", 512), ("ymm", 256)):
        if register in _assembly():
            return bits
    return 128


@functools.cache
def has_fused_multiply_add() -> bool:
    """Whether ``a b + c``, rounded once, is an instruction; in software it is 45 times slower."""
    return re.search(r"\b(vfn?m(add|sub)\d*[ps]s|fml[as]|fn?m(add|sub))\b", _assembly()) is not None


@functools.cache
def _assembly() -> str:
    """A sum and a fused multiply-add of 16 float32 numbers, as numba's LLVM compiles them."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    machine = binding.Target.from_triple(triple).create_target_machine(
        cpu=name, features=features, opt=2
    )
    module = binding.parse_assembly(_FUNCTION.format(triple=triple))
    return str(machine.emit_assembly(module))
