/* model/ensemble_select.h -- the inner loop of ensemble_run.c, a template.
 *
 * To be included with SELECT_NAME, the function to define; SELECT_BYTES, the
 * length of a vector, which should be that of a register, as comparisons of
 * longer ones are taken apart value by value; and SELECT_TARGET, attributes.
 * Undefines them.
 */
#define SELECT_PASTE(a, b) a ## b
#define SELECT_TYPE(name, suffix) SELECT_PASTE(name, suffix)
#define SELECT_LANES SELECT_TYPE(SELECT_NAME, _lanes)
#define SELECT_RANKS SELECT_TYPE(SELECT_NAME, _ranks)

typedef int16_t SELECT_LANES
    __attribute__((vector_size(SELECT_BYTES), aligned(2), may_alias));
/* Differences of ranks wrap around, which signed ones must not. */
typedef uint16_t SELECT_RANKS
    __attribute__((vector_size(SELECT_BYTES), aligned(2), may_alias));

#define AT(p) (*(SELECT_LANES *)(p))

/* A test in registers: the compiler cannot know that the stores of the loop
 * leave the selection as it is. */
#define TEST_OF(name, s) \
    const int16_t *const name ## _rank = rank + (s)->at; \
    const SELECT_RANKS name ## _start = nothing + (uint16_t)(s)->start; \
    const SELECT_LANES name ## _bound = zero + (s)->bound

/* v = no where the test fails for the rows from i on, else yes */
#define SELECT(name, yes, no) \
    do { \
        const SELECT_RANKS rank_less = \
            *(const SELECT_RANKS *)(name ## _rank + i) - name ## _start; \
        const SELECT_LANES fails = (SELECT_LANES)rank_less > \
                                   name ## _bound; \
    \
        v = (fails & (no)) | (~fails & (yes)); \
    } while (0)

#define EACH_ROW \
    for (i = 0; i < n; i += SELECT_BYTES / sizeof(int16_t))

/* All selections of a tree for n rows, a multiple of VECTOR. */
SELECT_TARGET static void
SELECT_NAME(const struct selection *s, size_t n_selections,
            const int16_t *rank, int16_t *reg, size_t n)
{
    const struct selection *end = s + n_selections;
    const SELECT_LANES zero = { 0 };
    const SELECT_RANKS nothing = { 0 };
    SELECT_LANES v, w;
    size_t i;

    for (; s < end; s++) {
        int16_t *yes = reg + (size_t)s->yes * ASCI_BLOCK;
        int16_t *no = reg + (size_t)s->no * ASCI_BLOCK;
        int16_t *to = reg + (size_t)s->to * ASCI_BLOCK;
        const SELECT_LANES a = zero + (int16_t)s->yes;
        const SELECT_LANES b = zero + (int16_t)s->no;
        TEST_OF(test, s);

        if (s->triple) {
            const SELECT_LANES c = zero + (int16_t)s[1].yes;
            const SELECT_LANES d = zero + (int16_t)s[1].no;
            TEST_OF(second, s + 1);
            TEST_OF(last, s + 2);

            s += 2;
            to = reg + (size_t)s->to * ASCI_BLOCK;
            EACH_ROW {
                SELECT(test, a, b);
                w = v;
                SELECT(second, c, d);
                SELECT(last, w, v);
                AT(to + i) = v;
            }
        } else if (s->yes_is_leaf && s->no_is_leaf) {
            EACH_ROW {
                SELECT(test, a, b);
                AT(to + i) = v;
            }
        } else if (s->yes_is_leaf) {
            EACH_ROW {
                SELECT(test, a, AT(no + i));
                AT(to + i) = v;
            }
        } else if (s->no_is_leaf) {
            EACH_ROW {
                SELECT(test, AT(yes + i), b);
                AT(to + i) = v;
            }
        } else {
            EACH_ROW {
                SELECT(test, AT(yes + i), AT(no + i));
                AT(to + i) = v;
            }
        }
    }
}

#undef TEST_OF
#undef EACH_ROW
#undef SELECT
#undef AT
#undef SELECT_RANKS
#undef SELECT_LANES
#undef SELECT_TYPE
#undef SELECT_PASTE
#undef SELECT_TARGET
#undef SELECT_BYTES
#undef SELECT_NAME
