"""Vectors of 32 floats inside compiled kernels: what numba does not write by itself.

numba has no vectors; LLVM, behind it, has. These few operations on them are its plain ones, so
they become AVX-512, AVX or NEON code, whatever the machine has. All round as IEEE 754 says and in
one order, and nothing is fused that is not asked for: every machine gets the same bits.

``masked_add`` is why this is here: 32 inputs that are 0 or 1, as 32 bits, times 32 weights. On
AVX-512 that is two instructions.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import extending, types
from numba.core import cgutils
from numba.extending import models, overload, register_model

from coarsegrain.processor import vector_bits

LANES = 32
#: Numbers of a part of a vector: sums that need many vectors at once are kept in parts.
PART = 8
#: Bytes of a register of vectors on this processor, for what has the same bits with any number of
#: lanes: sums that are made one lane by one lane. NEON's are half as wide, and twice as many.
REGISTER = 64 if vector_bits() == 512 else 32
BIT = ir.IntType(1)
INDEX = ir.IntType(32)
# The functions below are called inside kernels, without the first argument of their definition.
intrinsic: Any = extending.intrinsic


class Vector(types.Type):
    """numba's type of ``LANES`` numbers of one type, or of other groups of them."""

    def __init__(self, dtype: types.Number, lanes: int = LANES) -> None:
        self.dtype, self.lanes = dtype, lanes
        super().__init__(name=f"Vector({dtype}, {lanes})")


@register_model(Vector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: Vector) -> None:
        number = manager.lookup(vector.dtype).get_value_type()
        super().__init__(manager, vector, ir.VectorType(number, vector.lanes))  # type: ignore[no-untyped-call]


@intrinsic
def load(typing, array, start):  # type: ignore[no-untyped-def]
    """The numbers ``array[start : start + LANES]`` of a contiguous array."""
    return _loading(array, LANES)


@intrinsic
def load_part(typing, array, start):  # type: ignore[no-untyped-def]
    """The numbers ``array[start : start + PART]`` of a contiguous array."""
    return _loading(array, PART)


@intrinsic
def load_register(typing, array, start):  # type: ignore[no-untyped-def]
    """A register of the numbers of a contiguous array from ``start`` on."""
    return _loading(array, _lanes_of_register(array.dtype))


@intrinsic
def broadcast(typing, array, at):  # type: ignore[no-untyped-def]
    """A vector of numbers equal to ``array[at]`` of a contiguous array."""
    return _broadcasting(array, LANES)


@intrinsic
def broadcast_register(typing, array, at):  # type: ignore[no-untyped-def]
    """A register of numbers equal to ``array[at]`` of a contiguous array."""
    return _broadcasting(array, _lanes_of_register(array.dtype))


@intrinsic
def splat(typing, number):  # type: ignore[no-untyped-def]
    """A vector of equal numbers."""
    return _splatting(number, LANES)


@intrinsic
def splat_part(typing, number):  # type: ignore[no-untyped-def]
    """``PART`` equal numbers."""
    return _splatting(number, PART)


@intrinsic
def splat_register(typing, number):  # type: ignore[no-untyped-def]
    """A register of equal numbers."""
    return _splatting(number, _lanes_of_register(number))


@intrinsic
def store(typing, array, start, vector):  # type: ignore[no-untyped-def]
    """Write a vector to ``array[start]``, ``array[start + 1]``, … of a contiguous array."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        pointer = vector_address(context, builder, signature, arguments, signature.args[2].lanes)
        builder.store(arguments[2], pointer).align = alignment(signature.args[0])
        return context.get_dummy_value()

    return types.none(array, types.intp, vector), code


@intrinsic
def masked_add(typing, vector, bits, addend):  # type: ignore[no-untyped-def]
    """The sum ``vector + addend`` in lanes whose bit (of a uint32) is set, else ``vector``."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector, bits, addend = arguments
        mask = builder.bitcast(bits, ir.VectorType(BIT, LANES))
        return builder.select(mask, builder.fadd(vector, addend), vector)

    return vector(vector, types.uint32, addend), code


@intrinsic
def multiply_add(typing, first, second, addend):  # type: ignore[no-untyped-def]
    """The sum ``first * second + addend``, rounded once; slow on processors that have no such."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return _call(builder, "llvm.fma", arguments)

    return first(first, second, addend), code


@intrinsic
def total(typing, vector):  # type: ignore[no-untyped-def]
    """Sum of a vector's numbers: its upper half onto its lower half, and so on."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        (value,), half = arguments, signature.args[0].lanes // 2
        while half:
            lower = builder.shuffle_vector(value, value, _indices(range(half)))
            upper = builder.shuffle_vector(value, value, _indices(range(half, 2 * half)))
            value, half = builder.fadd(lower, upper), half // 2
        return builder.extract_element(value, INDEX(0))

    return vector.dtype(vector), code


