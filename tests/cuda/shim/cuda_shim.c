// CUDA kernels as C on a CPU: what belongs to CUDA is defined away, threads are loops.
//
// cc -DSOURCE='"kernels.cu"' -DLAUNCHES='"launches.inc"' -DTOGETHER=1 … -shared -fPIC cuda_shim.c
//
// launches.inc holds a LAUNCH for every kernel (fake_cupy.py writes it). TOGETHER is how many
// threads of a block run at once: 1, or 32 for a source that is written for warps, in LANES.

#include <math.h>
#include <stddef.h>

#define KERNEL static void
#define __device__ static inline
#define __shared__ static
#define __ffsll __builtin_ffsll
#define __clzll __builtin_clzll

struct dimension {
    unsigned x;
};
static struct dimension gridDim, blockIdx, blockDim, threadIdx;

static inline unsigned atomicAdd(unsigned *sum, unsigned value) {
    unsigned old = *sum;
    *sum += value;
    return old;
}

// ---- Sources written for warps: what a lane has of its own is an array of 32 ----

#define DEVICE static inline
#define SHARED_MEMORY(type, name, number) static type name[number]
#define READ_ONLY const *
#define UNROLL
#define LANES for (unsigned LANE = 0; LANE < 32; ++LANE)
#define PER_LANE(type, name) type name[32]
#define MINE(name) name[LANE]

#define ANY_LANE(name) name[0]
#define OF_LANE(name, lane) name[lane]
#define OF_OTHER(name, distance) name[LANE ^ (unsigned)(distance)]

static inline unsigned lanes_where(const int x[32]) {
    unsigned bits = 0;
    for (int lane = 0; lane < 32; ++lane) bits |= (unsigned)(x[lane] != 0) << lane;
    return bits;
}

#define number_of_bits __builtin_popcount
#define OF_REAL(of_float, of_double, x) _Generic((x), float: of_float, double: of_double)
#define square_root(x) OF_REAL(sqrtf, sqrt, x)(x)
#define multiply_add(a, b, c) OF_REAL(fmaf, fma, a)(a, b, c)
#define copy_sign(size, sign) OF_REAL(copysignf, copysign, size)(size, sign)
static inline unsigned bits_of(float x) {
    return (union { float number; unsigned bits; }){x}.bits;
}

// Right only where they have to be, to show who relies on more.
static inline float where_promised(float x, double y) {
    return x >= 0x1p-64f && x <= 0x1p20f ? (float)y : NAN;
}
#define reciprocal_estimate(x) where_promised(x, 1 / (double)(x))
#define inverse_root_estimate(x) where_promised(x, 1 / sqrt(x))

#include SOURCE

#define LAUNCH(name, parameters, arguments)                                    \
    void launch_##name parameters;                                             \
    void launch_##name parameters {                                            \
        gridDim.x = grid_size;                                                     \
        blockDim.x = block_size;                                                   \
        for (blockIdx.x = 0; blockIdx.x < grid_size; ++blockIdx.x)             \
            for (threadIdx.x = 0; threadIdx.x < block_size; threadIdx.x += TOGETHER) \
                name arguments;                                                \
    }

#include LAUNCHES
