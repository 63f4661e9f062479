/* asc-summary -- means, medians and intervals of scores. */
#include <stdlib.h>

#include "tools/scores.h"

static const struct tool_use options[] = {
    { OPT_BY, NULL }, { OPT_UNIT, NULL },
    { OPT_DATA, "table that has the column of --unit, by row id" },
    { OPT_LEVEL, NULL }, { OPT_REPLICATES, NULL }, { OPT_SEED, NULL },
    { OPT_ID, NULL }, { OPT_MISSING, NULL }, { OPT_DIGITS, NULL },
    { OPT_PROVENANCE, NULL }, { OPT_OUTPUT, NULL }, { OPT_END, NULL }
};

static const struct tool tool = {
    .name = "asc-summary",
    .synopsis = "[OPTION]... [SCORES]",
    .purpose = "Summarise the values of a table of scores, agreements or "
        "attributions.",
    .uses = options,
    .max_operands = 1
};

static void
put_series(const struct scores *s, const struct score_series *v,
           const struct tool_options *o, struct asc_buffer *out)
{
    const struct asc_stat_options so = {
        .level = o->level, .replicates = o->replicates, .seed = o->seed
    };
    struct asc_text *unit = malloc((v->n + 1) * sizeof *unit);
    struct asc_summary r;
    struct asc_error e;
    size_t i;

    if (!unit)
        tool_no_memory();
    for (i = 0; i < v->n; i++)
        unit[i] = s->unit[v->row[i]];
    if (asc_summarise(v->value, unit, v->n, &so, &r, &e))
        scores_fail(s, v, &e);
    free(unit);
    asc_buffer_print(out, "%s\t%zu", v->key, r.n);
    asc_buffer_char(out, '\t');
    asc_buffer_number(out, r.mean, o->digits);
    asc_buffer_char(out, '\t');
    asc_buffer_number(out, r.sd, o->digits);
    asc_buffer_char(out, '\t');
    asc_buffer_number(out, r.median, o->digits);
    asc_buffer_char(out, '\t');
    asc_buffer_number(out, r.lo, o->digits);
    asc_buffer_char(out, '\t');
    asc_buffer_number(out, r.hi, o->digits);
    asc_buffer_char(out, '\n');
    scores_note_undefined(v);
}

int
main(int argc, char **argv)
{
    struct tool_options o;
    struct scores s;
    struct asc_buffer out = { NULL, 0, 0, 0 };
    asc_writer *w;
    size_t i;

    tool_start(&tool, argc, argv, &o);
    w = scores_read(&s, o.n_operands ? o.operands[0] : NULL, &o);
    for (i = 0; i < s.n_by; i++)
        asc_buffer_print(&out, "%s\t", s.by[i]);
    asc_buffer_text(&out, "n\tmean\tsd\tmedian\tlo\thi\n");
    tool_put_head(w, &out);
    for (i = 0; i < s.n_series; i++)
        put_series(&s, &s.series[i], &o, &out);
    tool_put(w, &out);
    tool_close(w);
    asc_buffer_free(&out);
    scores_free(&s);
    return tool_end(&o, TOOL_DONE);
}
