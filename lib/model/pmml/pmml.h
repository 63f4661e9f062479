/* model/pmml/pmml.h -- what the files of the PMML reader share.
 *
 *     bytes --xml.c--> a compact tree of elements
 *           --read.c--> schema, scopes
 *           --fields.c, convert.c--> names as columns (products of functions of
 *                                    one raw field), shared by the document
 *           --regression.c, neural.c, tree.c, mining.c--> fragments
 *           --fragment.c, composite.c--> asc_model
 *
 * A new model element is one function that fills a fragment, and one line in
 * the table of asci_pmml_model().
 */
#ifndef ASCRIBE_MODEL_PMML_H
#define ASCRIBE_MODEL_PMML_H

#include <stddef.h>
#include <stdint.h>

#include "model/form.h"

/* ---- names of elements and attributes that are known ---- */

#define ASCI_PMML_NAMES(X) \
    X(Apply) X(Array) X(CategoricalPredictor) X(CompoundPredicate) X(Con) \
    X(Constant) X(DataDictionary) X(DataField) X(DefineFunction) \
    X(DerivedField) X(Discretize) X(DiscretizeBin) X(Extension) X(False) \
    X(FieldRef) X(Header) \
    X(Interval) X(LinearNorm) X(LocalTransformations) X(MiningField) \
    X(MiningBuildTask) X(MiningModel) X(MiningSchema) X(ModelExplanation) \
    X(ModelStats) X(ModelVerification) X(NeuralInput) X(NeuralInputs) \
    X(NeuralLayer) X(NeuralNetwork) X(NeuralOutput) X(NeuralOutputs) \
    X(Neuron) X(Node) X(NormContinuous) X(NormDiscrete) X(NumericPredictor) \
    X(Output) X(OutputField) X(PMML) X(PredictorTerm) X(RegressionModel) \
    X(RegressionTable) X(ScoreDistribution) X(Segment) X(Segmentation) \
    X(SimplePredicate) X(SimpleSetPredicate) X(Target) X(TargetValue) \
    X(Targets) X(TransformationDictionary) X(TreeModel) X(True) X(Value) \
    /* attributes */ \
    X(activationFunction) X(algorithmName) X(altitude) X(bias) X(binValue) \
    X(booleanOperator) X(castInteger) X(closure) X(coefficient) \
    X(confidence) X(dataType) X(defaultChild) X(defaultValue) X(exponent) \
    X(feature) X(field) X(from) X(function) X(functionName) X(highValue) \
    X(id) X(intercept) X(invalidValueTreatment) X(isScorable) \
    X(leftMargin) X(lowValue) X(mapMissingTo) X(max) X(min) X(missing) \
    X(missingPredictionTreatment) X(missingThreshold) \
    X(missingValueReplacement) X(missingValueStrategy) \
    X(missingValueTreatment) X(modelName) X(multipleModelMethod) X(n) \
    X(name) X(noTrueChildStrategy) X(norm) X(normalizationMethod) \
    X(numberOfInputs) X(numberOfNeurons) \
    X(operator) X(optype) X(orig) X(outliers) X(outputNeuron) \
    X(probability) X(property) X(recordCount) X(rescaleConstant) \
    X(rescaleFactor) X(rightMargin) X(score) X(targetCategory) X(threshold) \
    X(usageType) X(value) X(version) X(weight) X(mathContext)

#define ASCI_PMML_ID(name) PMML_##name,
enum pmml_name {
    PMML_NONE,
    ASCI_PMML_NAMES(ASCI_PMML_ID)
    PMML_N_NAMES
};

/* ---- the document: elements in document order, 0 is none ---- */

struct pmml_attribute {
    uint32_t name;              /* enum pmml_name; unknown ones are dropped */
    uint32_t value;             /* in text */
};

struct pmml_element {
    uint32_t name;              /* enum pmml_name, or PMML_N_NAMES + i for
                                   the unknown name i */
    uint32_t line;
    uint32_t parent, next, child;
    uint32_t attribute, n_attributes;
    uint32_t text;              /* of an element without children; 0: none */
};

struct pmml_document {
    struct pmml_element *element;
    struct pmml_attribute *attribute;
    char *text;                 /* NUL-ended strings */
    char **other;               /* unknown element names */
    size_t n_elements, n_attributes, n_text, n_other;
    size_t room_elements, room_attributes, room_text, room_other;
};

/* ---- memory that lives as long as the reader ---- */

struct pmml_piece;
struct pmml_arena {
    struct pmml_piece *first;
};

/* text -> number, first come */
struct pmml_map {
    const char **key;           /* (size), NULL: free */
    uint32_t *value;
    size_t n, size;
};

