// Training of one linear layer on a GPU, output unit by output unit: the arithmetic of shallow.py,
// with the same sums in the same order and the same roundings, so with the same bits. To be
// compiled without fused multiply-adds.
//
// A warp trains one unit of one member, and no warp waits for another. Lane l has the inputs
// 32 k + l of all blocks k: as shallow.py's vectors, so sums over blocks, then over lanes, agree.
//
// Compiled for what shallow_cuda.py decides: REAL; INPUTS and UNITS of the layer; BATCH, at most so
// many lattices per step; GROUP of them at a time; DIGITS of a number up to BATCH; STORAGE of a
// unit's weights and moments during a launch; WARPS of a thread block. The source is C as well as
// CUDA: the tests run it on a CPU (tests/cuda/shim), a warp there being a loop over its lanes.

#ifndef KERNEL
#define KERNEL extern "C" __global__ void
#define DEVICE __device__ __forceinline__
#define SHARED_MEMORY(type, name, number) extern __shared__ type name[]
#define READ_ONLY const *__restrict__
#define UNROLL _Pragma("unroll")
// What each lane does and has of its own. Here lanes are threads: nothing is to be said.
#define LANES
#define LANE (threadIdx.x % 32)
#define PER_LANE(type, name) type name
#define MINE(name) name

#define ANY_LANE(name) name  // where all lanes have the same
#define OF_LANE(name, lane) __shfl_sync(~0u, name, lane)
#define OF_OTHER(name, distance) __shfl_xor_sync(~0u, name, distance)
DEVICE unsigned lanes_where(bool x) { return __ballot_sync(~0u, x); }
DEVICE int number_of_bits(unsigned word) { return __popc(word); }
DEVICE float square_root(float x) { return __fsqrt_rn(x); }
DEVICE double square_root(double x) { return __dsqrt_rn(x); }
DEVICE float multiply_add(float a, float b, float c) { return __fmaf_rn(a, b, c); }
DEVICE double multiply_add(double a, double b, double c) { return __fma_rn(a, b, c); }
DEVICE float copy_sign(float size, float sign) { return copysignf(size, sign); }
DEVICE double copy_sign(double size, double sign) { return copysign(size, sign); }
DEVICE unsigned bits_of(float x) { return __float_as_uint(x); }

