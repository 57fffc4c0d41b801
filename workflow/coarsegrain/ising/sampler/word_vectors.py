"""Vectors of 64-bit words inside compiled kernels: the operations that the sampler needs.

A vector is a value like a word: word functions (``layout``, ``thresholds``, ``philox``) take
either. What a kernel says of 8 words, LLVM makes of the registers that the processor has: one of
512 bits, two of 256, four of 128. Words are integers, so every width gives the same bits.

Lanes whose loops are left early are decided by vectors, not by all lanes together: a vector that
has nothing left to do does not wait for the others.
"""

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import errors, extending, types
from numba.core.typing import templates
from numba.extending import models, register_model

_WORD = ir.IntType(64)
_INDEX = ir.IntType(32)
_BYTES = 8
# The functions below are called inside kernels, without the first argument of their definition.
intrinsic: Any = extending.intrinsic(prefer_literal=True)
_lower: Any = extending.lower_builtin
_infer: Any = templates.infer_global
_signature: Any = templates.signature


class WordVector(types.Type):
    """numba's type of a number of 64-bit words, ``lanes`` of them."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        super().__init__(name=f"WordVector({lanes})")


@register_model(WordVector)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: WordVector) -> None:
        super().__init__(manager, vector, ir.VectorType(_WORD, vector.lanes))  # type: ignore[no-untyped-call]


@intrinsic
def load_words(typing, array, start, lanes):  # type: ignore[no-untyped-def]
    """The words ``array[start : start + lanes]``, counted through a contiguous array of any shape.

    ``lanes`` is a number known when the kernel is compiled. Instead of an array there may be one
    word, which is then that of every lane: it is returned as it is.
    """
    if isinstance(array, types.Integer):
        return _the_word_itself(array, types.intp, lanes)
    vector = WordVector(_constant(lanes))

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        value = builder.load(_address(context, builder, signature, arguments, vector.lanes))
        value.align = _BYTES
        return value

    return vector(array, types.intp, lanes), code


@intrinsic
def store_words(typing, array, start, vector):  # type: ignore[no-untyped-def]
    """Write a vector to the words of a contiguous array from ``start`` on."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        lanes = signature.args[2].lanes
        pointer = _address(context, builder, signature, arguments, lanes)
        builder.store(arguments[2], pointer).align = _BYTES
        return context.get_dummy_value()

    return types.none(array, types.intp, vector), code


@intrinsic
def gather_words(typing, array, indices, start, mask, lanes):  # type: ignore[no-untyped-def]
    """The words ``array[indices[start + i] & mask]``, i < lanes; both arrays contiguous.

    As for ``load_words``, ``array`` may be one word.
    """
    if isinstance(array, types.Integer):
        return _the_word_itself(array, indices, types.intp, types.uint64, lanes)
    vector = WordVector(_constant(lanes))

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        source = context.make_array(signature.args[0])(context, builder, arguments[0])
        numbers = context.make_array(signature.args[1])(context, builder, arguments[1])
        value = ir.Constant(ir.VectorType(_WORD, vector.lanes), ir.Undefined)
        first = builder.gep(numbers.data, [arguments[2]])
        for lane in range(vector.lanes):
            index = builder.load(builder.gep(first, [_INDEX(lane)]))
            index = builder.and_(index, arguments[3])
            word = builder.load(builder.gep(source.data, [index]))
            value = builder.insert_element(value, word, _INDEX(lane))
        return value

    return vector(array, indices, types.intp, types.uint64, lanes), code


@intrinsic
def splat_word(typing, word, lanes):  # type: ignore[no-untyped-def]
    """A vector of equal words; a vector is returned as it is."""
    if isinstance(word, WordVector):
        return _the_word_itself(word, lanes)
    vector = WordVector(_constant(lanes))

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return _splatted(builder, arguments[0], vector.lanes)

    return vector(types.uint64, lanes), code


