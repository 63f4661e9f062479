/* attribute/lime.h -- the neighbourhood of a row as LIME samples it; used by
 * the method and by the metrics that ask how well a surrogate does there. */
#ifndef ASCRIBE_ATTRIBUTE_LIME_H
#define ASCRIBE_ATTRIBUTE_LIME_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/model.h>
#include <ascribe/table.h>

#include "base/internal.h"

enum asci_lime_bins { ASCI_LIME_QUARTILE, ASCI_LIME_DECILE, ASCI_LIME_NONE };
enum asci_lime_design { ASCI_LIME_SHARED, ASCI_LIME_ROW };

struct asci_lime_setup {
    const asc_model *model;
    enum asc_scale scale;
    const struct asc_background *background;
    uint64_t seed;
    size_t samples;             /* the row itself being the first */
    double width;               /* of the kernel; 0: 0.75 sqrt(d) */
    enum asci_lime_bins bins;
    enum asci_lime_design design;
};

/* Read-only once made.  setup is copied, what it points to is borrowed. */
struct asci_lime;
int asci_lime_new(const struct asci_lime_setup *setup, struct asci_lime **out,
                  struct asc_error *e);
void asci_lime_free(struct asci_lime *l);

/* The neighbourhood of one row; sample 0 is the row.  Of one thread. */
struct asci_near {
    const struct asci_lime *lime;
    size_t n, d, k;             /* samples, fields, outputs of the model */
    int binary;                 /* all coordinates are 0 or 1 */
    double *weight;             /* (n) 0 where the model has no answer */
    double *own;                /* (d) coordinates of the row itself */
    const double *y0;           /* (k) outputs of the row itself */
    const double *y;            /* (n - 1, k) outputs of the others */
    /* for lime_near.c alone */
    uint32_t *at;               /* (d) levels of the row */
    struct asci_lime_draw *draw;        /* what is sampled anew for each row */
};
int asci_near_init(struct asci_near *a, const struct asci_lime *l,
                   struct asc_error *e);
void asci_near_free(struct asci_near *a);
/* Moves to row x (d) with outputs y0 (k), which must live on.  id keys the
 * stream of a design that is sampled for each row. */
int asci_near_move(struct asci_near *a, const double *x, const double *y0,
                   struct asc_text id, struct asc_error *e);
/* Outputs (k) of sample i. */
const double *asci_near_outputs(const struct asci_near *a, size_t i);
/* Coordinates z (d) of sample i. */
void asci_near_point(const struct asci_near *a, size_t i, double *z);
/* For binary ones: where they are 1.  place (d); returns how many. */
size_t asci_near_ones(const struct asci_near *a, size_t i, size_t *place);

#endif
