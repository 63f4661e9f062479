/* attribute/integral.c -- integrals of gradients along paths of columns.
 *
 *     phi_j = sum over columns c of field j of
 *             int_0^1 g_c(gamma(t)) gamma_c'(t) dt,  gamma from enc(b) to enc(x)
 *
 * Three ways, the first that fits:
 *
 * Rays.  Networks of ReLU and linear models, on paths that are straight in
 * their columns, are integrated exactly, piece by piece (model/ray.c).
 *
 * Quadrature.  Gauss-Legendre with `steps` nodes converges faster than any
 * power of `steps` where the model is smooth along the path.
 *
 * Parts.  phi must add up to f(x) - f(b), and on a part a..b of the path to
 * f(b) - f(a): where it does not, by more than TOLERANCE, the part is cut in
 * two, and each is integrated with N_PART nodes.  What is missed is most often
 * a kink, which lies where the lines through both ends meet, or beyond the
 * last node that an end has; cuts there, and in the middle now and then, leave
 * smooth parts.  After MOST parts, or where they are too short, what is missed
 * stays missed; so do jumps.
 *
 * Cost: rays that of about 10 gradients for two hidden layers of 128 neurons;
 * quadrature `steps` gradients; parts about 200 for each kink.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attribute/integral.h"

enum {
    ROOM = 1 << 17,             /* doubles of a chunk's columns */
    POINTS = 1152,              /* of a chunk, whole panels of products */
    N_PART = 4,
    MOST = 20000
};

/* Of |f|, what the whole path may miss, and what each part may. */
static const double TOLERANCE = 1e-10, PART = 1e-12;
static const double SHORTEST = 1e-13;

void
asci_integral_free(struct asci_integral *t)
{
    asci_path_free(&t->path);
    asci_rays_free(t->rays);
    free(t->part_weight);
    free(t->part_node);
    free(t->weight);
    free(t->node);
    memset(t, 0, sizeof *t);
}

int
asci_integral_init(struct asci_integral *t, const asc_model *m,
                   enum asc_scale scale, size_t steps, int fixed,
                   struct asc_error *e)
{
    int status;

    memset(t, 0, sizeof *t);
    t->model = m;
    t->scale = scale;
    t->fixed = fixed;
    t->steps = steps;
    t->n_part = steps < N_PART ? steps : N_PART;
    status = asci_path_init(&t->path, m, e);
    if (status != ASC_OK)
        return status;
    status = ASC_ESYSTEM;
    if (!fixed && t->path.n_broad == 0 && asci_form_has_rays(m)) {
        t->rays = asci_rays_new(m, scale, e);
        if (!t->rays)
            goto bad;
        return ASC_OK;
    }
    t->node = asci_alloc(steps, sizeof *t->node, e);
    t->weight = asci_alloc(steps, sizeof *t->weight, e);
    t->part_node = asci_alloc(t->n_part, sizeof *t->node, e);
    t->part_weight = asci_alloc(t->n_part, sizeof *t->weight, e);
    if (!t->node || !t->weight || !t->part_node || !t->part_weight)
        goto bad;
    asci_gauss_legendre(steps, t->node, t->weight);
    asci_gauss_legendre(t->n_part, t->part_node, t->part_weight);
    return ASC_OK;
bad:
    asci_integral_free(t);
    return status;
}

/* ---- rays ---- */

static int
run_rays(const struct asci_integral *t, const double *cb, const double *x,
         size_t n, const size_t *output, size_t q, double factor, double *phi,
         struct asc_error *e)
{
    const size_t d = t->model->schema.n, c = t->model->encoder.n;
    double *cx = asci_alloc(n, c * sizeof *cx, e), *sum = NULL;
    double *g = asci_alloc(n * q, c * sizeof *g, e);
    int status = ASC_ESYSTEM;
    size_t i, j;

