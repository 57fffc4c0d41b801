// The sampler on a GPU: the algorithms of chains.py (hybrid) and coupling.py (exact), with the same
// random numbers, and so the same lattices, bit for bit. Integers only.
//
// One thread moves one lattice. What it works on lies word by word, lattices side by side, so that
// the threads of a warp read neighbouring words, whichever rows of their lattices they are in.
//
// Compiled for one side, with what cupy_backend.py decides: SIDE, THREADS (of a block), SHARED_WORK
// and EXACT_SHARED (whether work space is in shared memory). The source is C as well as CUDA: the
// tests run it on a CPU (tests/cuda/shim), with KERNEL and what belongs to CUDA defined there.

#ifndef KERNEL
#define KERNEL extern "C" __global__ void
#endif

typedef unsigned int u32;
typedef unsigned long long u64;

// ---- Where the sites of a lattice lie (layout.py) ----

enum {
    ROWS_PER_WORD = SIDE <= 32 ? 2 : 1,
    WORDS_PER_ROW = (SIDE + 63) / 64,
    WORD_ROWS = SIDE / ROWS_PER_WORD,
    WORDS = WORD_ROWS * WORDS_PER_ROW,
    ROW_MASKS = (WORD_ROWS + 63) / 64,  // words with one bit per word row
    WORK_WORDS = 3 * WORDS,             // right bonds, vertical bonds, cluster
    EXACT_WORDS = 4 * WORDS,            // three chains, and one before its present block
    SHARED_WORDS = SHARED_WORK ? WORK_WORDS * THREADS : 1,
    EXACT_SHARED_WORDS = EXACT_SHARED ? EXACT_WORDS * THREADS : 1
};

__device__ int columns(int w) { return SIDE - 64 * w < 64 ? SIDE - 64 * w : 64; }
__device__ u64 first_column(void) { return ROWS_PER_WORD == 2 ? 0x0000000100000001ull : 1ull; }
__device__ int span(int w) { return columns(w) - 1; }
__device__ u64 last_column(int w) { return first_column() << span(w); }
__device__ u64 sites(int w) {
    return columns(w) == 64 ? ~0ull : ((1ull << columns(w)) - 1) * first_column();
}

// Bits of even row + column in word row 0; in odd word rows it is the other bits.
__device__ u64 even_bits(void) {
    return ROWS_PER_WORD == 2 && WORD_ROWS % 2 ? 0xaaaaaaaa55555555ull : 0x5555555555555555ull;
}

__device__ u64 exchange_halves(u64 word) {
    return ROWS_PER_WORD == 2 ? (word << 32) | (word >> 32) : word;
}

__device__ u64 right_neighbours(u64 word, u64 next_word, int w) {
    return ((word >> 1) & ~last_column(w)) | ((next_word & first_column()) << span(w));
}

__device__ u64 left_neighbours(u64 word, u64 previous_word, int previous_w) {
    return ((word << 1) & ~first_column()) | ((previous_word >> span(previous_w)) & first_column());
}

__device__ int after(int i, int n) { return i + 1 < n ? i + 1 : 0; }
__device__ int before(int i, int n) { return i > 0 ? i - 1 : n - 1; }
__device__ u64 either(u64 mask, u64 a, u64 b) { return (a & mask) | (b & ~mask); }

// ---- Random numbers (philox.py) ----

enum { START = 0, SEED_SITE = 1, RIGHT_BONDS = 2, DOWN_BONDS = 3, HEAT_BATH = 4,
       MONOTONE_HEAT_BATH = 6 };

typedef struct {
    u32 lattice, k0, k1;
} Source;

__device__ u32 stream_number(int kind, int word) { return ((u32)kind << 24) | (u32)word; }

