/* tests/bench/xgboost.h -- libxgboost through its C interface, found when the
 * benchmark runs: models trained by it, its predictions and contributions in
 * this process.  To be included behind bench.h.
 */
#ifndef ASCRIBE_TESTS_BENCH_XGBOOST_H
#define ASCRIBE_TESTS_BENCH_XGBOOST_H

#include <dlfcn.h>
#include <inttypes.h>
#include <unistd.h>

typedef void *xgb_handle;
typedef uint64_t xgb_size;

static struct {
    const char *(*error)(void);
    int (*matrix)(const float *x, xgb_size n, xgb_size d, float missing,
                  xgb_handle *out);
    int (*info)(xgb_handle matrix, const char *name, const float *v,
                xgb_size n);
    int (*types)(xgb_handle matrix, const char *name, const char **v,
                 xgb_size n);
    int (*matrix_free)(xgb_handle matrix);
    int (*create)(const xgb_handle matrix[], xgb_size n, xgb_handle *out);
    int (*set)(xgb_handle booster, const char *name, const char *value);
    int (*update)(xgb_handle booster, int round, xgb_handle matrix);
    int (*save)(xgb_handle booster, const char *path);
    int (*predict)(xgb_handle booster, xgb_handle matrix, const char *config,
                   const xgb_size **shape, xgb_size *dim, const float **out);
    int (*inplace)(xgb_handle booster, const char *values, const char *config,
                   xgb_handle matrix, const xgb_size **shape, xgb_size *dim,
                   const float **out);
    int (*free)(xgb_handle booster);
    void (*version)(int *major, int *minor, int *patch);
} xgb;

/* Finds the library: 0, having said so, if it is not there. */
static inline int
xgb_load(void)
{
    static const struct { void *to; const char *name; } symbol[] = {
        { &xgb.error, "XGBGetLastError" },
        { &xgb.matrix, "XGDMatrixCreateFromMat" },
        { &xgb.info, "XGDMatrixSetFloatInfo" },
        { &xgb.types, "XGDMatrixSetStrFeatureInfo" },
        { &xgb.matrix_free, "XGDMatrixFree" },
        { &xgb.create, "XGBoosterCreate" },
        { &xgb.set, "XGBoosterSetParam" },
        { &xgb.update, "XGBoosterUpdateOneIter" },
        { &xgb.save, "XGBoosterSaveModel" },
        { &xgb.predict, "XGBoosterPredictFromDMatrix" },
        { &xgb.inplace, "XGBoosterPredictFromDense" },
        { &xgb.free, "XGBoosterFree" },
        { &xgb.version, "XGBoostVersion" }
    };
    void *library = dlopen("libxgboost.so.0", RTLD_NOW | RTLD_LOCAL);
    size_t i;

    if (!library)
        library = dlopen("libxgboost.so", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        fprintf(stderr, "bench: no libxgboost.so (Debian: python3-xgboost): "
                "nothing is compared with it\n");
        return 0;
    }
    for (i = 0; i < sizeof symbol / sizeof *symbol; i++) {
        void *p = dlsym(library, symbol[i].name);

        if (!p)
            die(symbol[i].name);
        memcpy(symbol[i].to, &p, sizeof p);
    }
    return 1;
}

static inline void
xgb_check(int failed)
{
    if (failed)
        die(xgb.error());
}

/* ---- models that it trains ---- */

struct xgb_plan {
    size_t trees, depth, d;
    size_t rows;                /* to train on */
    size_t categories;          /* of every second field; 0: all are numbers */
};

/* x (n, d), in float and in double: standard normal numbers, categories all
 * alike. */
static inline void
xgb_numbers(const struct xgb_plan *p, size_t n, struct asc_stream *s,
            float *single, double *x)
{
    size_t i, j;

    for (i = 0; i < n; i++)
        for (j = 0; j < p->d; j++) {
            const float v = p->categories > 0 && j % 2 == 0
                ? (float)asc_stream_below(s, p->categories)
                : (float)asc_stream_normal(s);

            single[i * p->d + j] = v;
            if (x)
                x[i * p->d + j] = v;
        }
}

