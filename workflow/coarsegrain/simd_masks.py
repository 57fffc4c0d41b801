"""Vectors of bytes and of numbers that come from bits: what trains shallow nets without AVX-512.

Bytes of 255 and 0 stand for bits that are 1 and 0. See ``simd``.
"""

from llvmlite import ir
from numba import types

from coarsegrain.simd import (
    BIT,
    INDEX,
    LANES,
    PART,
    Vector,
    alignment,
    intrinsic,
    splatted,
    vector_address,
)


@intrinsic
def load_whole(typing, array, start):  # type: ignore[no-untyped-def]
    """The numbers ``array[start : start + LANES]`` of a contiguous array of int16, as float32."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        value = builder.load(vector_address(context, builder, signature, arguments))
        value.align = alignment(signature.args[0])
        return builder.sitofp(value, ir.VectorType(ir.FloatType(), LANES))

    return Vector(types.float32)(array, types.intp), code


@intrinsic
def load_part_of_masks(typing, array, start):  # type: ignore[no-untyped-def]
    """1.0 where a byte of ``array[start : start + PART]``, which are 0 or 255, is 255, else 0.0."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        value = builder.load(vector_address(context, builder, signature, arguments, PART))
        value.align = 1
        whole, one = ir.VectorType(INDEX, PART), 0x3F800000
        bits = builder.and_(builder.sext(value, whole), ir.Constant(whole, [one] * PART))
        return builder.bitcast(bits, ir.VectorType(ir.FloatType(), PART))

    return Vector(types.float32, PART)(array, types.intp), code


@intrinsic
def splat_byte(typing, number):  # type: ignore[no-untyped-def]
    """``LANES`` equal numbers of type int8."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return splatted(builder, arguments[0])

    return Vector(types.int8)(types.int8), code


@intrinsic
def add_where(typing, vector, masks, start, addend):  # type: ignore[no-untyped-def]
    """The sum of bytes ``vector + addend`` where ``masks[start : start + LANES]`` is 255, not 0."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector, masks, start, addend = arguments
        of_masks = signature.return_type(signature.args[1], signature.args[2])
        mask = builder.load(vector_address(context, builder, of_masks, (masks, start)))
        mask.align = 1
        return builder.add(vector, builder.and_(mask, addend))

    return vector(vector, masks, types.intp, addend), code


@intrinsic
def add_bytes(typing, array, start, vector):  # type: ignore[no-untyped-def]
    """Add ``LANES`` bytes to the numbers of a contiguous array of int16 from ``start`` on."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        pointer = vector_address(context, builder, signature, arguments)
        before = builder.load(pointer)
        before.align = alignment(signature.args[0])
        after = builder.add(before, builder.sext(arguments[2], before.type))
        builder.store(after, pointer).align = alignment(signature.args[0])
        return context.get_dummy_value()

    return types.none(array, types.intp, vector), code


@intrinsic
def store_masks(typing, array, start, bits):  # type: ignore[no-untyped-def]
    """Write the bits of a uint32 to ``LANES`` bytes of a contiguous array: 255 for 1, else 0."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        mask = builder.bitcast(arguments[2], ir.VectorType(BIT, LANES))
        pointer = vector_address(context, builder, signature, arguments)
        masks = builder.sext(mask, ir.VectorType(ir.IntType(8), LANES))
        builder.store(masks, pointer).align = 1
        return context.get_dummy_value()

    return types.none(array, types.intp, types.uint32), code