// Philox4x32-10: two words of 64 random bits for the counter (block, stream, step, lattice).
__device__ void planes(u32 block, u32 stream, u32 step, Source source, u64 *plane_0, u64 *plane_1) {
    u32 c0 = block, c1 = stream, c2 = step, c3 = source.lattice;
    u32 k0 = source.k0, k1 = source.k1;
    for (int round = 0; round < 10; ++round) {
        u64 product_0 = (u64)c0 * 0xD2511F53u;
        u64 product_1 = (u64)c2 * 0xCD9E8D57u;
        c0 = (u32)(product_1 >> 32) ^ c1 ^ k0;
        c1 = (u32)product_1;
        c2 = (u32)(product_0 >> 32) ^ c3 ^ k1;
        c3 = (u32)product_0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    *plane_0 = c0 | (u64)c1 << 32;
    *plane_1 = c2 | (u64)c3 << 32;
}

// ---- Comparison with a threshold, bit by bit (thresholds.py) ----

enum { BLOCKS = 32 };  // of two planes each: then 64 bits have been compared

__device__ u64 threshold_plane(u64 threshold, int plane) {
    return 0 - (threshold >> (63 - plane) & 1);
}

// Returns the bits found below; leaves in undecided those that are equal so far.
__device__ u64 compare(u64 *undecided, u64 threshold_bits, u64 random_bits) {
    u64 below = *undecided & threshold_bits & ~random_bits;
    *undecided &= ~(threshold_bits ^ random_bits);
    return below;
}

// ---- Bonds and the Wolff cluster (bonds.py, wolff.py) ----
//
// Arrays of one lattice are reached with a stride, the number of lattices side by side. vertical
// at word row y holds the bonds between word rows y - 1 and y, at the bits of y.

#define AT(array, y, w) array[(size_t)((y)*WORDS_PER_ROW + (w)) * stride]

__device__ u64 accept(u64 undecided, u64 threshold, u32 stream, u32 step, Source source) {
    u64 accepted = 0, plane_0, plane_1;
    for (int block = 0; block < BLOCKS && undecided; ++block) {
        planes(block, stream, step, source, &plane_0, &plane_1);
        accepted |= compare(&undecided, threshold_plane(threshold, 2 * block), plane_0);
        accepted |= compare(&undecided, threshold_plane(threshold, 2 * block + 1), plane_1);
    }
    return accepted;
}

__device__ void draw_bonds(const u64 *spins, size_t spin_stride, u64 *right, u64 *vertical,
                           size_t stride, u64 threshold, u32 step, Source source) {
    for (int y = 0; y < WORD_ROWS; ++y) {
        int bottom = y == WORD_ROWS - 1;
        for (int w = 0; w < WORDS_PER_ROW; ++w) {
            const u64 *row = spins + (size_t)y * WORDS_PER_ROW * spin_stride;
            const u64 *next_row = spins + (size_t)after(y, WORD_ROWS) * WORDS_PER_ROW * spin_stride;
            int word = y * WORDS_PER_ROW + w;
            u64 here = row[w * spin_stride];
            u64 at_right = row[after(w, WORDS_PER_ROW) * spin_stride];
            u64 under = next_row[w * spin_stride];
            if (bottom) under = exchange_halves(under);

            u64 equal = sites(w) & ~(here ^ right_neighbours(here, at_right, w));
            AT(right, y, w) =
                accept(equal, threshold, stream_number(RIGHT_BONDS, word), step, source);
            equal = sites(w) & ~(here ^ under);
            u64 down = accept(equal, threshold, stream_number(DOWN_BONDS, word), step, source);
            AT(vertical, after(y, WORD_ROWS), w) = bottom ? exchange_halves(down) : down;
        }
    }
}

// Fills every run of bonded bits that contains a set bit; see wolff.py for how.
__device__ u64 fill_runs(u64 g, u64 bonds, u64 seam, int w) {
    g |= (bonds + (g & bonds)) ^ bonds;
    g |= (g & seam) >> span(w);
    g |= (bonds + (g & bonds)) ^ bonds;
    u64 end_of_first_run = ((bonds + first_column()) ^ bonds) & ~bonds;
    g |= ((g & end_of_first_run) + (last_column(w) - first_column())) & seam;
    for (int shift = 1; shift < 64 / ROWS_PER_WORD; shift *= 2) {
        g |= (g >> shift) & bonds;
        bonds &= bonds >> shift;
    }
    return g;
}

// What a visit to a word has shown: it has new sites; bonds lead on to new sites above, below.
enum { CHANGED = 1, ABOVE = 2, BELOW = 4 };

// Grows the cluster in one word, from all sides and within.
__device__ int absorb(u64 *cluster, const u64 *right, const u64 *vertical, size_t stride, int y,
                      int w) {
    int above_y = before(y, WORD_ROWS), below_y = after(y, WORD_ROWS);
    u64 above = AT(cluster, above_y, w), bonds_above = AT(vertical, y, w);
    u64 below = AT(cluster, below_y, w), bonds_below = AT(vertical, below_y, w);
    u64 own = AT(cluster, y, w), bonds = AT(right, y, w);
    u64 first = first_column(), last = last_column(w), seam = last;
    if (y == 0) above = exchange_halves(above);
    if (below_y == 0) {
        below = exchange_halves(below);
        bonds_below = exchange_halves(bonds_below);
    }
    u64 g = own | (above & bonds_above) | (below & bonds_below);
    if (WORDS_PER_ROW > 1) {
        int previous_w = before(w, WORDS_PER_ROW), next_w = after(w, WORDS_PER_ROW);
        g |= ((AT(cluster, y, previous_w) & AT(right, y, previous_w)) >> span(previous_w)) & first;
        g |= ((AT(cluster, y, next_w) & first) << span(w)) & bonds & last;
        seam = 0;  // only where a row is one word does its last bond lead back to its first column
    }
    g = fill_runs(g, bonds & ~last, bonds & seam, w);
    AT(cluster, y, w) = g;
    return (g != own ? CHANGED : 0) | (g & bonds_above & ~above ? ABOVE : 0) |
           (g & bonds_below & ~below ? BELOW : 0);
}

// The same for all words of a row, there and back until nothing changes.
__device__ int absorb_row(u64 *cluster, const u64 *right, const u64 *vertical, size_t stride,
                          int y) {
    int shown;
    do {
        shown = 0;
        for (int w = 0; w < WORDS_PER_ROW; ++w)
            shown |= absorb(cluster, right, vertical, stride, y, w);
        for (int w = WORDS_PER_ROW - 2; w >= 0; --w)
            shown |= absorb(cluster, right, vertical, stride, y, w);
    } while (WORDS_PER_ROW > 1 && shown & CHANGED);
    return shown;
}

// One bit per word row.
typedef struct {
    u64 mask[ROW_MASKS];
} RowSet;

__device__ int mask_of(int y) { return ROW_MASKS == 1 ? 0 : y / 64; }
__device__ void include(RowSet *rows, int y) { rows->mask[mask_of(y)] |= 1ull << y % 64; }
__device__ void exclude(RowSet *rows, int y) { rows->mask[mask_of(y)] &= ~(1ull << y % 64); }

// The nearest row of the set from y on, downwards or upwards; -1 if there is none.
__device__ int next_down(const RowSet *rows, int y) {
    u64 ahead = rows->mask[mask_of(y)] & ~0ull << y % 64;
    for (int m = mask_of(y);; ahead = rows->mask[m]) {
        if (ahead) return 64 * m + __ffsll(ahead) - 1;
        if (++m == ROW_MASKS) return -1;
    }
}
__device__ int next_up(const RowSet *rows, int y) {
    u64 ahead = rows->mask[mask_of(y)] & ~0ull >> (63 - y % 64);
    for (int m = mask_of(y);; ahead = rows->mask[m]) {
        if (ahead) return 64 * m + 63 - __clzll(ahead);
        if (--m < 0) return -1;
    }
}

// Adds to the cluster in row y all sites that bonds connect to it. Rows wait to be visited where
// bonds lead on to new sites; like a lift, it goes on in one direction while any row waits there.
// The cluster is complete, whatever the order, when no row waits.
__device__ void grow_cluster(u64 *cluster, const u64 *right, const u64 *vertical, size_t stride,
                             int y) {
    RowSet waiting = {{0}};
    int down = 1;
    while (y >= 0) {
        int shown = absorb_row(cluster, right, vertical, stride, y);
        exclude(&waiting, y);
        if (shown & ABOVE) include(&waiting, before(y, WORD_ROWS));
        if (shown & BELOW) include(&waiting, after(y, WORD_ROWS));
        int ahead = down ? next_down(&waiting, y) : next_up(&waiting, y);
        if (ahead < 0) {
            down = !down;
            ahead = down ? next_down(&waiting, y) : next_up(&waiting, y);
        }
        y = ahead;
    }
}

__device__ void wolff_step(u64 *spins, size_t spin_stride, u64 *work, size_t stride, u64 threshold,
                           u32 step, Source source) {
    u64 *right = work, *vertical = work + WORDS * stride, *cluster = work + 2 * WORDS * stride;
    draw_bonds(spins, spin_stride, right, vertical, stride, threshold, step, source);

    for (int word = 0; word < WORDS; ++word) cluster[word * stride] = 0;
    u64 x, unused;
    planes(0, stream_number(SEED_SITE, 0), step, source, &x, &unused);
    int row = (int)((x & 0xFFFFFFFFu) * SIDE >> 32), column = (int)((x >> 32) * SIDE >> 32);
    int y = row % WORD_ROWS;
    AT(cluster, y, column / 64) = 1ull << (column % 64 + 32 * (row / WORD_ROWS));
    grow_cluster(cluster, right, vertical, stride, y);
    for (int word = 0; word < WORDS; ++word) spins[word * spin_stride] ^= cluster[word * stride];
}

// ---- Heat bath (heat_bath.py) ----

// Where the local field is 2 or 4 in size, and its sign, 0 counting as up.
typedef struct {
    u64 two, four, sign;
} Fields;

// Local fields of one colour in word rows y (bits upper) and y + 1 (the other bits), as one word.
__device__ Fields local_fields(const u64 *spins, size_t stride, int y, int w, u64 upper) {
    int lower_y = y + 1 < WORD_ROWS ? y + 1 : y, above_y = before(y, WORD_ROWS);
    int under_y = after(y, WORD_ROWS), below_y = after(lower_y, WORD_ROWS);
    int previous_w = before(w, WORDS_PER_ROW), next_w = after(w, WORDS_PER_ROW);
    u64 above = AT(spins, above_y, w), under = AT(spins, under_y, w), below = AT(spins, below_y, w);
    u64 upper_row = AT(spins, y, w), lower_row = AT(spins, lower_y, w);
    if (y == 0) above = exchange_halves(above);
    if (under_y == 0) under = exchange_halves(under);
    if (below_y == 0) below = exchange_halves(below);

    u64 own = either(upper, lower_row, upper_row), previous = own, following = own;
    if (WORDS_PER_ROW > 1) {
        previous = either(upper, AT(spins, lower_y, previous_w), AT(spins, y, previous_w));
        following = either(upper, AT(spins, lower_y, next_w), AT(spins, y, next_w));
    }
    // How many of the four neighbours a, b, c, d are up, by adding two and two.
    u64 a = either(upper, above, upper_row), b = either(upper, under, below);
    u64 c = left_neighbours(own, previous, previous_w), d = right_neighbours(own, following, w);
    u64 odd = c ^ d, both = c & d, vertical_odd = a ^ b, vertical_both = a & b;
    Fields fields;
    fields.two = odd ^ vertical_odd;
    fields.four = (both & vertical_both) | ~(odd | both | vertical_odd | vertical_both);
    fields.sign = both | vertical_both | (odd & vertical_odd);
    return fields;
}

__device__ u64 upper_sites(int w, u64 upper) { return sites(w) & upper; }
__device__ u64 lower_sites(int y, int w, u64 upper) {
    return y + 1 < WORD_ROWS ? sites(w) & ~upper : 0;  // an odd number of word rows: one is alone
}

__device__ void write_pair(u64 *spins, size_t stride, int y, int w, u64 upper, u64 value) {
    AT(spins, y, w) = either(upper_sites(w, upper), value, AT(spins, y, w));
    if (y + 1 < WORD_ROWS)
        AT(spins, y + 1, w) = either(lower_sites(y, w, upper), value, AT(spins, y + 1, w));
}

__device__ void update_pair(u64 *spins, size_t stride, int y, int w, u64 upper, u64 against_2,
                            u64 against_4, u32 stream, u32 step, Source source) {
    Fields fields = local_fields(spins, stride, y, w, upper);
    u64 two = fields.two, four = fields.four, value = fields.sign;
    u64 undecided = upper_sites(w, upper) | lower_sites(y, w, upper), plane_0, plane_1;
    u64 zero = ~(two | four);  // there U < 1/2 is decided by the first bit
    for (int block = 0; block < BLOCKS && undecided; ++block) {
        planes(block, stream, step, source, &plane_0, &plane_1);
        u64 bits = (two & threshold_plane(against_2, 2 * block)) |
                   (four & threshold_plane(against_4, 2 * block)) | zero;
        value ^= compare(&undecided, bits, plane_0);
        undecided &= two | four;
        zero = 0;
        bits = (two & threshold_plane(against_2, 2 * block + 1)) |
               (four & threshold_plane(against_4, 2 * block + 1));
        value ^= compare(&undecided, bits, plane_1);
    }
    write_pair(spins, stride, y, w, upper, value);
}

__device__ void heat_bath_sweep(u64 *spins, size_t stride, u64 against_2, u64 against_4, u32 step,
                                Source source) {
    for (int colour = 0; colour < 2; ++colour) {
        u64 upper = colour == 0 ? even_bits() : ~even_bits();
        for (int y = 0; y < WORD_ROWS; y += 2)
            for (int w = 0; w < WORDS_PER_ROW; ++w)
                update_pair(spins, stride, y, w, upper, against_2, against_4,
                            stream_number(HEAT_BATH + colour, y * WORDS_PER_ROW + w), step, source);
    }
}

// ---- Exact sampling (monotone.py, coupling.py) ----

enum { TOP = 0, BOTTOM = 1, CURRENT = 2, CHAINS = 3 };

// All chains with the same coins and the same V: plane 0 is the coins, the others are V's bits.
__device__ void monotone_update(u64 *chains, size_t stride, int y, int w, u64 upper, u64 against_2,
                                u64 against_4, u32 stream, u32 sweep, Source source) {
    Fields fields[CHAINS];
    u64 place = upper_sites(w, upper) | lower_sites(y, w, upper);
    u64 coin, plane_0, plane_1, undecided_2 = 0, undecided_4 = 0;
    planes(0, stream, sweep, source, &coin, &plane_1);
    for (int c = 0; c < CHAINS; ++c) {
        fields[c] = local_fields(chains + c * WORDS * stride, stride, y, w, upper);
        undecided_2 |= place & fields[c].two & (fields[c].sign ^ coin);
        undecided_4 |= place & fields[c].four & (fields[c].sign ^ coin);
    }
    // A threshold with the bit of plane 0 is above every V.
    u64 below_2 = threshold_plane(against_2, 0), below_4 = threshold_plane(against_4, 0);
    undecided_2 &= ~below_2;
    undecided_4 &= ~below_4;
    below_2 |= compare(&undecided_2, threshold_plane(against_2, 1), plane_1);
    below_4 |= compare(&undecided_4, threshold_plane(against_4, 1), plane_1);
    for (int block = 1; block < BLOCKS && (undecided_2 | undecided_4); ++block) {
        planes(block, stream, sweep, source, &plane_0, &plane_1);
        below_2 |= compare(&undecided_2, threshold_plane(against_2, 2 * block), plane_0);
        below_2 |= compare(&undecided_2, threshold_plane(against_2, 2 * block + 1), plane_1);
        below_4 |= compare(&undecided_4, threshold_plane(against_4, 2 * block), plane_0);
        below_4 |= compare(&undecided_4, threshold_plane(against_4, 2 * block + 1), plane_1);
    }
    for (int c = 0; c < CHAINS; ++c) {
        u64 two = fields[c].two, four = fields[c].four;
        u64 takes_coin = ~(two | four) | (two & below_2) | (four & below_4);
        write_pair(chains + c * WORDS * stride, stride, y, w, upper,
                   either(takes_coin, coin, fields[c].sign));
    }
}

__device__ void monotone_sweep(u64 *chains, size_t stride, u64 against_2, u64 against_4, u32 sweep,
                               Source source) {
    for (int colour = 0; colour < 2; ++colour) {
        u64 upper = colour == 0 ? even_bits() : ~even_bits();
        for (int y = 0; y < WORD_ROWS; y += 2)
            for (int w = 0; w < WORDS_PER_ROW; ++w)
                monotone_update(chains, stride, y, w, upper, against_2, against_4,
                                stream_number(MONOTONE_HEAT_BATH + colour, y * WORDS_PER_ROW + w),
                                sweep, source);
    }
}

__device__ int together(const u64 *chains, size_t stride) {
    u64 apart = 0;
    for (int k = 0; k < WORDS; ++k)
        apart |= chains[(TOP * WORDS + k) * stride] ^ chains[(BOTTOM * WORDS + k) * stride];
    return apart == 0;
}

// Takes lattices that no thread has taken, until there are none. One loop over sweeps, not one
// per lattice, so that the threads of a warp need not wait for each other's lattices.
__device__ void run_until_coupled(u64 *words, u64 *sweeps, const u64 *against_2,
                                  const u64 *against_4, const u64 *block, u64 *chains,
                                  size_t stride, u32 *taken, u32 lattices, Source source) {
    u64 *before_block = chains + CHAINS * WORDS * stride;
    u32 first_lattice = source.lattice, i = atomicAdd(taken, 1);
    u64 sweep = 0, left = 0;
    int second = 0;  // has a block of this lattice coalesced?
    for (int k = 0; k < WORDS; ++k) chains[(CURRENT * WORDS + k) * stride] = 0;
    while (i < lattices) {
        if (left == 0) {
            left = block[i];
            for (int k = 0; k < WORDS; ++k) {
                chains[(TOP * WORDS + k) * stride] = sites(k % WORDS_PER_ROW);
                chains[(BOTTOM * WORDS + k) * stride] = 0;
                before_block[k * stride] = chains[(CURRENT * WORDS + k) * stride];
            }
        }
        source.lattice = first_lattice + i;
        ++sweep;
        --left;
        monotone_sweep(chains, stride, against_2[i], against_4[i], (u32)sweep, source);
        if ((second || left == 0) && together(chains, stride)) {
            if (second) {  // the sample is the state before this block
                for (int k = 0; k < WORDS; ++k)
                    words[k * (size_t)lattices + i] = before_block[k * stride];
                sweeps[i] = sweep;
                i = atomicAdd(taken, 1);
                sweep = left = second = 0;
            } else {
                for (int k = 0; k < WORDS; ++k)
                    chains[(CURRENT * WORDS + k) * stride] = chains[(TOP * WORDS + k) * stride];
                second = 1;
            }
        }
    }
}

// ---- Kernels ----
//
// words: (WORDS, lattices). Thresholds: (lattices). Lattices are numbered from first_lattice.
// A block has THREADS threads, a thread one lattice.

// Set each lattice to all up or all down, with equal probability.
KERNEL cold_start(u64 *words, u32 lattices, u32 first_lattice, u32 k0, u32 k1) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= lattices) return;
    Source source = {first_lattice + i, k0, k1};
    u64 x, unused;
    planes(0, stream_number(START, 0), 0, source, &x, &unused);
    for (int word = 0; word < WORDS; ++word)
        words[word * (size_t)lattices + i] = sites(word % WORDS_PER_ROW) & (0 - (x & 1));
}

