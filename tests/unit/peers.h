/* tests/unit/peers.h -- attributions of other programs for models that are
 * kept as PMML in the reference data.  To be included behind attribution.h.
 */
#ifndef ASCRIBE_TESTS_PEERS_H
#define ASCRIBE_TESTS_PEERS_H

#include "attribution.h"

/* Attributions of the last output against CASE/FILE.tsv, whose last d columns
 * are its fields: the largest difference, relative to the largest number of
 * its row (the smallest double is all a row of zeros has).  -1 if the case is
 * not there. */
static inline double
distance_to_peer(const char *name, const char *file, const char *spec,
                 const struct asc_method *method, enum asc_scale scale)
{
    char path[4200], model[128];
    size_t n, d, n_b, n_want, columns, i, j;
    double *x, *z, *want, worst = 0.0;
    struct asc_background b;
    struct explanation got;
    struct asc_error e;
    asc_model *m;

    snprintf(model, sizeof model, "golden/%s/model.pmml", name);
    if (!shared_path(model, path, sizeof path))
        return -1.0;
    m = asc_model_read(path, NULL, &e);
    if (!m)
        fail_msg("%s", e.text);
    x = golden_numbers(name, "X", &n, &d);
    z = golden_numbers(name, "background", &n_b, &columns);
    want = golden_numbers(name, file, &n_want, &columns);
    assert_int_equal(d, asc_model_schema(m)->n);
    assert_true(n_want > 0 && n_want <= n && columns >= d);
    make_background(m, z, n_b, &b);
    got = explain(spec, method, m, scale, &b, x, n_want,
                  asc_model_n_outputs(m) - 1);
    for (i = 0; i < n_want; i++) {
        const double *row = want + i * columns + columns - d;
        double size = 1e-300;

        for (j = 0; j < d; j++)
            size = fmax(size, fabs(row[j]));
        for (j = 0; j < d; j++)
            worst = fmax(worst, fabs(got.phi[i * d + j] - row[j]) / size);
    }
    explanation_free(&got);
    asc_background_free(&b);
    asc_model_free(m);
    free(want);
    free(z);
    free(x);
    print_message("# %s, %s: %s differs by %.2g at most\n", name, file, spec,
                  worst);
    return worst;
}

/* All cases within the tolerance; skips if there are none. */
static inline void
compare_peers(const char *const *names, size_t n, const char *file,
              const char *spec, const struct asc_method *method,
              enum asc_scale scale, double tolerance)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const double worst = distance_to_peer(names[i], file, spec, method,
                                              scale);

        if (worst < 0.0)
            skip();
        assert_true(worst <= tolerance);
    }
}

#endif