/* ---- what names stand for ---- */

struct pmml_value {
    int categorical;
    int single;                 /* compared in float, as its dataType says */
    enum asc_text_type text_type;       /* how its values are compared */
    struct asci_column column;  /* the number; categorical: index of a label */
    size_t field;               /* labels are the categories of this field of
                                   the schema; PMML_NO_FIELD: */
    const char **label;         /* (n_labels) */
    size_t n_labels;
};
#define PMML_NO_FIELD SIZE_MAX
#define PMML_NO_COLUMN UINT32_MAX

enum pmml_state { PMML_UNRESOLVED, PMML_RESOLVING, PMML_RESOLVED };

struct pmml_fragment;
struct pmml_scope;

struct pmml_symbol {
    const char *name;
    uint32_t element;
    struct pmml_scope *scope;   /* that declares it */
    enum pmml_state state;
    struct pmml_value value;
    uint32_t column;            /* shared column of value.column */
    struct pmml_fragment *model;        /* an output field of this model */
    size_t fill;                /* PMML_NO_FIELD, or the field of the schema
                                   that holds it while a chain is evaluated */
    size_t output;              /* a probability: of this class */
    int is_probability;
    struct pmml_symbol *next;   /* of all */
    struct pmml_symbol *sibling;        /* of the same model's outputs */
};

/* Names that a model declares; what it does not, its parent does. */
struct pmml_scope {
    struct pmml_scope *parent;
    struct pmml_map map;        /* name -> index in symbol */
    struct pmml_symbol **symbol;
    size_t n, room;
    struct pmml_scope *next;    /* of all */
};

/* Classes of a target, in declared order. */
struct pmml_classes {
    const char *target;         /* or NULL */
    enum asc_text_type text_type;
    const char **name;          /* (n) */
    size_t n, room;
    struct pmml_map map;
    struct pmml_classes *next;  /* of all */
};

/* ---- fragments: models before their columns are numbered ---- */

struct pmml_term {
    uint32_t raw, column;
    double w;
};

/* A test or a model that is evaluated in its turn. */
struct pmml_stage {
    struct pmml_fragment *test; /* one output, 1 if the stage applies; or
                                   NULL: always */
    struct pmml_fragment *model;
    double weight;
    int is_result;              /* can be the result of a chain */
};

enum pmml_method {
    PMML_SUM, PMML_AVERAGE, PMML_VOTE,  /* weighted ones are these with
                                           weights */
    PMML_FIRST, PMML_CHAIN
};

struct pmml_fragment {
    enum asc_form form;
    int classifier, has_probabilities;
    const struct pmml_classes *classes; /* classifier */
    size_t n_outputs;           /* output[k].name is borrowed */
    struct asci_output *output;
    size_t *class_of;           /* (n_outputs) index in classes */
    size_t n_raw;
    enum asci_link link;
    struct asci_rescale *rescale;
    double *base;               /* (n_raw): intercepts, base values */
    /* linear */
    struct pmml_term *term;
    size_t n_terms, room_terms;
    /* network */
    uint32_t *input;            /* (n_inputs) columns */
    size_t n_inputs, n_layers;
    struct asci_layer *layer;
    /* ensemble */
    struct asci_tree *tree;
    size_t n_trees, room_trees;
    double scale;
    int single;
    int one_hot;                /* leaves hold labels, not probabilities */
    /* opaque */
    struct pmml_stage *stage;
    size_t n_stages, room_stages;
    enum pmml_method method;
    int skip_missing;           /* a stage without answer does not count */

    struct pmml_symbol *outputs;        /* its output fields */
    struct pmml_fragment *next; /* of all */
};

/* ---- the reader ---- */

struct pmml_shared {            /* what is known of a shared column */
    int missing;                /* it can be missing */
};

struct pmml {
    const char *path;
    struct asc_error *e;
    struct pmml_document doc;
    struct pmml_arena arena;

    uint32_t model;             /* the top-level model */
    struct pmml_map dictionary; /* DataField name -> element */
    struct pmml_scope *global;  /* the raw fields */
    struct asc_schema schema;   /* raw fields, then outputs that later models
                                   of a chain read */
    size_t n_fields;            /* raw ones */
    size_t room_fields;
    struct pmml_field {
        struct pmml_map map;    /* canonical text -> category */
        int may_grow;           /* undeclared texts become categories */
        size_t n_declared;
    } *field;                   /* (schema.n) */

    struct asci_column *column; /* shared by all fragments */
    struct pmml_shared *shared;
    uint64_t *column_hash;
    size_t n_columns, room_columns;
    uint32_t *column_slot;      /* hash table, index + 1 */
    size_t n_slots;