@intrinsic
def square_root(typing, vector):  # type: ignore[no-untyped-def]
    """√ of every number."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return _call(builder, "llvm.sqrt", arguments)

    return vector(vector), code


@intrinsic
def signed(typing, vector, size):  # type: ignore[no-untyped-def]
    """Times sign(vector): ``size``, ``-size``, or 0 where ``vector`` is 0."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector, size = arguments
        zero = ir.Constant(vector.type, None)
        value = _call(builder, "llvm.copysign", [size, vector])
        return builder.select(builder.fcmp_ordered("==", vector, zero), zero, value)

    return vector(vector, size), code


@intrinsic
def flushed(typing, vector, tiny):  # type: ignore[no-untyped-def]
    """0 where the size of a number is below ``tiny``, else the number."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector, tiny = arguments
        zero = ir.Constant(vector.type, None)
        size = _call(builder, "llvm.fabs", [vector])
        return builder.select(builder.fcmp_ordered("<", size, tiny), zero, vector)

    return vector(vector, tiny), code


@intrinsic
def bits_where_less(typing, left, right):  # type: ignore[no-untyped-def]
    """``left < right``, lane by lane, as the bits of a uint32."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.bitcast(builder.fcmp_ordered("<", *arguments), ir.IntType(LANES))

    return types.uint32(left, right), code


@intrinsic
def chosen_where_less(typing, left, right, yes, no):  # type: ignore[no-untyped-def]
    """``yes`` in lanes where ``left < right``, else ``no``."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        left, right, yes, no = arguments
        return builder.select(builder.fcmp_ordered("<", left, right), yes, no)

    return left(left, right, yes, no), code


@intrinsic
def absolute(typing, vector):  # type: ignore[no-untyped-def]
    """|x| of every number."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return _call(builder, "llvm.fabs", arguments)

    return vector(vector), code


@intrinsic
def with_sign_of(typing, size, sign):  # type: ignore[no-untyped-def]
    """Numbers of these sizes with the signs of others."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return _call(builder, "llvm.copysign", arguments)

    return size(size, sign), code


@intrinsic
def at_least(typing, vector, least):  # type: ignore[no-untyped-def]
    """The greater of two numbers, in every lane."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector, least = arguments
        return builder.select(builder.fcmp_ordered("<", vector, least), least, vector)

    return vector(vector, least), code


@intrinsic
def at_most(typing, vector, most):  # type: ignore[no-untyped-def]
    """The smaller of two numbers, in every lane."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector, most = arguments
        return builder.select(builder.fcmp_ordered(">", vector, most), most, vector)

    return vector(vector, most), code


@intrinsic
def power_of_two(typing, exponents):  # type: ignore[no-untyped-def]
    """2ⁿ for float32 exponents that are whole numbers from -126 to 127."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        whole = ir.VectorType(INDEX, LANES)
        exponent = builder.fptosi(arguments[0], whole)
        biased = builder.add(exponent, ir.Constant(whole, [127] * LANES))
        shifted = builder.shl(biased, ir.Constant(whole, [23] * LANES))
        return builder.bitcast(shifted, arguments[0].type)

    return exponents(exponents), code


@intrinsic
def power_of_rounded(typing, vector):  # type: ignore[no-untyped-def]
    """2ⁿ for float32 numbers n + 1.5 · 2²³, n a whole number from -126 to 127."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        whole = ir.VectorType(INDEX, LANES)
        bits = builder.bitcast(arguments[0], whole)  # whose last 9 bits are those of n
        shifted = builder.shl(bits, ir.Constant(whole, [23] * LANES))
        biased = builder.add(shifted, ir.Constant(whole, [127 << 23] * LANES))
        return builder.bitcast(biased, arguments[0].type)

    return vector(vector), code


@intrinsic
def exponent_of(typing, vector):  # type: ignore[no-untyped-def]
    """The n of 2ⁿ m, 1 ≤ m < 2, as numbers, of positive normal float32 numbers."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        whole = ir.VectorType(INDEX, LANES)
        bits = builder.bitcast(arguments[0], whole)
        biased = builder.lshr(bits, ir.Constant(whole, [23] * LANES))
        exponent = builder.sub(biased, ir.Constant(whole, [127] * LANES))
        return builder.sitofp(exponent, arguments[0].type)

    return vector(vector), code