@intrinsic
def sign_masks(typing, vector):  # type: ignore[no-untyped-def]
    """All ones in words whose most significant bit is 1, else 0."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.ashr(arguments[0], _splatted(builder, _WORD(63), signature.args[0].lanes))

    return vector(vector), code


@intrinsic
def lanes_with_bits(typing, vector):  # type: ignore[no-untyped-def]
    """A word with bit i set where word i of a vector is not zero."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        zero = ir.Constant(arguments[0].type, None)
        found = builder.icmp_unsigned("!=", arguments[0], zero)
        return builder.zext(builder.bitcast(found, ir.IntType(signature.args[0].lanes)), _WORD)

    return types.uint64(vector), code


@intrinsic
def lowest_bit(typing, word):  # type: ignore[no-untyped-def]
    """Number of the lowest bit that is set in a word; the word is not zero."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), code


@intrinsic
def highest_bit(typing, word):  # type: ignore[no-untyped-def]
    """Number of the highest bit that is set in a word; the word is not zero."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.sub(_WORD(63), builder.ctlz(arguments[0], ir.Constant(ir.IntType(1), 1)))

    return types.int64(types.uint64), code


@intrinsic
def any_bit(typing, vector):  # type: ignore[no-untyped-def]
    """Whether any word of a vector is not zero."""

    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        lanes = signature.args[0].lanes
        kind = ir.FunctionType(_WORD, [arguments[0].type])
        name = f"llvm.vector.reduce.or.v{lanes}i64"
        function = builder.module.globals.get(name) or ir.Function(builder.module, kind, name)
        return builder.icmp_unsigned("!=", builder.call(function, arguments), _WORD(0))

    return types.boolean(vector), code


def _operator(symbol: Callable[..., Any], instruction: str) -> None:
    """Give vectors an operator: of two vectors, or of a vector and one word for all lanes.

    Written as numba's own operators are, so that each use is one instruction and no function to
    compile.
    """

    @_infer(symbol)
    class _Typing(templates.AbstractTemplate):
        def generic(self, arguments: Any, keywords: Any) -> Any:
            if len(arguments) != 2 or not isinstance(arguments[0], WordVector):
                return None
            if arguments[1] == arguments[0]:
                return _signature(arguments[0], *arguments)
            if isinstance(arguments[1], types.Integer):
                return _signature(arguments[0], arguments[0], types.uint64)
            return None

    @_lower(symbol, WordVector, WordVector)
    def of_vectors(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return getattr(builder, instruction)(*arguments)

    @_lower(symbol, WordVector, types.uint64)
    def of_vector_and_word(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        vector, word = arguments
        return getattr(builder, instruction)(
            vector, _splatted(builder, word, signature.args[0].lanes)
        )


for _symbol, _instruction in (
    (operator.and_, "and_"),
    (operator.iand, "and_"),
    (operator.or_, "or_"),
    (operator.ior, "or_"),
    (operator.xor, "xor"),
    (operator.add, "add"),
    (operator.mul, "mul"),
    (operator.lshift, "shl"),
    (operator.rshift, "lshr"),
):
    _operator(_symbol, _instruction)


@_infer(operator.invert)
class _Inversion(templates.AbstractTemplate):
    def generic(self, arguments: Any, keywords: Any) -> Any:
        if isinstance(arguments[0], WordVector):
            return _signature(arguments[0], *arguments)
        return None


@_lower(operator.invert, WordVector)
def _inverted(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
    return builder.not_(arguments[0])


def _the_word_itself(*arguments: Any) -> Any:
    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return arguments[0]

    return arguments[0](*arguments), code


def _constant(lanes: Any) -> int:
    value = getattr(lanes, "literal_value", None)
    if value is None:
        raise errors.TypingError("The number of lanes must be a constant.")
    return int(value)


def _splatted(builder: Any, word: Any, lanes: int) -> Any:
    undefined = ir.Constant(ir.VectorType(_WORD, lanes), ir.Undefined)
    first = builder.insert_element(undefined, word, _INDEX(0))
    return builder.shuffle_vector(
        first, undefined, ir.Constant(ir.VectorType(_INDEX, lanes), [0] * lanes)
    )


def _address(context: Any, builder: Any, signature: Any, arguments: Any, lanes: int) -> Any:
    array = context.make_array(signature.args[0])(context, builder, arguments[0])
    first = builder.gep(array.data, [arguments[1]])
    return builder.bitcast(first, ir.VectorType(_WORD, lanes).as_pointer())