    uint64_t *set;              /* bit sets of all trees */
    size_t n_set_words, room_set_words;
    size_t budget;              /* tree nodes that may still be made */
    size_t cells;               /* numbers in tables that may still be made */

    struct pmml_symbol *symbols;
    struct pmml_scope *scopes;
    struct pmml_classes *classes;
    struct pmml_fragment *fragments;
    unsigned depth;             /* of derived fields being resolved */
};
enum { PMML_MAX_NESTED = 200 }; /* derived fields, and models, in each other */

/* xml.c */
int asci_pmml_parse(struct pmml *p, const char *bytes, size_t n);
void asci_pmml_document_free(struct pmml_document *d);
const char *asci_pmml_name(const struct pmml *p, uint32_t element);
/* A failure at an element: `FILE:LINE: ...`. */
int asci_pmml_fail(const struct pmml *p, uint32_t element,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* `FILE:LINE: element X is not supported (supported in WHERE: LIST)` */
int asci_pmml_unsupported(const struct pmml *p, uint32_t element,
                          const char *where, const char *list);
/* The attribute's text, or NULL. */
const char *asci_pmml_attribute(const struct pmml *p, uint32_t element,
                                enum pmml_name name);
int asci_pmml_required(const struct pmml *p, uint32_t element,
                       enum pmml_name name, const char **text);
/* A finite number; a required one, and one with a default. */
int asci_pmml_number(const struct pmml *p, uint32_t element,
                     enum pmml_name name, double *v);
int asci_pmml_number_or(const struct pmml *p, uint32_t element,
                        enum pmml_name name, double otherwise, double *v);
/* A text of the attribute `name` as a number, inf allowed. */
int asci_pmml_to_number(const struct pmml *p, uint32_t element,
                        enum pmml_name name, const char *text, double *v);
int asci_pmml_is_number(const char *text, double *v);
/* Fails where the attribute counts something that there are n of, and does
 * not say n. */
int asci_pmml_count(const struct pmml *p, uint32_t element,
                    enum pmml_name name, size_t n);
/* The place of the attribute's text in choices (ended by NULL), or
 * `otherwise` where there is none. */
int asci_pmml_choice(const struct pmml *p, uint32_t element,
                     enum pmml_name name, const char *const *choices,
                     int otherwise, int *v);
/* The first child of that name, or 0. */
uint32_t asci_pmml_child(const struct pmml *p, uint32_t element,
                         enum pmml_name name);
/* The texts of an Array element, in the arena. */
int asci_pmml_array(struct pmml *p, uint32_t element, const char ***text,
                    size_t *n);

/* memory.c: NULL or a failing status after an error in p->e */
void *asci_pmml_take(struct pmml_arena *a, size_t n, size_t size,
                     struct asc_error *e);
void asci_pmml_arena_free(struct pmml_arena *a);
/* Zeroed, from the reader's own arena. */
void *asci_pmml_keep(struct pmml *p, size_t n, size_t size);
/* Fails where a small file would make tables that fill the memory: n numbers
 * more. */
int asci_pmml_spend(struct pmml *p, size_t n);
/* Room for one more in *v (n in use, *room there) of `size` bytes each. */
int asci_pmml_grow(void *v, size_t n, size_t *room, size_t size,
                   struct asc_error *e);
/* 1 found, *value; 0 not. */
int asci_pmml_map_find(const struct pmml_map *m, const char *key,
                       uint32_t *value);
int asci_pmml_map_add(struct pmml_map *m, const char *key, uint32_t value,
                      struct asc_error *e);
void asci_pmml_map_free(struct pmml_map *m);
void asci_pmml_free(struct pmml *p);

/* convert.c: columns as functions of raw fields */
int asci_pmml_column_copy(struct pmml *p, const struct asci_column *from,
                          struct asci_column *to);
void asci_pmml_column_clear(struct asci_column *c);
int asci_pmml_column_constant(const struct asci_column *c, double *v);
/* The column through a piecewise linear function, n >= 2 knots. */
int asci_pmml_through_line(struct pmml *p, uint32_t element,
                           struct asci_column *c, const double *x,
                           const double *y, size_t n,
                           enum asci_outliers outliers, double missing);
/* ... through a * v + b */
int asci_pmml_through_affine(struct pmml *p, uint32_t element,
                             struct asci_column *c, double a, double b);
/* ... through a value for each interval; each is disjoint from the others or
 * comes before them. */
int asci_pmml_through_steps(struct pmml *p, uint32_t element,
                            struct asci_column *c,
                            const struct asci_interval *interval, size_t n,
                            double other, double missing);
/* ... index of a label -> value (n + 1), the last for others */
int asci_pmml_through_table(struct pmml *p, uint32_t element,
                            struct asci_column *c, const double *value,
                            size_t n, double missing);
int asci_pmml_to_power(struct pmml *p, uint32_t element,
                       struct asci_column *c, int power);
/* Missing results become v. */
void asci_pmml_set_missing(struct asci_column *c, double v);
void asci_pmml_to_single(struct asci_column *c);
/* A column that is the field itself. */
int asci_pmml_identity(struct pmml *p, size_t field, int single,
                       struct asci_column *c);
/* Where the column is a * field + b without missing outliers: 1. */
int asci_pmml_is_affine(const struct asci_column *c, size_t *field, double *a,
                        double *b);

/* columns.c */
/* Shares *c (taken over), *index its place. */
int asci_pmml_share(struct pmml *p, struct asci_column *c, uint32_t *index);
/* The columns of `list` (n) as an encoder of p->schema. */
int asci_pmml_encoder(struct pmml *p, const uint32_t *list, size_t n,
                      struct asci_encoder *en);

/* fields.c */
struct pmml_scope *asci_pmml_scope(struct pmml *p, struct pmml_scope *parent);
int asci_pmml_declare(struct pmml *p, struct pmml_scope *s, const char *name,
                      uint32_t element, struct pmml_symbol **out);
/* The DerivedFields of a TransformationDictionary or LocalTransformations. */
int asci_pmml_declare_derived(struct pmml *p, struct pmml_scope *s,
                              uint32_t element);
/* The OutputFields of a model, declared in the scope of a chain. */
int asci_pmml_declare_outputs(struct pmml *p, struct pmml_scope *s,
                              uint32_t model, struct pmml_fragment *f);
/* A copy of a value under the same name, declared in an inner scope. */
int asci_pmml_redeclare(struct pmml *p, struct pmml_scope *s,
                        const struct pmml_symbol *from,
                        struct pmml_symbol **out);
/* The symbol of that name, or NULL; not resolved. */
struct pmml_symbol *asci_pmml_look_up(const struct pmml_scope *s,
                                      const char *name);
/* What a name stands for, resolved. */
int asci_pmml_find(struct pmml *p, struct pmml_scope *s, uint32_t element,
                   const char *name, struct pmml_symbol **out);
/* The column of a symbol's number or label, shared. */
int asci_pmml_symbol_column(struct pmml *p, struct pmml_symbol *s,
                            uint32_t *column);
/* Makes it a number; labels that are numbers count. */
int asci_pmml_to_numbers(struct pmml *p, uint32_t element, const char *name,
                         struct pmml_value *v);
int asci_pmml_value_copy(struct pmml *p, const struct pmml_value *from,
                         struct pmml_value *to);
/* 1 where it has this value, else 0. */
int asci_pmml_indicator(struct pmml *p, uint32_t element,
                        const struct pmml_value *v, const char *text,
                        double missing, struct asci_column *c);
/* The place of a text among the labels: PMML_NO_FIELD if it cannot occur. */
int asci_pmml_label(struct pmml *p, const struct pmml_value *v,
                    const char *text, size_t *index);
/* The text as it is compared: "1.0" and "1" are one number. */
const char *asci_pmml_canonical(struct pmml *p, enum asc_text_type type,
                                const char *text);
enum asc_text_type asci_pmml_text_type(const char *data_type);
/* The expression of a DerivedField element (of a name or without one). */
int asci_pmml_derived(struct pmml *p, struct pmml_scope *s, uint32_t element,
                      const struct pmml_symbol *self, struct pmml_value *out);
void asci_pmml_value_clear(struct pmml_value *v);

/* schema.c */
int asci_pmml_dictionary(struct pmml *p, uint32_t dictionary);
/* The schema from the top-level model's MiningSchema, declared in s; derived
 * fields that it lists, too, are in `visible`. */
int asci_pmml_schema(struct pmml *p, struct pmml_scope *s,
                     const struct pmml_scope *visible, uint32_t model);
/* Treatments that an inner model's MiningSchema asks for. */
int asci_pmml_inner_schema(struct pmml *p, struct pmml_scope *s,
                           uint32_t model);
/* A further field, for the output of a model of a chain. */
int asci_pmml_add_field(struct pmml *p, const char *name, enum asc_kind kind,
                        enum asc_text_type text_type, size_t *field);
int asci_pmml_add_category(struct pmml *p, size_t field, const char *text,
                           size_t *index);
/* The element after the last one inside `element`. */
uint32_t asci_pmml_end(const struct pmml *p, uint32_t element);
/* The target that a model's MiningSchema names, or NULL. */
const char *asci_pmml_target(const struct pmml *p, uint32_t model);
/* Whether its MiningSchema names this one, be it among several. */
int asci_pmml_is_target(const struct pmml *p, uint32_t model,
                        const char *name);
/* The classes of a classifier; those of `outer` if it has no own target.
 * Where the target declares values there are no others. */
int asci_pmml_classes(struct pmml *p, uint32_t model,
                      const struct pmml_classes *outer,
                      const struct pmml_classes **out);
int asci_pmml_class(struct pmml *p, const struct pmml_classes *c,
                    const char *text, size_t *k);
int asci_pmml_field_copy(const struct asc_field *from, struct asc_field *to,
                         struct asc_error *e);

/* fragment.c */
struct pmml_fragment *asci_pmml_fragment(struct pmml *p);
/* Outputs: one each for n classes (class_of), raw output k each; or the one
 * output of a regression. */
int asci_pmml_class_outputs(struct pmml *p, struct pmml_fragment *f,
                            const struct pmml_classes *classes,
                            const size_t *class_of, size_t n);
int asci_pmml_number_output(struct pmml *p, struct pmml_fragment *f,
                            uint32_t model);
const char *asci_pmml_prediction_name(const struct pmml *p, uint32_t model);
int asci_pmml_add_term(struct pmml *p, struct pmml_fragment *f, uint32_t raw,
                       uint32_t column, double w);
/* Targets: what they make of a regression's result. */
int asci_pmml_targets(struct pmml *p, uint32_t model,
                      struct pmml_fragment *f);
/* The model of a fragment: of all raw fields; or, as a part of another model,
 * of those fields of the schema that it reads, list (*n), to be freed. */
asc_model *asci_pmml_model_of(struct pmml *p, struct pmml_fragment *f);
asc_model *asci_pmml_part_of(struct pmml *p, struct pmml_fragment *f,
                             size_t **list, size_t *n);
void asci_pmml_tree_clear(struct asci_tree *t);

/* composite.c: the state of an opaque model; takes models and tests over */
struct pmml_fill {
    size_t field;               /* of x that is filled ... */
    size_t output;              /* ... with this output, or: */
    int label;                  /* the index of the class that wins */
};
struct pmml_part {
    asc_model *m;
    size_t *field;              /* (n) of the whole row, that it reads */
    size_t n;
};
struct pmml_step {
    struct pmml_part test, model;       /* test.m NULL: always */
    double weight;
    int is_result;
    size_t *to;                 /* (n_outputs of model) outputs of the whole */
    struct pmml_fill *fill;
    size_t n_fills;
};
struct pmml_composite {
    enum pmml_method method;
    int skip_missing;
    int linked;                 /* the raw scale is that of the parts */
    size_t d, d_all;            /* fields that come in, fields in all */
    size_t n_outputs;
    struct pmml_step *step;
    size_t n_steps;
    struct asci_rescale *rescale;       /* or NULL */
};
void asci_pmml_composite_free(void *state);
int asci_pmml_composite_evaluate(const void *state, enum asc_scale scale,
                                 const double *x, size_t n, double *y,
                                 struct asc_error *e);

/* Models.  `vote`: leaves hold the label that wins, not its probabilities. */
struct pmml_context {
    struct pmml_scope *scope;
    const struct pmml_classes *classes; /* of the model around it, or NULL */
    int vote;
    unsigned depth;             /* of models in models */
};
int asci_pmml_model(struct pmml *p, uint32_t element,
                    const struct pmml_context *c, struct pmml_fragment **out);
int asci_pmml_is_model(const struct pmml *p, uint32_t element);
/* functionName: 1 classification, 0 regression */
int asci_pmml_classifies(const struct pmml *p, uint32_t element, int *yes);
/* A child that every model may have. */
int asci_pmml_is_common(const struct pmml *p, uint32_t element);
int asci_pmml_regression(struct pmml *p, uint32_t element,
                         const struct pmml_context *c,
                         struct pmml_fragment *f);
int asci_pmml_neural(struct pmml *p, uint32_t element,
                     const struct pmml_context *c, struct pmml_fragment *f);
int asci_pmml_tree(struct pmml *p, uint32_t element,
                   const struct pmml_context *c, struct pmml_fragment *f);
int asci_pmml_mining(struct pmml *p, uint32_t element,
                     const struct pmml_context *c, struct pmml_fragment *f);
/* A predicate as a model of one output: 1 true, 0 not. */
int asci_pmml_test(struct pmml *p, uint32_t predicate,
                   struct pmml_scope *scope, struct pmml_fragment *f);

#endif