    sum = asci_alloc(d, sizeof *sum, e);
    if (!cx || !g || !sum)
        goto out;
    asci_encode(&t->model->encoder, d, x, n, cx);
    status = asci_rays_run(t->rays, cb, cx, n, output, q, g, e);
    for (i = 0; i < n * q && status == ASC_OK; i++) {
        memset(sum, 0, d * sizeof *sum);
        asci_path_straight(&t->path, cx + i / q * c, cb, g + i * c, sum);
        for (j = 0; j < d; j++)
            phi[i * d + j] += factor * sum[j];
    }
out:
    free(sum);
    free(g);
    free(cx);
    return status;
}

/* ---- quadrature and parts ---- */

/* A part of the path of one row and output.  f at its ends, of which one may
 * be asked for first. */
struct part {
    size_t item;
    double from, to, f_from, f_to;
    int ask;                    /* 0 none, 1 f_from, 2 f_to */
    unsigned depth;
};

struct parts { struct part *v; size_t n, room; };

struct walk {
    const struct asci_integral *t;
    const double *b, *cb, *base, *x, *value;
    const size_t *output;
    size_t q;
    double factor, *phi;
    struct parts now, next;     /* of this round and of the following one */
    double *scale;              /* (items) of |f| */
    size_t *n_parts;            /* (items) so far */
    size_t n_points, capacity;
    double *columns, *g, *y;    /* (capacity, c), same, (capacity) */
    size_t *at;                 /* (capacity) outputs */
    double *cx, *sum, *here;    /* (c), (c), (d) */
};

static int
push_part(struct parts *p, const struct part *v, struct asc_error *e)
{
    if (p->n == p->room) {
        const size_t room = p->room ? 2 * p->room : 256;
        struct part *all = asci_resize(p->v, room, sizeof *all, e);

        if (!all)
            return ASC_ESYSTEM;
        p->v = all;
        p->room = room;
    }
    p->v[p->n++] = *v;
    return ASC_OK;
}

static size_t
nodes_of(const struct asci_integral *t, const struct part *p)
{
    return p->depth == 0 ? t->steps : t->n_part;
}

/* Where node i of a part is, as t of the whole path. */
static double
place_of(const struct asci_integral *t, const struct part *p, size_t i)
{
    if (p->depth == 0)
        return t->node[i];
    return p->from + (p->to - p->from) * t->part_node[i];
}

static double
weight_of(const struct asci_integral *t, const struct part *p, size_t i)
{
    if (p->depth == 0)
        return t->weight[i];
    return (p->to - p->from) * t->part_weight[i];
}

static const double *
row_of(const struct walk *w, const struct part *p)
{
    return w->x + p->item / w->q * w->t->model->schema.n;
}

/* Asks for the points of a part: its nodes, then the end that is not known. */
static void
put_points(struct walk *w, const struct part *p)
{
    const struct asci_integral *t = w->t;
    const size_t c = t->model->encoder.n, n = nodes_of(t, p);
    const double *x = row_of(w, p);
    size_t i;

    asci_encode(&t->model->encoder, t->model->schema.n, x, 1, w->cx);
    for (i = 0; i < n + (p->ask != 0); i++) {
        asci_path_point(&t->path, x, w->b, w->cx, w->cb,
                        i < n ? place_of(t, p, i)
                        : p->ask == 1 ? p->from : p->to,
                        w->columns + w->n_points * c);
        w->at[w->n_points++] = w->output[p->item];
    }
}

/* df/dt at a place, from the gradient g there. */
static double
speed(struct walk *w, const struct part *p, double place, const double *g)
{
    const size_t d = w->t->model->schema.n;
    double sum = 0.0, *part = w->here + d;
    size_t j;

    memset(part, 0, d * sizeof *part);
    asci_path_slope(&w->t->path, row_of(w, p), w->b, place, 1.0, g, part);
    asci_path_straight(&w->t->path, w->cx, w->cb, g, part);
    for (j = 0; j < d; j++)
        sum += part[j];
    return sum;
}