@intrinsic
def mantissa_of(typing, vector):  # type: ignore[no-untyped-def]
    """The m of 2ⁿ m, 1 ≤ m < 2, of positive normal float32 numbers."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        whole = ir.VectorType(INDEX, LANES)
        bits = builder.bitcast(arguments[0], whole)
        fraction = builder.and_(bits, ir.Constant(whole, [0x007FFFFF] * LANES))
        of_one = builder.or_(fraction, ir.Constant(whole, [0x3F800000] * LANES))
        return builder.bitcast(of_one, arguments[0].type)

    return vector(vector), code


@intrinsic
def load_upper_bits(typing, words, start):  # type: ignore[no-untyped-def]
    """The upper 23 bits of 32 words of an array of uint32, as float32 numbers."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        whole = ir.VectorType(INDEX, LANES)
        first = builder.gep(array.data, [arguments[1]])
        value = builder.load(builder.bitcast(first, whole.as_pointer()))
        value.align = 4
        # at most 2²³, so signed or not is the same, and signed is the faster way
        shifted = builder.lshr(value, ir.Constant(whole, [9] * LANES))
        return builder.sitofp(shifted, ir.VectorType(ir.FloatType(), LANES))

    return Vector(types.float32)(words, types.intp), code


def _arithmetic(symbol: Callable[[Any, Any], Any], instruction: str) -> None:
    """Give vectors an operator."""

    @intrinsic
    def operation(typing, left, right):  # type: ignore[no-untyped-def]
        def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
            return getattr(builder, instruction)(*arguments)

        return left(left, right), code

    @overload(symbol)
    def operate(left, right):  # type: ignore[no-untyped-def]
        if isinstance(left, Vector) and isinstance(right, Vector):
            return lambda left, right: operation(left, right)
        return None


_arithmetic(operator.add, "fadd")
_arithmetic(operator.sub, "fsub")
_arithmetic(operator.mul, "fmul")
_arithmetic(operator.truediv, "fdiv")


def _loading(array: Any, lanes: int) -> Any:
    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        value = builder.load(vector_address(context, builder, signature, arguments, lanes))
        value.align = alignment(signature.args[0])
        return value

    return Vector(array.dtype, lanes)(array, types.intp), code


def _broadcasting(array: Any, lanes: int) -> Any:
    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        number = builder.load(builder.gep(array.data, [arguments[1]]))
        return splatted(builder, number, lanes)

    return Vector(array.dtype, lanes)(array, types.intp), code


def _splatting(number: Any, lanes: int) -> Any:
    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return splatted(builder, arguments[0], lanes)

    return Vector(number, lanes)(number), code


def splatted(builder: Any, number: Any, lanes: int = LANES) -> Any:
    """LLVM's vector of equal numbers."""
    undefined = ir.Constant(ir.VectorType(number.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, number, INDEX(0))
    return builder.shuffle_vector(first, undefined, _indices([0] * lanes))


def _lanes_of_register(number: types.Float) -> int:
    return REGISTER * 8 // int(number.bitwidth)


def vector_address(
    context: Any, builder: Any, signature: Any, arguments: Any, lanes: int = LANES
) -> Any:
    """LLVM's pointer to a vector in an array: the first two of a call's arguments say where."""
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    first = builder.gep(array.data, [arguments[1]])
    number = context.get_value_type(signature.args[0].dtype)
    return builder.bitcast(first, ir.VectorType(number, lanes).as_pointer())


def alignment(array: Any) -> int:
    """Bytes of an array's number, a multiple of which its address is."""
    return int(array.dtype.bitwidth) // 8


def _indices(values: Any) -> ir.Constant:
    numbers = list(values)
    return ir.Constant(ir.VectorType(INDEX, len(numbers)), numbers)


def _call(builder: Any, name: str, arguments: Any) -> Any:
    """Call LLVM's function of that name for vectors."""
    vector = arguments[0].type
    kind = "f32" if isinstance(vector.element, ir.FloatType) else "f64"
    signature = ir.FunctionType(vector, [vector] * len(arguments))
    function = cgutils.get_or_insert_function(  # type: ignore[no-untyped-call]
        builder.module, signature, f"{name}.v{vector.count}{kind}"
    )
    return builder.call(function, arguments)
