/* ascribe/base.h -- numbers and text, random streams, exact sums, digests. */
#ifndef ASCRIBE_BASE_H
#define ASCRIBE_BASE_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/error.h>

/* ---- numbers and text: C locale always, whatever the host has set ---- */

enum { ASC_NUMBER_MAX = 32 };   /* bytes that hold any formatted number */

/* Writes v with the fewest of 15, 16 or 17 significant digits that read back
 * to the same double, -0 as "0", NaN as nothing, without a final NUL.
 * Returns the number of bytes, under ASC_NUMBER_MAX. */
size_t asc_number_format(double v, char *out);

/* The same with exactly `digits` significant digits (1 to 17), as %.*g. */
size_t asc_number_format_digits(double v, int digits, char *out);

/* 1 and *v, the nearest double, if the n bytes at s are, as a whole, a decimal
 * number ("inf" and "-inf" included; no hexadecimal, no "nan", no blanks), else
 * 0.  One beyond the largest double, as 1e999, is none; 1e-999 is 0. */
int asc_number_parse(const char *s, size_t n, double *v);

/* A buffer that grows.  After a failed allocation it swallows all that is
 * added, and whoever writes it out reports the failure. */
struct asc_buffer {
    char *p;
    size_t n, capacity;
    int failed;
};
void asc_buffer_free(struct asc_buffer *b);
void asc_buffer_add(struct asc_buffer *b, const char *p, size_t n);
void asc_buffer_text(struct asc_buffer *b, const char *text);
void asc_buffer_char(struct asc_buffer *b, char c);
/* digits 0: asc_number_format, else asc_number_format_digits. */
void asc_buffer_number(struct asc_buffer *b, double v, int digits);
void asc_buffer_print(struct asc_buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The name nearest to `name` among n (by edit distance), or NULL if none is
 * near enough to be worth suggesting. */
const char *asc_nearest(const char *name, const char *const *names, size_t n);

/* ---- counter-based random streams (Philox4x64-10; Salmon et al. 2011) ----
 * What comes out depends on (seed, purpose, id) and on how many draws came
 * before in this stream, on nothing else: not on rows, threads or blocks. */

struct asc_stream {
    uint64_t key[2], counter[4], block[4];
    unsigned left;              /* words of block not yet used */
    double spare;               /* second normal of a pair, NaN if none */
};

/* 64-bit FNV-1a of the bytes, finished with the mix of MurmurHash3: the
 * written-down hash that keys the streams of rows. */
uint64_t asc_hash(const void *p, size_t n);

void asc_stream_start(struct asc_stream *s, uint64_t seed, const char *purpose,
                      const char *id, size_t n_id);
uint64_t asc_stream_bits(struct asc_stream *s);
double asc_stream_uniform(struct asc_stream *s);        /* in (0, 1) */
double asc_stream_normal(struct asc_stream *s);
uint64_t asc_stream_below(struct asc_stream *s, uint64_t n);    /* in 0..n-1;
                                                                   0 if n = 0 */
/* A random order of v[0..n-1] (Fisher-Yates). */
void asc_stream_shuffle(struct asc_stream *s, size_t *v, size_t n);

/* ---- exact sums: the order of the addends never shows ----
 * A superaccumulator over the whole range of double, rounded once (to nearest
 * even) by asc_sum_value.  Neal 2015, arXiv:1505.05571. */

struct asc_sum {
    int64_t chunk[68];          /* [i]: units of 2^(32 i - 1074) */
    int32_t pending;            /* additions since the last carry */
    double special;             /* sum of the infinities and NaNs, or 0 */
};
void asc_sum_clear(struct asc_sum *s);
void asc_sum_add(struct asc_sum *s, double v);
void asc_sum_merge(struct asc_sum *s, const struct asc_sum *other);
double asc_sum_value(const struct asc_sum *s);

/* ---- digests ---- */

enum { ASC_DIGEST_MAX = 65 };   /* SHA-256 in hexadecimal, and a NUL */
void asc_digest(const void *p, size_t n, char hex[ASC_DIGEST_MAX]);
int asc_digest_file(const char *path, char hex[ASC_DIGEST_MAX],
                    struct asc_error *e);

/* ---- specifications: NAME[:KEY=VALUE[:KEY=VALUE...]], several by commas ----
 * One grammar for methods, metrics, trainers and plots.  In a value, the bytes
 * `, : = %` and control bytes are written %XX. */

enum asc_param_type {
    ASC_PARAM_REAL,
    ASC_PARAM_INTEGER,
    ASC_PARAM_CHOICE,           /* value is the index in `choices` */
    ASC_PARAM_TEXT              /* value is 1 where text is given, else 0 */
};

struct asc_param {
    const char *name;
    enum asc_param_type type;
    double value;               /* default */
    double min, max;            /* allowed range, both ends included */
    const char *choices;        /* "quartile|none"; NULL unless a choice */
    const char *meaning;        /* one line, with the unit */
};
#define ASC_PARAMS_END { NULL, ASC_PARAM_REAL, 0.0, 0.0, 0.0, NULL, NULL }
enum { ASC_PARAMS_MAX = 16 };

/* What an entry of a registry needs, and what it promises. */
enum asc_trait {
    ASC_NEEDS_GRADIENT = 1 << 0,
    ASC_NEEDS_TREES = 1 << 1,
    ASC_NEEDS_BACKGROUND = 1 << 2,      /* rows to draw absent values from */
    ASC_NEEDS_BASELINE = 1 << 3,        /* one reference row */
    ASC_NEEDS_MODEL = 1 << 4,
    ASC_NEEDS_DATA = 1 << 5,            /* the rows explained, not only phi */
    ASC_RANDOM = 1 << 6,                /* takes a seed */
    ASC_ADDITIVE = 1 << 7,              /* sum of phi = value - base */
    ASC_EXACT = 1 << 8,                 /* no sampling, no truncation */
    ASC_STD_ERROR = 1 << 9,             /* fills se */
    ASC_HIGHER_IS_BETTER = 1 << 10,
    ASC_LOWER_IS_BETTER = 1 << 11,
    ASC_CURVE = 1 << 12,                /* can give a curve */
    ASC_NEEDS_CATEGORY = 1 << 13,       /* a baseline, if the model has
                                           categorical fields */
    ASC_TAKES_BASELINE = 1 << 14,       /* uses a baseline that is given */
    ASC_NEEDS_COVERS = 1 << 15,         /* record counts of the trees' nodes:
                                           the model's, else a background's */
    ASC_NEEDS_LINEAR = 1 << 16          /* weights of columns */
};

/* The head of every registry entry: `--list`, `--help=NAME`, option checking
 * and the manual's completeness tests are made from it. */
struct asc_entry {
    const char *name;           /* the user's name: kernel-shap */
    const char *title;          /* one line, lower case, no full stop */
    const char *source;         /* citation: paper, equation, identifier */
    const struct asc_param *params;
    unsigned traits;            /* enum asc_trait */
};

/* One parsed specification bound to an entry. */
struct asc_spec {
    const struct asc_entry *entry;
    double value[ASC_PARAMS_MAX];       /* in the order of entry->params */
    char *text[ASC_PARAMS_MAX];         /* of ASC_PARAM_TEXT, or NULL; owned */
    uint64_t seed;              /* `seed`, if the entry is ASC_RANDOM */
    int has_seed;               /* said in the text, else left to the tool */
    char background[9];         /* `background` or `baseline`: a digest's first
                                   8 hexadecimal digits, or empty */
};

struct asc_specs {
    size_t n;
    struct asc_spec *v;
};

/* Parses a comma-separated list and appends it to *out.  `entries` are the n
 * entries of the registry, what = "method", "metric", ... for the messages.
 * Unknown names and keys suggest the nearest; values outside their range say
 * the range.  On failure *out holds what it held before. */
int asc_specs_parse(const char *text, const struct asc_entry *const *entries,
                    size_t n, const char *what, struct asc_specs *out,
                    struct asc_error *e);
void asc_specs_free(struct asc_specs *s);

/* Sets a parameter of type ASC_PARAM_TEXT that the entry has; "" is none. */
int asc_spec_set_text(struct asc_spec *s, const char *param, const char *text,
                      struct asc_error *e);

/* The canonical text: name and the parameters that differ from their default,
 * in declared order, then seed if it is not 1 and background if not empty.
 * Parsing it gives the same specification. */
void asc_spec_text(const struct asc_spec *s, struct asc_buffer *out);

/* ---- the ordered parallel loop over blocks ----
 * produce() fills blocks one after the other, work() runs on up to n_threads
 * blocks at once, consume() gets them in the order in which they were
 * produced.  produce and consume are never called concurrently with
 * themselves.  Of several failures that of the earliest block is reported, and
 * every block before it has been consumed. */
struct asc_loop {
    void *(*new_block)(void *context, struct asc_error *e);
    void (*free_block)(void *context, void *block);
    /* 1: filled, 0: no more, -1: failed */
    int (*produce)(void *context, void *block, struct asc_error *e);
    int (*work)(void *context, void *block, struct asc_error *e);
    int (*consume)(void *context, void *block, struct asc_error *e);
};
int asc_loop_run(const struct asc_loop *loop, void *context,
                 unsigned n_threads, struct asc_error *e);

/* The version of the library, "0.1.0", and that of the BLAS kernel in use. */
const char *asc_version(void);
const char *asc_blas_kernel(void);
/* Sets the number of threads that OpenBLAS uses.  The library itself never
 * does so, but a host should set 1: with more, matrix products come out with
 * other last bits, and get in the way of the threads of asc_loop_run. */
void asc_blas_threads(int n);

#endif