static inline xgb_handle
xgb_rows(const struct xgb_plan *p, const float *x, size_t n)
{
    const char **type = room(p->d, sizeof *type);
    xgb_handle m;
    size_t j;

    xgb_check(xgb.matrix(x, n, p->d, NAN, &m));
    for (j = 0; j < p->d; j++)
        type[j] = j % 2 == 0 ? "c" : "float";
    if (p->categories > 0)
        xgb_check(xgb.types(m, "feature_type", type, p->d));
    free(type);
    return m;
}

static inline void
xgb_set_number(xgb_handle booster, const char *name, size_t v)
{
    char number[32];

    snprintf(number, sizeof number, "%zu", v);
    xgb_check(xgb.set(booster, name, number));
}

/* The model as we read it from its file. */
static inline asc_model *
xgb_read(xgb_handle booster)
{
    char path[] = "/tmp/ascribe-bench-XXXXXX.json";
    struct asc_error e;
    asc_model *m;
    const int fd = mkstemps(path, 5);

    if (fd < 0)
        die("cannot make a temporary file");
    close(fd);
    xgb_check(xgb.save(booster, path));
    m = asc_model_read(path, NULL, &e);
    unlink(path);
    if (!m)
        die(e.text);
    return m;
}

/* Trees as large as they may become, on a target with products of fields and
 * noise.  *m is the same model as we read it. */
static inline xgb_handle
xgb_train(const struct xgb_plan *p, struct asc_stream *s, asc_model **m)
{
    float *x = room(p->rows * p->d, sizeof *x);
    float *y = room(p->rows, sizeof *y);
    xgb_handle rows, booster;
    size_t i;

    xgb_numbers(p, p->rows, s, x, NULL);
    for (i = 0; i < p->rows; i++) {
        const float *v = x + i * p->d;

        y[i] = (float)asc_stream_normal(s) + v[0] +
               v[p->d / 2] * v[p->d - 1];
        if (p->categories > 0)
            y[i] = (float)asc_stream_normal(s) + fmodf(7.0F * v[0], 5.0F) +
                   v[1];
    }
    rows = xgb_rows(p, x, p->rows);
    xgb_check(xgb.info(rows, "label", y, p->rows));
    xgb_check(xgb.create(&rows, 1, &booster));
    xgb_check(xgb.set(booster, "verbosity", "0"));
    xgb_check(xgb.set(booster, "nthread", "1"));
    xgb_check(xgb.set(booster, "tree_method", "hist"));
    xgb_check(xgb.set(booster, "min_child_weight", "0"));
    xgb_check(xgb.set(booster, "eta", "0.1"));
    xgb_set_number(booster, "max_bin", 64);
    xgb_set_number(booster, "max_depth", p->depth);
    for (i = 0; i < p->trees; i++)
        xgb_check(xgb.update(booster, (int)i, rows));
    xgb_check(xgb.matrix_free(rows));
    *m = xgb_read(booster);
    free(x);
    free(y);
    return booster;
}

/* ---- what it computes ---- */

enum xgb_kind {
    XGB_MARGIN = 1, XGB_CONTRIBUTIONS = 2, XGB_INTERACTIONS = 4
};

/* Margins, or contributions, of the rows; they live until the next call. */
static inline const float *
xgb_predict(xgb_handle booster, xgb_handle rows, enum xgb_kind kind)
{
    const xgb_size *shape;
    const float *out;
    xgb_size dim;
    char config[200];

    text(config, "{\"type\": %d, \"training\": false, \"iteration_begin\": "
         "0, \"iteration_end\": 0, \"strict_shape\": false}", (int)kind);
    xgb_check(xgb.predict(booster, rows, config, &shape, &dim, &out));
    return out;
}

/* Margins of x (n, d) where it lies. */
static inline const float *
xgb_inplace(xgb_handle booster, const float *x, size_t n, size_t d)
{
    const xgb_size *shape;
    const float *out;
    xgb_size dim;
    char values[200];

    text(values, "{\"data\": [%" PRIuPTR ", true], \"shape\": [%zu, %zu], "
         "\"typestr\": \"<f4\", \"version\": 3}", (uintptr_t)x, n, d);
    xgb_check(xgb.inplace(booster, values, "{\"type\": 1, \"training\": "
                          "false, \"iteration_begin\": 0, \"iteration_end\": "
                          "0, \"strict_shape\": false, \"missing\": NaN, "
                          "\"cache_id\": 0}", NULL, &shape, &dim, &out));
    return out;
}

#endif
