/* model/describe.c -- what a model is, for people: format, size, links.
 *
 * Nothing here computes with the model.  Cost: one pass over its trees.
 */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "model/core.h"

enum { FORMAT_MAX = 80 };

int
asci_model_set_format(asc_model *m, struct asc_error *e, const char *format,
                      ...)
{
    char text[FORMAT_MAX + 1], *copy;
    va_list ap;

    va_start(ap, format);
    asci_print(text, sizeof text, format, ap);
    va_end(ap);
    asci_make_safe(text);
    copy = asci_copy_text(text, strlen(text), e);
    if (!copy)
        return ASC_ESYSTEM;
    free(m->format);
    m->format = copy;
    return ASC_OK;
}

const char *
asc_model_format(const asc_model *m)
{
    return m->format;
}

const char *
asc_model_algorithm(const asc_model *m)
{
    return m->description;
}

const char *
asc_form_name(enum asc_form form)
{
    static const char *const name[] = {
        [ASC_FORM_LINEAR] = "linear", [ASC_FORM_NETWORK] = "network",
        [ASC_FORM_ENSEMBLE] = "ensemble", [ASC_FORM_OPAQUE] = "opaque"
    };

    return name[form];
}

int
asc_model_has_covers(const asc_model *m)
{
    return m->form == ASC_FORM_ENSEMBLE &&
           asci_ensemble_has_covers(&m->u.ensemble);
}

const char *
asc_model_link(const asc_model *m)
{
    return asci_link_name(m->link);
}

/* ---- missing values ---- */

/* A column that is a product is missing where one of its factors is; linear
 * forms and networks have no answer then.  Trees have an end for it. */
int
asc_model_takes_missing(const asc_model *m, size_t field)
{
    const struct asci_encoder *en = &m->encoder;
    size_t j, k;

    if (field >= m->schema.n || !isnan(m->schema.field[field].replacement) ||
        m->form == ASC_FORM_OPAQUE || m->form == ASC_FORM_ENSEMBLE)
        return 1;
    for (j = 0; j < en->n; j++)
        for (k = 0; k < en->column[j].n_factors; k++)
            if (en->column[j].factor[k].field == field &&
                isnan(asci_factor_value(&en->column[j].factor[k], NAN)))
                return 0;
    return 1;
}

/* ---- size ---- */

static void
measure_network(const struct asci_network *f, struct asc_model_size *s)
{
    size_t l;

    s->layers = f->n_layers;
    for (l = 0; l < f->n_layers; l++)
        s->weights += f->layer[l].n_out * (f->layer[l].n_in + 1);
}

/* Children come after their parents, so one pass from the end will do.  depth
 * (n_nodes) is room. */
static void
measure_tree(const struct asci_tree *t, uint32_t *depth,
             struct asc_model_size *s)
{
    size_t i, k;

    s->nodes += t->n_nodes;

    for (i = t->n_nodes; i-- > 0;) {
        const struct asci_node *p = &t->node[i];
        const uint32_t child[3] = { p->yes, p->no, p->missing };

        depth[i] = 0;
        s->leaves += p->test == ASCI_LEAF;
        for (k = 0; k < 3 && p->test != ASCI_LEAF; k++)
            if (depth[child[k]] + 1 > depth[i])
                depth[i] = depth[child[k]] + 1;
    }
    if (depth[0] > s->depth)
        s->depth = depth[0];
}

static int
measure_ensemble(const struct asci_ensemble *f, struct asc_model_size *s,
                 struct asc_error *e)
{
    uint32_t *depth;
    size_t j, most = 0;

    s->trees = f->n_trees;
    for (j = 0; j < f->n_trees; j++)
        if (f->tree[j].n_nodes > most)
            most = f->tree[j].n_nodes;
    depth = asci_alloc(most, sizeof *depth, e);
    if (!depth)
        return ASC_ESYSTEM;
    for (j = 0; j < f->n_trees; j++)
        measure_tree(&f->tree[j], depth, s);
    free(depth);
    return ASC_OK;
}

int
asc_model_measure(const asc_model *m, struct asc_model_size *size,
                  struct asc_error *e)
{
    memset(size, 0, sizeof *size);
    size->columns = m->encoder.n;
    switch (m->form) {
    case ASC_FORM_LINEAR:
        size->weights = m->u.linear.n_raw * (m->u.linear.n_columns + 1);
        return ASC_OK;
    case ASC_FORM_NETWORK:
        measure_network(&m->u.network, size);
        return ASC_OK;
    case ASC_FORM_ENSEMBLE:
        return measure_ensemble(&m->u.ensemble, size, e);
    case ASC_FORM_OPAQUE:
        return ASC_OK;
    }
    return ASC_OK;
}
