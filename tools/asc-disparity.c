/* asc-disparity -- are scores as good for one group of rows as for another? */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tools/scores.h"

static const struct tool_use options[] = {
    { OPT_GROUP, NULL }, { OPT_DATA, "table that has the groups, by row id" },
    { OPT_BY, NULL }, { OPT_BETTER, NULL }, { OPT_MIN_GROUP, NULL },
    { OPT_UNIT, NULL }, { OPT_LEVEL, NULL }, { OPT_REPLICATES, NULL },
    { OPT_PERMUTATIONS, NULL }, { OPT_ADJUST, NULL }, { OPT_SEED, NULL },
    { OPT_ID, NULL }, { OPT_MISSING, NULL }, { OPT_DIGITS, NULL },
    { OPT_PROVENANCE, NULL }, { OPT_OUTPUT, NULL }, { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-disparity",
    .synopsis = "-g COLUMN[,COLUMN...] [-x DATA] [OPTION]... [SCORES]",
    .purpose = "Compare scores between groups of rows: means, gaps, intervals "
        "and tests.",
    .uses = options,
    .max_operands = 1
};

enum { UNSEEN = 1, LEFT_OUT = 2, GROUPS_SHOWN = 5 };

/* One line of the result, kept until the p values can be adjusted. */
struct result {
    const struct score_series *series;
    struct asc_disparity_row row;
    double adjusted;
};

/* 1 if larger values of the series' metric are better. */
static int
higher_is_better(const struct scores *s, const struct score_series *v,
                 const struct tool_options *o)
{
    const struct asc_text metric = scores_key_part(s, v, "metric");
    const char *colon = metric.n ? memchr(metric.p, ':', metric.n) : NULL;
    const size_t length = colon ? (size_t)(colon - metric.p) : metric.n;
    size_t n, i;
    const struct asc_entry *const *entries = asc_fidelity_entries(&n);

    if (o->better)
        return !strcmp(o->better, "higher");
    for (i = 0; i < n; i++)
        if (strlen(entries[i]->name) == length
            && !memcmp(entries[i]->name, metric.p, length))
            return !(entries[i]->traits & ASC_LOWER_IS_BETTER);
    return 1;
}

static int
adjustment(const struct tool_options *o)
{
    if (!o->adjust || !strcmp(o->adjust, "holm"))
        return 0;
    return !strcmp(o->adjust, "bh") ? 1 : 2;
}

/* Appends the rows of one series to *result, and marks in `small' the groups
 * that it has and whose mean is not among them. */
static void
compare(const struct scores *s, const struct score_series *v,
        const struct tool_options *o, struct result **result, size_t *n_result,
        unsigned char *small)
{
    const struct asc_stat_options so = {
        .level = o->level, .replicates = o->replicates,
        .permutations = o->permutations, .min_group = o->min_group,
        .seed = o->seed, .adjust = adjustment(o)
    };
    const size_t room = 3 * s->n_groups + 3;
    struct asc_text *unit = malloc((v->n + 1) * sizeof *unit);
    size_t *group = malloc((v->n + 1) * sizeof *group), n_rows = 0, i;
    struct asc_disparity_row *rows = malloc(room * sizeof *rows);
    struct asc_error e;

    if (!unit || !group || !rows)
        tool_no_memory();
    for (i = 0; i < v->n; i++) {
        unit[i] = s->unit[v->row[i]];
        group[i] = s->group[v->row[i]];
    }
    if (asc_disparity(v->value, group, unit, v->n, s->n_groups,
                      higher_is_better(s, v, o), &so, rows, &n_rows, &e))
        scores_fail(s, v, &e);
    *result = realloc(*result, (*n_result + n_rows + 1) * sizeof **result);
    if (!*result)
        tool_no_memory();
    for (i = 0; i < v->n; i++)
        if (group[i] != SIZE_MAX && !isnan(v->value[i]))
            small[group[i]] |= UNSEEN;
    for (i = 0; i < n_rows; i++) {
        if (rows[i].statistic == ASC_DISPARITY_MEAN)
            small[rows[i].group] &= (unsigned char)~UNSEEN;
        (*result)[(*n_result)++] = (struct result){ v, rows[i], NAN };
    }
    for (i = 0; i < s->n_groups; i++)
        if (small[i] & UNSEEN)
            small[i] = LEFT_OUT;
    free(unit);
    free(group);
    free(rows);
}

/* Says which groups were too small. */
static void
note_small(const struct scores *s, const unsigned char *small,
           const struct tool_options *o)
{
    struct asc_buffer names = { NULL, 0, 0, 0 };
    size_t i, n = 0;

    for (i = 0; i < s->n_groups; i++) {
        if (!small[i] || ++n > GROUPS_SHOWN)
            continue;
        if (names.n)
            names.n--;          /* the NUL */
        asc_buffer_text(&names, n > 1 ? "; " : "");
        scores_show(s->group_name[i], &names);
    }
    if (n)
        tool_note("%zu of %zu groups have fewer than %zu rows (left out): "
                  "%s%s", n, s->n_groups, o->min_group, names.p,
                  n > GROUPS_SHOWN ? "; ..." : "");
    asc_buffer_free(&names);
}

/* Line i of n, if it is a gap in this series. */
static int
is_gap(const struct result *r, size_t i, size_t n,
       const struct score_series *series)
{
    return i < n && r[i].row.statistic == ASC_DISPARITY_GAP
        && r[i].series == series;
}

/* Of two groups, one's gap is the other's with the sign turned: one test. */
static int
is_mirror(const struct result *r, size_t i, size_t n)
{
    const struct score_series *v = r[i].series;

    return i > 0 && is_gap(r, i, n, v) && is_gap(r, i - 1, n, v)
        && !is_gap(r, i + 1, n, v) && !(i > 1 && is_gap(r, i - 2, n, v));
}

/* A p value is one in permutations + 1 at least: says so where Holm's
 * correction makes that too much, so that nobody takes it for a finding. */
static void
note_permutations(size_t tests, const struct tool_options *o)
{
    const double least = (double)tests / ((double)o->permutations + 1.0);

    if (adjustment(o) == 0 && o->permutations > 0 && least > 1.0 - o->level)
        tool_note("%zu tests of %u permutations: no p_adjusted can be below "
                  "%.2g; --permutations=%.0f would do", tests,
                  o->permutations, fmin(least, 1.0),
                  ceil((double)tests / (1.0 - o->level)));
}

/* The tests of one statistic, over all series and groups, are one family. */
static void
adjust(struct result *r, size_t n, const struct tool_options *o)
{
    double *p = malloc((n + 1) * sizeof *p), *q = malloc((n + 1) * sizeof *q);
    int statistic;
    size_t i, tests, most = 0;

    if (!p || !q)
        tool_no_memory();
    for (statistic = 0; statistic < ASC_DISPARITY_STATISTICS; statistic++) {
        for (i = tests = 0; i < n; i++) {
            p[i] = (int)r[i].row.statistic == statistic && !is_mirror(r, i, n)
                ? r[i].row.p : NAN;
            tests += !isnan(p[i]);
        }
        most = tests > most ? tests : most;
        asc_adjust(p, n, adjustment(o), q);
        for (i = 0; i < n; i++)
            if ((int)r[i].row.statistic == statistic)
                r[i].adjusted = is_mirror(r, i, n) ? q[i - 1] : q[i];
    }
    note_permutations(most, o);
    free(p);
    free(q);
}

static void
put_result(const struct scores *s, const struct result *r, int digits,
           struct asc_buffer *out)
{
    const double number[] = { r->row.value, r->row.lo, r->row.hi, r->row.p,
                              r->adjusted };
    size_t i;

    asc_buffer_text(out, r->series->key);
    asc_buffer_char(out, '\t');
    if (r->row.group != SIZE_MAX)
        asc_buffer_text(out, s->group_name[r->row.group]);
    else
        for (i = 1; i < s->n_group_columns; i++)
            asc_buffer_char(out, '\t');
    asc_buffer_print(out, "\t%s\t%zu", asc_disparity_names[r->row.statistic],
                     r->row.n);
    for (i = 0; i < sizeof number / sizeof *number; i++) {
        asc_buffer_char(out, '\t');
        asc_buffer_number(out, number[i], digits);
    }
    asc_buffer_char(out, '\n');
}

int
main(int argc, char **argv)
{
    struct tool_options o;
    struct scores s;
    struct asc_buffer out = { NULL, 0, 0, 0 };
    struct result *result = NULL;
    size_t n = 0, i;
    unsigned char *small;       /* (n_groups) 1: left out somewhere */
    asc_writer *w;

    tool_start(&tool, argc, argv, &o);
    if (!o.group)
        tool_misuse("which column makes the groups? Name it with -g");
    w = scores_read(&s, o.n_operands ? o.operands[0] : NULL, &o);
    if (s.no_group)
        tool_note("%zu of %zu lines have no group (left out)", s.no_group,
                  s.n);
    small = calloc(s.n_groups + 1, 1);
    if (!small)
        tool_no_memory();
    for (i = 0; i < s.n_series; i++) {
        const struct score_series *v = &s.series[i];

        scores_note_undefined(v);
        compare(&s, v, &o, &result, &n, small);
    }
    note_small(&s, small, &o);
    adjust(result, n, &o);
    for (i = 0; i < s.n_by; i++)
        asc_buffer_print(&out, "%s\t", s.by[i]);
    for (i = 0; i < s.n_group_columns; i++)
        asc_buffer_print(&out, "%s\t", s.group_column[i]);
    asc_buffer_text(&out, "statistic\tn\tvalue\tlo\thi\tp\tp_adjusted\n");
    tool_put_head(w, &out);
    for (i = 0; i < n; i++)
        put_result(&s, &result[i], o.digits, &out);
    tool_put(w, &out);
    tool_close(w);
    asc_buffer_free(&out);
    free(result);
    free(small);
    scores_free(&s);
    return tool_end(&o, TOOL_DONE);
}