/* Where a part is best cut, from values and slopes at its first and last
 * node. */
static double
cut_of(struct walk *w, const struct part *p, const double *y, const double *g)
{
    const size_t n = nodes_of(w->t, p), c = w->t->model->encoder.n;
    const double t0 = place_of(w->t, p, 0), t1 = place_of(w->t, p, n - 1);
    const double s0 = speed(w, p, t0, g);
    const double s1 = speed(w, p, t1, g + (n - 1) * c);
    const double cut = ((y[n - 1] - s1 * t1) - (y[0] - s0 * t0)) / (s0 - s1);
    const double before = fabs(p->f_from - (y[0] + s0 * (p->from - t0)));
    const double after = fabs(p->f_to - (y[n - 1] + s1 * (p->to - t1)));

    if (p->depth % 3 == 2 || n == 1)
        return 0.5 * (p->from + p->to);
    if (cut > t0 && cut < t1)
        return cut;
    return before > after ? t0 : t1;
}

static int
cut(struct walk *w, const struct part *p, double at, struct asc_error *e)
{
    struct part half = *p;
    int status;

    half.depth++;
    half.to = at;
    half.ask = 2;
    status = push_part(&w->next, &half, e);
    half = *p;
    half.depth++;
    half.from = at;
    half.ask = 1;
    w->n_parts[p->item] += 2;
    return status ? status : push_part(&w->next, &half, e);
}

/* here and its sum, from the gradients at the nodes of a part. */
static double
integrate(struct walk *w, const struct part *p, const double *g, double *size)
{
    const struct asci_integral *t = w->t;
    const size_t c = t->model->encoder.n, d = t->model->schema.n;
    const size_t n = nodes_of(t, p);
    double total = 0.0;
    size_t i, j;

    memset(w->sum, 0, c * sizeof *w->sum);
    memset(w->here, 0, d * sizeof *w->here);
    for (i = 0; i < n; i++) {
        const double weight = weight_of(t, p, i);

        for (j = 0; j < c; j++)
            w->sum[j] += weight * g[i * c + j];
        asci_path_slope(&t->path, row_of(w, p), w->b, place_of(t, p, i),
                        weight, g + i * c, w->here);
    }
    asci_encode(&t->model->encoder, d, row_of(w, p), 1, w->cx);
    asci_path_straight(&t->path, w->cx, w->cb, w->sum, w->here);
    for (j = 0, *size = 0.0; j < d; j++) {
        total += w->here[j];
        *size += fabs(w->here[j]);
    }
    return total;
}

/* What a part adds, from values and gradients at its nodes; or two parts
 * more. */
static int
take_part(struct walk *w, struct part *p, const double *y, const double *g,
          struct asc_error *e)
{
    const struct asci_integral *t = w->t;
    const size_t d = t->model->schema.n, n = nodes_of(t, p);
    double size, missed, *phi = w->phi + p->item * d;
    size_t j;

    if (p->ask)
        *(p->ask == 1 ? &p->f_from : &p->f_to) = y[n];
    missed = fabs(integrate(w, p, g, &size) - (p->f_to - p->f_from));
    if (p->depth == 0)
        w->scale[p->item] = fmax(size, fmax(fabs(p->f_from),
                                            fabs(p->f_to)));
    if (!t->fixed &&
        missed > (p->depth ? PART : TOLERANCE) * w->scale[p->item] &&
        p->to - p->from > SHORTEST && w->n_parts[p->item] < MOST)
        return cut(w, p, cut_of(w, p, y, g), e);
    for (j = 0; j < d; j++)
        phi[j] += w->factor * w->here[j];
    return ASC_OK;
}

