/* model/pmml/write.h -- what the files of the PMML writer share. */
#ifndef ASCRIBE_MODEL_PMML_WRITE_H
#define ASCRIBE_MODEL_PMML_WRITE_H

#include <stddef.h>
#include <stdint.h>

#include "model/form.h"

/* A function of one raw field, as part of a term. */
struct pmml_part {
    const struct asci_factor *factor;
    size_t category;            /* 1 if the field has it, else 0; or SIZE_MAX:
                                   the factor itself */
    double missing;             /* of a category: value where the field is
                                   missing; NaN: missing */
};

/* coefficient * product of parts; no part is a constant */
struct pmml_term {
    double coefficient;
    size_t first, n;            /* parts */
};

struct pmml_writer {
    const asc_model *m;
    struct asc_buffer *out;
    struct asc_error *e;
    int status;                 /* of the first failure; what comes after it
                                   is not looked at */
    unsigned depth;             /* elements that are open */
    char *dots;                 /* after "derived" and "raw", so that no field
                                   begins like a name of ours */
    char *target;               /* name of the target field */

    /* columns as sums of terms, terms.c */
    struct pmml_part *part;
    struct pmml_term *term;
    size_t n_parts, n_terms, room_parts, room_terms;
    size_t *first_term;         /* (encoder.n + 1) */
};

/* write.c: fails once. */
void asci_pmml_refuse(struct pmml_writer *w, enum asc_status status,
                      const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* <element ...: begin, attributes, then either inside (more follows, closed by
 * asci_pmml_end_element) or empty. */
void asci_pmml_begin(struct pmml_writer *w, const char *element);
void asci_pmml_set(struct pmml_writer *w, const char *name, const char *text);
void asci_pmml_set_number(struct pmml_writer *w, const char *name, double v);
void asci_pmml_set_size(struct pmml_writer *w, const char *name, size_t v);
void asci_pmml_inside(struct pmml_writer *w);
void asci_pmml_empty(struct pmml_writer *w);
void asci_pmml_end_element(struct pmml_writer *w, const char *element);
/* An Array of texts or numbers: type "string", "real" or "int". */
void asci_pmml_array_begin(struct pmml_writer *w, const char *type, size_t n);
/* Whether all engines read the text back from an Array as it is. */
int asci_pmml_array_takes(const char *text);
void asci_pmml_array_text(struct pmml_writer *w, const char *text);
void asci_pmml_array_number(struct pmml_writer *w, double v);
void asci_pmml_array_end(struct pmml_writer *w);
/* The name of derived field i, or raw output i, of ours. */
enum { PMML_NAME_MAX = 64 };
const char *asci_pmml_own_name(const struct pmml_writer *w, const char *what,
                               size_t i, char name[PMML_NAME_MAX]);
/* A MiningField of usage active. */
void asci_pmml_mining_field(struct pmml_writer *w, const char *name);
/* What begins every top-level model after its attributes: MiningSchema,
 * Output (if `last`), ModelStats, Targets (if `last`). */
void asci_pmml_model_head(struct pmml_writer *w, int last);
/* MiningField of the target; Output; Targets: for the last model of a chain
 * as well. */
void asci_pmml_target_field(struct pmml_writer *w);
void asci_pmml_outputs_element(struct pmml_writer *w);
void asci_pmml_targets_element(struct pmml_writer *w);
/* The outputs in the order of RegressionTables: those with a sum of their own
 * first.  order (n_outputs). */
void asci_pmml_table_order(const asc_model *m, size_t *order);

/* write_terms.c */
/* Fills term, part and first_term.  predictors: a category with 0 for missing
 * values may stand alone, as a CategoricalPredictor. */
void asci_pmml_make_terms(struct pmml_writer *w);
/* The part is the field itself, but for its power. */
int asci_pmml_part_is_field(const struct pmml_writer *w,
                            const struct pmml_part *p);
/* The part is 1 for a category, 0 for all else. */
int asci_pmml_part_is_category(const struct pmml_part *p);
int asci_pmml_part_is_single(const struct pmml_part *p);
/* The power may be taken after the expression of what is below it. */
int asci_pmml_power_apart(const struct pmml_part *p);
/* The expression of a part, of a term's product without its coefficient, and
 * of a column. */
void asci_pmml_part_expression(struct pmml_writer *w,
                               const struct pmml_part *p, int with_power);
void asci_pmml_term_expression(struct pmml_writer *w,
                               const struct pmml_term *t);
void asci_pmml_column_expression(struct pmml_writer *w,
                                 const struct asci_column *c);

/* write_tree.c */
/* An element without attributes. */
void asci_pmml_plain(struct pmml_writer *w, const char *name);
/* The categorical field that a column is a function of, or NULL. */
const struct asc_field *
asci_pmml_column_category(const struct pmml_writer *w, size_t column);
/* The column is the number of a field itself. */
int asci_pmml_column_is_field(const struct pmml_writer *w, size_t column);
/* The name under which trees know a column. */
const char *asci_pmml_column_name(const struct pmml_writer *w, size_t column,
                                  char name[PMML_NAME_MAX]);
/* The nodes of a tree of missingValueStrategy "none", from the root on, depth
 * first: values of one raw output, or class shares. */
#define PMML_CLASSES SIZE_MAX
void asci_pmml_write_nodes(struct pmml_writer *w, const struct asci_tree *t,
                           size_t raw);
/* All nodes have two ends. */
int asci_pmml_nodes_are_binary(const struct pmml_writer *w,
                               const struct asci_tree *t);

/* write_linear.c, write_network.c, write_ensemble.c: the model element */
void asci_pmml_write_linear(struct pmml_writer *w);
void asci_pmml_write_network(struct pmml_writer *w);
void asci_pmml_write_ensemble(struct pmml_writer *w);

#endif
