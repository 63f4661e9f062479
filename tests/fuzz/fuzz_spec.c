/* Any bytes as a list of specifications; the first one chooses the registry.
 * What is refused says so in one line and adds nothing; what is read has
 * values in their ranges, and its canonical text is read as the same. */
#include <math.h>
#include <string.h>

#include <ascribe/ascribe.h>

#include "tests/fuzz/fuzz.h"

static const struct asc_entry *const *
registry(unsigned which, size_t *n)
{
    switch (which % 4) {
    case 0:
        return asc_method_entries(n);
    case 1:
        return asc_fidelity_entries(n);
    case 2:
        return asc_agreement_entries(n);
    default:
        return asc_trainer_entries(n);
    }
}

static void
check_values(const struct asc_spec *s)
{
    const struct asc_param *p = s->entry->params;
    size_t i;

    for (i = 0; p && p[i].name; i++) {
        check(i < ASC_PARAMS_MAX && !isnan(s->value[i]));
        check(p[i].type == ASC_PARAM_REAL
              || s->value[i] == floor(s->value[i]));
        check((p[i].type == ASC_PARAM_TEXT && s->value[i] == 1.0) ==
              (s->text[i] != NULL));
        check(p[i].type == ASC_PARAM_CHOICE || p[i].type == ASC_PARAM_TEXT
              ? s->value[i] >= 0.0
              : s->value[i] >= p[i].min && s->value[i] <= p[i].max);
    }
}

static void
check_same(const struct asc_spec *a, const struct asc_spec *b)
{
    size_t i;

    check(a->entry == b->entry && a->seed == b->seed);
    check(strcmp(a->background, b->background) == 0);
    for (i = 0; a->entry->params && a->entry->params[i].name; i++)
        check(a->value[i] == b->value[i]
              && !a->text[i] == !b->text[i]
              && (!a->text[i] || !strcmp(a->text[i], b->text[i])));
}

/* The canonical texts, by commas. */
static void
write_all(const struct asc_specs *s, struct asc_buffer *out)
{
    size_t i;

    for (i = 0; i < s->n; i++) {
        if (i > 0)
            asc_buffer_char(out, ',');
        asc_spec_text(&s->v[i], out);
    }
    asc_buffer_char(out, '\0');
    check(!out->failed);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct asc_specs once = { 0, NULL }, twice = { 0, NULL };
    struct asc_buffer text = { NULL, 0, 0, 0 }, again = { NULL, 0, 0, 0 };
    struct asc_error e = { ASC_OK, "" };
    const struct asc_entry *const *entries;
    size_t n_entries, i;

    if (n == 0)
        return 0;
    entries = registry(bytes[0], &n_entries);
    asc_buffer_add(&text, (const char *)bytes + 1, n - 1);
    asc_buffer_char(&text, '\0');
    check(!text.failed);
    if (asc_specs_parse(text.p, entries, n_entries, "method", &once, &e)) {
        check(once.n == 0 && e.status != ASC_OK && !strchr(e.text, '\n'));
        goto out;
    }
    for (i = 0; i < once.n; i++)
        check_values(&once.v[i]);
    text.n = 0;
    write_all(&once, &text);
    check(!asc_specs_parse(text.p, entries, n_entries, "method", &twice, &e));
    check(once.n == twice.n);
    for (i = 0; i < once.n; i++)
        check_same(&once.v[i], &twice.v[i]);
    write_all(&twice, &again);
    check(strcmp(text.p, again.p) == 0);
out:
    asc_specs_free(&once);
    asc_specs_free(&twice);
    asc_buffer_free(&text);
    asc_buffer_free(&again);
    return 0;
}