/* The parts first..*end-1 whose points fill a chunk. */
static int
run_chunk(struct walk *w, size_t first, size_t *end, struct asc_error *e)
{
    const struct asci_integral *t = w->t;
    const size_t c = t->model->encoder.n;
    size_t i, at;
    int status;

    w->n_points = 0;
    for (i = first; i < w->now.n; i++) {
        const struct part *p = &w->now.v[i];

        if (w->n_points + nodes_of(t, p) + (p->ask != 0) > w->capacity)
            break;
        put_points(w, p);
    }
    *end = i;
    status = asci_form_gradient(t->model, t->scale, w->columns, w->n_points,
                                w->at, w->y, w->g, e);
    for (i = first, at = 0; i < *end && status == ASC_OK; i++) {
        struct part *p = &w->now.v[i];

        status = take_part(w, p, w->y + at, w->g + at * c, e);
        at += nodes_of(t, p) + (p->ask != 0);
    }
    return status;
}

static int
run_rounds(struct walk *w, struct asc_error *e)
{
    struct parts swap;
    size_t i, end;
    int status = ASC_OK;

    while (w->now.n > 0) {
        for (i = 0; i < w->now.n && status == ASC_OK; i = end)
            status = run_chunk(w, i, &end, e);
        if (status != ASC_OK)
            return status;
        swap = w->now;
        w->now = w->next;
        w->next = swap;
        w->next.n = 0;
    }
    return ASC_OK;
}

static void
free_walk(struct walk *w)
{
    free(w->now.v);
    free(w->next.v);
    free(w->scale);
    free(w->n_parts);
    free(w->columns);
    free(w->g);
    free(w->y);
    free(w->at);
    free(w->cx);
    free(w->here);
}

static int
make_walk(struct walk *w, size_t items, struct asc_error *e)
{
    const size_t c = w->t->model->encoder.n, d = w->t->model->schema.n;
    const size_t least = w->t->steps + 1;
    size_t points = ROOM / (c + 1) < POINTS ? ROOM / (c + 1) : POINTS;

    points = points > items * least ? items * least : points;
    w->capacity = points > least ? points : least;
    w->scale = asci_alloc(items, sizeof *w->scale, e);
    w->n_parts = asci_alloc_zero(items, sizeof *w->n_parts, e);
    w->columns = asci_alloc(w->capacity, c * sizeof *w->columns, e);
    w->g = asci_alloc(w->capacity, c * sizeof *w->g, e);
    w->y = asci_alloc(w->capacity, sizeof *w->y, e);
    w->at = asci_alloc(w->capacity, sizeof *w->at, e);
    w->cx = asci_alloc(2 * c, sizeof *w->cx, e);
    w->here = asci_alloc(2 * d, sizeof *w->here, e);
    if (!w->scale || !w->n_parts || !w->columns || !w->g || !w->y || !w->at ||
        !w->cx || !w->here)
        return ASC_ESYSTEM;
    w->sum = w->cx + c;
    return ASC_OK;
}

int
asci_integral_run(const struct asci_integral *t, const double *b,
                  const double *cb, const double *base, const double *x,
                  size_t n, const size_t *output, size_t q,
                  const double *value, double factor, double *phi,
                  struct asc_error *e)
{
    const size_t d = t->model->schema.n;
    struct walk w = {
        .t = t, .b = b, .cb = cb, .base = base, .x = x, .value = value,
        .output = output, .q = q, .factor = factor, .phi = phi
    };
    size_t i, j;
    int status = ASC_OK;

    if (t->rays)
        status = run_rays(t, cb, x, n, output, q, factor, phi, e);
    else
        status = make_walk(&w, n * q, e);
    for (i = 0; i < n * q && status == ASC_OK; i++) {
        const struct part whole = {
            i, 0.0, 1.0, base[output[i]], value[i], 0, 0
        };

        if (isnan(whole.f_from) || isnan(whole.f_to))
            for (j = 0; j < d; j++)
                phi[i * d + j] = NAN;
        else if (!t->rays)
            status = push_part(&w.now, &whole, e);
    }
    if (status == ASC_OK && !t->rays)
        status = run_rounds(&w, e);
    free_walk(&w);
    return status;
}
