/* attribute/tree_shap_walk.c -- trees as walks, rows as the ends they take. */
#include <stdlib.h>
#include <string.h>

#include "attribute/path.h"
#include "attribute/tree_shap.h"

enum { MOST_NODES = 1024 };     /* of a quadrature rule */

/* ---- the walk ---- */

size_t
asci_steps_room(const struct asci_forest *f)
{
    return 5 * asci_largest_tree(f) + f->d;
}

void
asci_steps(const struct asci_forest *f, const struct asci_forest_tree *t,
           struct asci_step *step, uint32_t *room)
{
    const size_t n = t->n_nodes;
    uint32_t *parent = room;            /* (n) of a node */
    uint32_t *depth = room + n;         /* (n) of a node */
    uint32_t *stack = room + 2 * n;     /* (n) nodes to come */
    uint32_t *at = room + 3 * n;        /* (n) step at each depth of the path */
    uint32_t *end = room + 4 * n;       /* (n) that leads to a node */
    uint32_t *last = room + 5 * n;      /* (d) depth of a field's last edge */
    size_t i, k, waiting = 1, open = 0;

    memset(last, 0, f->d * sizeof *last);
    parent[0] = depth[0] = stack[0] = end[0] = 0;
    for (i = 0; i < n; i++) {
        const uint32_t node = stack[--waiting], deep = depth[node];
        const struct asci_branch *b = &t->node[node];
        struct asci_step *s = &step[i];

        /* Leave what of the last path is not on this one. */
        for (; open > 0 && open >= deep; open--)
            last[step[at[open]].field] = step[at[open]].before;
        *s = (struct asci_step){ .node = node, .depth = deep, .c = 1.0 };
        at[deep] = (uint32_t)i;
        if (deep > 0) {
            s->field = t->node[parent[node]].field;
            s->end = end[node];
            s->before = last[s->field];
            s->c = t->ratio[node] * (s->before ? step[at[s->before]].c : 1.0);
            s->different = step[at[deep - 1]].different + !s->before;
            last[s->field] = deep;
            open = deep;
        }
        if (b->child[0] == 0)
            continue;
        for (k = 3; k-- > 0;)
            if (b->child[k] != 0) {
                const uint32_t child = b->child[k];

                parent[child] = node;
                depth[child] = deep + 1;
                end[child] = (uint32_t)k;
                stack[waiting++] = child;
            }
    }
}

/* ---- decisions ---- */

void
asci_decide(const struct asci_forest *f, const struct asci_branch *b,
            const struct asci_coded *rows, uint16_t *restrict passed,
            uint16_t *restrict missing)
{
    const int32_t *restrict code =
        rows->code + (size_t)b->coder * ASCI_TREE_ROWS;
    const int32_t low = b->low, high = b->high;
    const int32_t none = f->coder[b->coder].missing;
    const size_t n = rows->n;
    size_t i;

    if (b->set_bits > 0)
        for (i = 0; i < n; i++)
            passed[i] = asci_in_set(f->sets, b, code[i]) ? UINT16_MAX : 0;
    else if (low <= 0 && none > 0)
        for (i = 0; i < n; i++)
            passed[i] = code[i] <= high ? UINT16_MAX : 0;
    else
        for (i = 0; i < n; i++)
            passed[i] = code[i] < low ? 0 : code[i] <= high ? UINT16_MAX : 0;
    if (b->child[2] != 0)
        for (i = 0; i < n; i++)
            missing[i] = code[i] == none ? UINT16_MAX : 0;
    else if (b->missing_yes && rows->missing[b->coder])
        for (i = 0; i < n; i++)
            passed[i] |= code[i] == none ? UINT16_MAX : 0;
}

void
asci_take(const struct asci_branch *b, uint32_t end, size_t n,
          const uint16_t *restrict passed, const uint16_t *restrict missing,
          uint16_t *restrict took)
{
    size_t i;

    if (end == ASCI_YES)
        memcpy(took, passed, n * sizeof *took);
    else if (end == ASCI_MISSING)
        memcpy(took, missing, n * sizeof *took);
    else if (b->child[2] == 0)
        for (i = 0; i < n; i++)
            took[i] = (uint16_t)~passed[i];
    else
        for (i = 0; i < n; i++)
            took[i] = (uint16_t)~(passed[i] | missing[i]);
}

/* ---- quadrature rules ---- */

double *
asci_rule(size_t degree, size_t *q, struct asc_error *e)
{
    const size_t n = degree ? (degree + 1) / 2 : 1;
    double *rule;

    if (n > MOST_NODES) {
        asc_fail(e, ASC_ENUMERIC, "a path of a tree with %zu different "
                 "fields: more than %d are not supported", degree,
                 2 * MOST_NODES);
        return NULL;
    }
    rule = asci_alloc(2 * n, sizeof *rule, e);
    if (!rule)
        return NULL;
    asci_gauss_legendre(n, rule, rule + n);
    *q = n;
    return rule;
}
