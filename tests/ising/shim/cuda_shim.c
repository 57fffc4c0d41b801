// The CUDA kernels as C on a CPU: what belongs to CUDA is defined away, threads are loops.
// cc -DSIDE=32 -DSOURCE='"kernels.cu"' -shared -fPIC cuda_shim.c

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

static unsigned atomicAdd(unsigned *sum, unsigned value) {
    unsigned old = *sum;
    *sum += value;
    return old;
}

#include SOURCE

#define LAUNCH(name, parameters, arguments)                                 \
    void launch_##name parameters {                                         \
        gridDim.x = grid;                                                   \
        blockDim.x = block;                                                 \
        for (blockIdx.x = 0; blockIdx.x < grid; ++blockIdx.x)               \
            for (threadIdx.x = 0; threadIdx.x < block; ++threadIdx.x)       \
                name arguments;                                             \
    }

LAUNCH(cold_start, (u32 grid, u32 block, u64 *words, u32 n, u32 first, u32 k0, u32 k1),
       (words, n, first, k0, k1))
LAUNCH(advance,
       (u32 grid, u32 block, u64 *words, const u64 *bond, const u64 *against_2,
        const u64 *against_4, u64 *scratch, u32 n, u32 first, u32 first_step, u32 steps, u32 k0,
        u32 k1),
       (words, bond, against_2, against_4, scratch, n, first, first_step, steps, k0, k1))
LAUNCH(heat_bath_sweeps,
       (u32 grid, u32 block, u64 *words, const u64 *against_2, const u64 *against_4, u32 n,
        u32 first, u32 first_step, u32 steps, u32 k0, u32 k1),
       (words, against_2, against_4, n, first, first_step, steps, k0, k1))
LAUNCH(exact,
       (u32 grid, u32 block, u64 *words, u64 *sweeps, const u64 *against_2, const u64 *against_4,
        const u64 *sweeps_of_block, u64 *scratch, u32 *taken, u32 n, u32 first, u32 k0, u32 k1),
       (words, sweeps, against_2, against_4, sweeps_of_block, scratch, taken, n, first, k0, k1))
LAUNCH(unpack_spins, (u32 grid, u32 block, const u64 *words, signed char *spins, u32 n),
       (words, spins, n))
