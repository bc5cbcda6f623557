/* Streams over Philox4x32-10. The 64-bit seed and the 64-bit lane are mixed into the 64-bit
 * key; the object's 64-bit id and the purpose stand in the counter unmixed, so that two objects
 * of one key can never share a block. */
#include "base/random.h"

#include <math.h>

hg_stream
hg_stream_start(uint64_t seed, uint64_t lane, uint64_t id, hg_purpose purpose)
{
    uint64_t key = hg_mix64(seed + 0x9E3779B97F4A7C15u * (lane + 1));
    hg_stream s = {.key = {(uint32_t)key, (uint32_t)(key >> 32)},
                   .counter = {(uint32_t)id, (uint32_t)(id >> 32), 0, (uint32_t)purpose}};

    return s;
}

uint32_t
hg_stream_word(hg_stream *stream)
{
    if (stream->left == 0) {
        hg_philox(stream->key, stream->counter, stream->word);
        stream->counter[2]++;
        stream->left = 4;
    }
    return stream->word[4 - stream->left--];
}

float
hg_stream_float(hg_stream *stream)
{
    return (float)(hg_stream_word(stream) >> 8) * 0x1p-24f;
}

static uint64_t
next_53(hg_stream *stream)
{
    uint64_t hi = hg_stream_word(stream) >> 5, lo = hg_stream_word(stream) >> 6;

    return hi << 26 | lo;
}

double
hg_stream_uniform(hg_stream *stream)
{
    return (double)next_53(stream) * 0x1p-53;
}

double
hg_stream_open(hg_stream *stream)
{
    return ((double)(next_53(stream) >> 1) + 0.5) * 0x1p-52;
}

double
hg_stream_normal(hg_stream *stream)
{
    double u = hg_stream_open(stream), v = hg_stream_uniform(stream);

    return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static int64_t
poisson_inverse(hg_stream *stream, double mean)
{
    double u = hg_stream_uniform(stream), p = exp(-mean), sum = p;
    int64_t n = 0;

    while (u >= sum && n < 1000) {
        n++;
        p *= mean / (double)n;
        sum += p;
    }
    return n;
}

int64_t
hg_stream_poisson(hg_stream *stream, double mean)
{
    int64_t n = 0;
    int pieces = 1;

    while (mean / pieces > 32) {
        pieces *= 2;
    }
    for (int i = 0; i < pieces; i++) {
        n += poisson_inverse(stream, mean / pieces);
    }
    return n;
}

uint32_t
hg_stream_below(hg_stream *stream, uint32_t n)
{
    return (uint32_t)((uint64_t)hg_stream_word(stream) * n >> 32);
}