// Move the chains on by steps of one Wolff cluster and one heat-bath sweep.
// scratch: (WORK_WORDS, lattices), or null where SHARED_WORK.
KERNEL advance(u64 *words, const u64 *bond, const u64 *against_2, const u64 *against_4,
               u64 *scratch, u32 lattices, u32 first_lattice, u32 first_step, u32 steps, u32 k0,
               u32 k1) {
    __shared__ u64 shared[SHARED_WORDS];
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= lattices) return;  // no thread waits for another: leaving is safe
    Source source = {first_lattice + i, k0, k1};
    for (u32 k = 0; k < steps; ++k) {
        if (SHARED_WORK)
            wolff_step(words + i, lattices, shared + threadIdx.x, THREADS, bond[i], first_step + k,
                       source);
        else
            wolff_step(words + i, lattices, scratch + i, lattices, bond[i], first_step + k, source);
        heat_bath_sweep(words + i, lattices, against_2[i], against_4[i], first_step + k, source);
    }
}

// Heat-bath sweeps alone.
KERNEL heat_bath_sweeps(u64 *words, const u64 *against_2, const u64 *against_4, u32 lattices,
                        u32 first_lattice, u32 first_step, u32 steps, u32 k0, u32 k1) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= lattices) return;
    Source source = {first_lattice + i, k0, k1};
    for (u32 k = 0; k < steps; ++k)
        heat_bath_sweep(words + i, lattices, against_2[i], against_4[i], first_step + k, source);
}