// 1 / x and 1 / sqrt(x), good to one or two units in the last place, for x from 2^-64 to 2^20.
DEVICE float reciprocal_estimate(float x) {
    float y;
    asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
DEVICE float inverse_root_estimate(float x) {
    float y;
    asm("rsqrt.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
    return y;
}
#endif

typedef REAL real;
typedef unsigned int u32;

enum { REGISTERS = 0, SHARED = 1, GLOBAL = 2 };  // STORAGE

enum {
    BLOCKS = (INPUTS + 31) / 32,
    IN_LAST_BLOCK = INPUTS - 32 * (BLOCKS - 1),  // the other lanes have no input there
    WORDS = (BLOCKS + 31) / 32,       // of a lane and lattice: bit k % 32 of word k / 32 is block k
    TARGET_WORDS = (UNITS + 31) / 32,
    ROW = 32 * WORDS + 2 * TARGET_WORDS,
    WIDTH = (INPUTS + 63) / 64 * 64,  // weights of a unit in memory, as in shallow.py
    SPARE = BATCH + GROUP             // rows after the last lattice that may be read, not used
};

// Counts of up to BATCH are spread out to fields of FIELD bits.
#if DIGITS <= 4
#define FIELD 4
#elif DIGITS <= 8
#define FIELD 8
#elif DIGITS <= 16
#define FIELD 16
#else
#define FIELD 32
#endif
#define ONES (~0u >> (32 - FIELD))
#define LOWEST_OF_FIELDS (~0u / ONES)

// A lattice is a row of ROW words: (WORDS, 32 lanes) inputs, +1 as 1; then a bit for each unit:
// whether its target is +1; then another: whether its target is not 0.

// Weights or moments of a unit. Indices of registers must be known to the compiler.
#if STORAGE == 0
#define OF_UNIT(name) PER_LANE(real, name[BLOCKS])
#define AT(name, block) MINE(name[block])
#define UNROLL_STATE UNROLL
#else
#define OF_UNIT(name) real *name
#define AT(name, block) name[32 * (block) + LANE]
#define UNROLL_STATE
#endif

// A number's sum over lanes: the upper half of them is added onto the lower half, and so on.
DEVICE real total(PER_LANE(real, x)) {
    PER_LANE(real, sum);
    PER_LANE(real, other);
    LANES { MINE(sum) = MINE(x); }
    UNROLL for (int half = 16; half; half /= 2) {
        LANES { MINE(other) = OF_OTHER(sum, half); }
        LANES { MINE(sum) += MINE(other); }
    }
    return ANY_LANE(sum);
}

// The same for GROUP numbers at once, of which every lane gets one: at each distance, one of two
// lanes goes on with the first of two numbers, the other with the second. So it is number 0, 1, ...
// whose five binary digits are those of the lane in reverse. The result is in sum[0].
#define REVERSED(x) (((x) & 1) << 4 | ((x) & 2) << 2 | ((x) & 4) | ((x) & 8) >> 2 | ((x) & 16) >> 4)

DEVICE void totals(PER_LANE(real, sum[GROUP])) {
    PER_LANE(real, other[GROUP]);
    int numbers = GROUP;
    UNROLL for (int distance = 16; distance; distance /= 2) {
        LANES {
            UNROLL for (int i = 0; i < numbers; i += 2) {
                real zero = 0, first = MINE(sum[i]);
                real second = i + 1 < numbers ? MINE(sum[i + 1]) : zero;
                int takes_second = (LANE & distance) != 0;
                MINE(sum[i / 2]) = takes_second ? second : first;
                MINE(other[i / 2]) = takes_second ? first : second;
            }
        }
        numbers = (numbers + 1) / 2;
        LANES {
            UNROLL for (int i = 0; i < numbers; ++i) MINE(sum[i]) += OF_OTHER(other[i], distance);
        }
    }
}

// The word of each of GROUP lattices. With one word per lattice they are loaded ahead of their use.
DEVICE void load(PER_LANE(u32, word[GROUP]), const u32 *rows, int j) {
    LANES {
        UNROLL for (int i = 0; i < GROUP; ++i) MINE(word[i]) = rows[i * ROW + 32 * j + LANE];
    }
}

// Add the hinge losses of up to GROUP lattices to a unit's. Tells, a bit per lattice, where the
// loss has a slope and where the target is +1: lattice i is bit REVERSED(i).
DEVICE double hinge(OF_UNIT(w), PER_LANE(u32, word[GROUP]), const u32 *rows, u32 unit, u32 size,
                    double loss, u32 *sloped, u32 *positive) {
    PER_LANE(int, up);
    PER_LANE(int, has_target);
    PER_LANE(real, whole);
    PER_LANE(real, sum[GROUP]);
    PER_LANE(real, added);
    PER_LANE(int, has_slope);

    LANES {  // a lane looks after the lattice whose output it gets
        int is_lattice = REVERSED(LANE) < size;
        const u32 *target = rows + (is_lattice ? REVERSED(LANE) : 0) * ROW + 32 * WORDS + unit / 32;
        MINE(up) = is_lattice && (target[0] >> unit % 32 & 1);
        MINE(has_target) = is_lattice && (target[TARGET_WORDS] >> unit % 32 & 1);
    }

    // Outputs: twice the sum of the weights of bits that are set, less the sum of all weights.
    LANES {
        MINE(whole) = 0;
        UNROLL for (int i = 0; i < GROUP; ++i) MINE(sum[i]) = 0;
    }
#pragma unroll 1  // or the code outgrows the instruction cache
    for (int j = 0; j < WORDS; ++j) {
        if (WORDS > 1) load(word, rows, j);
        LANES {
            UNROLL for (int k = 0; k < 32; ++k) {
                if (32 * j + k >= BLOCKS) continue;
                real weight = AT(w, 32 * j + k);
                MINE(whole) += weight;
                UNROLL for (int i = 0; i < GROUP; ++i)
                    if (MINE(word[i]) >> k & 1) MINE(sum[i]) += weight;
            }
        }
    }
    real sum_of_all = total(whole);
    totals(sum);

    LANES {
        real zero = 0, output = MINE(sum[0]) + MINE(sum[0]) - sum_of_all;
        real margin = 1 - (MINE(up) ? output : MINE(has_target) ? -output : zero);
        // At 1 - t y = 0 the slope is -t, as torch's clamp has it. What is not a number stays so.
        MINE(has_slope) = MINE(has_target) && margin >= 0;
        MINE(added) = REVERSED(LANE) >= size || margin < 0 ? zero : margin;
    }
    UNROLL for (int i = 0; i < GROUP; ++i) loss += (double)OF_LANE(added, REVERSED(i));
    *sloped = lanes_where(has_slope);
    *positive = lanes_where(up);
    return loss;
}

// Count, for the 32 inputs of a lane's word at once, the sloped lattices in which target times
// input is +1: one more for every bit of the carry, in binary numbers stored digit by digit.
DEVICE void count(PER_LANE(u32, digit[DIGITS]), PER_LANE(u32, word[GROUP]), u32 sloped,
                  u32 positive) {
    UNROLL for (int i = 0; i < GROUP; ++i) {
        u32 counts = 0 - (sloped >> REVERSED(i) & 1), flip = (positive >> REVERSED(i) & 1) - 1;
        LANES {
            u32 carry = (MINE(word[i]) ^ flip) & counts;
            UNROLL for (int d = 0; d < DIGITS; ++d) {
                u32 old = MINE(digit[d]);
                MINE(digit[d]) = old ^ carry;
                carry &= old;
            }
        }
    }
}

typedef struct {
    real beta1, one_minus_beta1, beta2, one_minus_beta2, l1, tiny;
} AdamConstants;

// ---- The change of a weight, a m / (sqrt(v) + e), every operation rounded as IEEE 754 says ----
//
// The compiler's own division and square root branch at every use, in case numbers are very large
// or small. Then the chip cannot work on one weight while it waits for another. Here EIGHT weights
// go the fast way, instruction by instruction what the compiler makes of numbers in range, and
// only if one of them was out of range, all go the compiler's way.

enum { EIGHT = 8 };

DEVICE float fast_change(float product, float square, float e) {
    float inverse = inverse_root_estimate(square), root = square * inverse;
    root = multiply_add(multiply_add(-root, root, square), inverse * 0.5f, root);
    float divisor = root + e, y = reciprocal_estimate(divisor);
    y = multiply_add(y, multiply_add(-divisor, y, 1.0f), y);
    float quotient = product * y;
    return multiply_add(y, multiply_add(-divisor, quotient, product), quotient);
}

// Whether products and squares all have sizes from 2^-63 to 2, where nothing above over- or
// underflows (e is less than 1): their exponents begin with the bits 01. The arguments are bitwise
// and, and or, of them all.
DEVICE int in_range(u32 all, u32 any) { return (all & ~any >> 1 & 1u << 29) != 0; }

// 0 for what is smaller than normal numbers, as in adam.py.
DEVICE real flushed(real x, real tiny) {
    real zero = 0;
    return x < tiny && -x < tiny ? zero : x;
}

// Adam's step (adam.py) for the weights of one word.
DEVICE void update(OF_UNIT(w), OF_UNIT(m), OF_UNIT(v), PER_LANE(u32, digit[DIGITS]), int j,
                   real sloped, real slope, real a, real e, AdamConstants constants) {
    LANES {
        u32 field[FIELD];  // counts of inputs r, r + FIELD, ... side by side, FIELD bits each
        UNROLL for (int r = 0; r < FIELD; ++r) {
            field[r] = 0;
            UNROLL for (int d = 0; d < DIGITS; ++d) {
                u32 there = d < r ? MINE(digit[d]) >> (r - d) : MINE(digit[d]) << (d - r);
                field[r] |= there & (LOWEST_OF_FIELDS << d);
            }
        }
        UNROLL for (int k = 0; k < 32; k += EIGHT) {
            real changed[EIGHT];
            u32 all = ~0u, any = 0;
            UNROLL for (int i = 0; i < EIGHT; ++i) {
                int block = 32 * j + k + i, r = (k + i) % FIELD, shift = k + i - r;
                if (block >= BLOCKS) continue;
                // The count is shifted; all these are whole numbers times powers of 2, so exact.
                real shifted = (real)(field[r] & (ONES << shift));
                real times = multiply_add(shifted, (real)-2 / (real)(1u << shift), sloped);
                real weight = AT(w, block);
                real g = times * slope;
                if (weight != 0) g += copy_sign(constants.l1, weight);
                real mean = constants.beta1 * AT(m, block) + constants.one_minus_beta1 * g;
                real square = constants.beta2 * AT(v, block) + constants.one_minus_beta2 * (g * g);
                if (sizeof(real) != sizeof(float)) {
                    mean = flushed(mean, constants.tiny);
                    square = flushed(square, constants.tiny);
                }
                real product = a * mean;
                AT(m, block) = mean;
                AT(v, block) = square;
                if (sizeof(real) != sizeof(float)) {
                    changed[i] = weight - product / (square_root(square) + e);
                    continue;
                }
                changed[i] = weight - fast_change(product, square, e);
                all &= bits_of(product) & bits_of(square);
                any |= bits_of(product) | bits_of(square);
            }
            if (sizeof(real) == sizeof(float) && !in_range(all, any)) {
                UNROLL for (int i = 0; i < EIGHT; ++i) {
                    int block = 32 * j + k + i;
                    if (block >= BLOCKS) continue;
                    AT(m, block) = flushed(AT(m, block), constants.tiny);  // in range nothing is so small
                    AT(v, block) = flushed(AT(v, block), constants.tiny);
                    real product = a * AT(m, block), root = square_root(AT(v, block));
                    changed[i] = AT(w, block) - product / (root + e);
                }
            }
            UNROLL for (int i = 0; i < EIGHT; ++i) {
                int block = 32 * j + k + i;
                if (block >= BLOCKS) continue;
                AT(w, block) = block == BLOCKS - 1 && LANE >= IN_LAST_BLOCK ? 0 : changed[i];
            }
        }
    }
}

// Which unit of which member a warp trains, and where its weights are.
typedef struct {
    u32 member, unit;
    size_t weights;
} Place;

DEVICE Place place(u32 number, const u32 *slots) {
    Place here = {number / UNITS, number % UNITS, 0};
    here.weights = ((size_t)slots[here.member] * UNITS + here.unit) * WIDTH;
    return here;
}

// ---- Kernels ----
//
// A block has WARPS warps. slots: (members,) where the members that are still trained lie in
// arrays that have room for all of them; the other arrays have one entry for each of these.
// all_w, all_m, all_v: (slots, UNITS, WIDTH). losses: (members, UNITS).

// Copy lattices in the order of an epoch: a warp copies a row.
// rows: (slots, n + SPARE, ROW); order: (members, n); ordered: (members, n + SPARE, ROW).
KERNEL put_in_order(u32 READ_ONLY rows, u32 READ_ONLY slots, u32 READ_ONLY order, u32 *ordered,
                    u32 members, u32 n) {
    u32 number = blockIdx.x * WARPS + threadIdx.x / 32;
    if (number >= members * n) return;
    u32 member = number / n;
    size_t from = (size_t)slots[member] * (n + SPARE) + order[number];
    size_t to = (size_t)member * (n + SPARE) + number % n;
    LANES {
        for (int k = LANE; k < ROW; k += 32) ordered[to * ROW + k] = rows[from * ROW + k];
    }
}

// Train all units for an epoch.
// rows: (members, n + SPARE, ROW) in order; step_sizes: (members, steps, 3) a and e of Adam's steps
// and the slope of one output; losses: sums over the lattices, each in its own step.
KERNEL train(real *all_w, real *all_m, real *all_v, u32 READ_ONLY rows, u32 READ_ONLY slots,
             real READ_ONLY step_sizes, double *losses, u32 members, u32 n, real beta1,
             real one_minus_beta1, real beta2, real one_minus_beta2, real l1, real tiny) {
    u32 number = blockIdx.x * WARPS + threadIdx.x / 32, steps = (n + BATCH - 1) / BATCH;
    if (number >= members * UNITS) return;  // no warp waits for another: leaving is safe
    Place here = place(number, slots);
    AdamConstants constants = {beta1, one_minus_beta1, beta2, one_minus_beta2, l1, tiny};
    real *global_w = all_w + here.weights, *global_m = all_m + here.weights,
         *global_v = all_v + here.weights;
    rows += (size_t)here.member * (n + SPARE) * ROW;
    step_sizes += (size_t)here.member * steps * 3;

#if STORAGE == 0
    OF_UNIT(w);
    OF_UNIT(m);
    OF_UNIT(v);
#elif STORAGE == 1
    SHARED_MEMORY(real, shared, WARPS * 3 * 32 * BLOCKS);
    real *w = shared + threadIdx.x / 32 * (3 * 32 * BLOCKS), *m = w + 32 * BLOCKS,
         *v = m + 32 * BLOCKS;
#else
    real *w = global_w, *m = global_m, *v = global_v;
#endif
    if (STORAGE != GLOBAL) {
        LANES {
            UNROLL_STATE for (int k = 0; k < BLOCKS; ++k) {
                AT(w, k) = global_w[32 * k + LANE];
                AT(m, k) = global_m[32 * k + LANE];
                AT(v, k) = global_v[32 * k + LANE];
            }
        }
    }

    PER_LANE(u32, word[GROUP]);
    PER_LANE(u32, digit[WORDS][DIGITS]);
    double loss = 0;
    if (WORDS == 1) load(word, rows, 0);
    for (u32 step = 0; step < steps; ++step) {
        u32 first = step * BATCH, size = n - first < BATCH ? n - first : BATCH;
        real a = step_sizes[3 * step], e = step_sizes[3 * step + 1], slope = step_sizes[3 * step + 2];
        u32 number_sloped = 0;
        LANES {
            UNROLL for (int j = 0; j < WORDS; ++j)
                UNROLL for (int d = 0; d < DIGITS; ++d) MINE(digit[j][d]) = 0;
        }
        for (u32 start = 0; start < size; start += GROUP) {
            const u32 *lattices = rows + (size_t)(first + start) * ROW;
            u32 sloped, positive, rest = size - start < GROUP ? size - start : GROUP;
            loss = hinge(w, word, lattices, here.unit, rest, loss, &sloped, &positive);
            number_sloped += number_of_bits(sloped);
#pragma unroll 1
            for (int j = 0; j < WORDS; ++j) {
                if (WORDS > 1) load(word, lattices, j);
                count(digit[j], word, sloped, positive);
            }
            u32 next = start + GROUP < size ? start + GROUP : BATCH;
            if (WORDS == 1) load(word, rows + (size_t)(first + next) * ROW, 0);
        }
#pragma unroll 1
        for (int j = 0; j < WORDS; ++j)
            update(w, m, v, digit[j], j, (real)number_sloped, slope, a, e, constants);
    }

    losses[number] = loss;
    if (STORAGE != GLOBAL) {
        LANES {
            UNROLL_STATE for (int k = 0; k < BLOCKS; ++k) {
                global_w[32 * k + LANE] = AT(w, k);
                global_m[32 * k + LANE] = AT(m, k);
                global_v[32 * k + LANE] = AT(v, k);
            }
        }
    }
}

// Sums of the hinge losses over lattices that are not trained with. rows: (slots, n + SPARE, ROW).
KERNEL evaluate(real *all_w, u32 READ_ONLY rows, u32 READ_ONLY slots, double *losses, u32 members,
                u32 n) {
    u32 number = blockIdx.x * WARPS + threadIdx.x / 32;
    if (number >= members * UNITS) return;
    Place here = place(number, slots);
    rows += (size_t)slots[here.member] * (n + SPARE) * ROW;
#if STORAGE == 0
    OF_UNIT(w);
    LANES {
        UNROLL_STATE for (int k = 0; k < BLOCKS; ++k) {
            AT(w, k) = all_w[here.weights + 32 * k + LANE];
        }
    }
#else
    real *w = all_w + here.weights;
#endif
    PER_LANE(u32, word[GROUP]);
    double loss = 0;
    for (u32 first = 0; first < n; first += GROUP) {
        u32 sloped, positive, size = n - first < GROUP ? n - first : GROUP;
        const u32 *lattices = rows + (size_t)first * ROW;
        if (WORDS == 1) load(word, lattices, 0);
        loss = hinge(w, word, lattices, here.unit, size, loss, &sloped, &positive);
    }
    losses[number] = loss;
}