// Exact samples. words: written; sweeps: how many each took; block: sweeps of a block.
// scratch: (EXACT_WORDS, threads), or null where EXACT_SHARED. taken: 0.
KERNEL exact(u64 *words, u64 *sweeps, const u64 *against_2, const u64 *against_4, const u64 *block,
             u64 *scratch, u32 *taken, u32 lattices, u32 first_lattice, u32 k0, u32 k1) {
    __shared__ u64 shared[EXACT_SHARED_WORDS];
    Source source = {first_lattice, k0, k1};
    if (EXACT_SHARED)
        run_until_coupled(words, sweeps, against_2, against_4, block, shared + threadIdx.x, THREADS,
                          taken, lattices, source);
    else
        run_until_coupled(words, sweeps, against_2, against_4, block,
                          scratch + blockIdx.x * blockDim.x + threadIdx.x,
                          (size_t)gridDim.x * blockDim.x, taken, lattices, source);
}

// Write spins (lattices, SIDE, SIDE), +1 or -1. A thread writes one spin.
KERNEL unpack_spins(const u64 *words, signed char *spins, u32 lattices) {
    u64 site = blockIdx.x * (u64)blockDim.x + threadIdx.x;
    if (site >= (u64)lattices * SIDE * SIDE) return;
    int column = (int)(site % SIDE), row = (int)(site / SIDE % SIDE);
    u64 lattice = site / SIDE / SIDE;
    int word = row % WORD_ROWS * WORDS_PER_ROW + column / 64;
    int bit = column % 64 + 32 * (row / WORD_ROWS);
    spins[site] = (signed char)(2 * (int)(words[word * (u64)lattices + lattice] >> bit & 1) - 1);
}
