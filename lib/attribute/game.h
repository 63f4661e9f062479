/* attribute/game.h -- the game that Shapley values of a row are values of.
 *
 *     v(S) = 1/m sum_b f(x_S, b_rest)
 *
 * over the m rows b of the background ("interventional"): fields in S have
 * the row's values, the others those of b.  Players are raw fields; a field
 * whose value equals that of every row of the background is none, and has
 * value 0.
 */
#ifndef ASCRIBE_ATTRIBUTE_GAME_H
#define ASCRIBE_ATTRIBUTE_GAME_H

#include <stddef.h>
#include <stdint.h>

#include <ascribe/method.h>

#include "attribute/forest.h"
#include "model/form.h"

/* ---- for methods ---- */

struct asci_game;

/* Evaluates the background; fails if the model has no answer for a row of
 * it. */
struct asci_game *asci_game_new(const struct asc_task *t,
                                struct asc_error *e);
void asci_game_free(struct asci_game *g);

/* Fields of the background that differ between its rows: these are players
 * for whatever row. */
size_t asci_game_certain_players(const struct asci_game *g);

/* Rows that have the same players. */
struct asci_team {
    size_t n, q, n_players;
    const size_t *player;       /* (n_players) fields, rising */
    const double *x;            /* (n, d) */
    const struct asc_text *id;  /* (n) */
    const size_t *output;       /* (n, q) */
    const double *none, *all;   /* (n, q) v of no player and of all */
    double *phi;                /* (n, q, n_players) */
    double *se;                 /* the same, or NULL: not wanted */
};

/* Fills phi (and se) of a team that has at least one player. */
typedef int asci_solver(const struct asci_game *g, const struct asci_team *t,
                        const void *context, struct asc_error *e);

/* Explains a block: teams are formed and given to the solver, fields that are
 * no players get 0, a row without an answer gets missing values.  Where the
 * model is a sum of functions of one field each (additive), its values need
 * no coalitions and the solver is not called. */
int asci_game_explain(const struct asci_game *g, struct asc_explain *b,
                      asci_solver *solve, const void *context,
                      struct asc_error *e);

/* Coalitions: bit i of set s, words words to a set, is player i. */
struct asci_sets {
    size_t n, words;
    const uint64_t *bits;       /* (n, words) */
};

static inline int
asci_in(const uint64_t *set, size_t player)
{
    return (int)(set[player / 64] >> (player % 64) & 1);
}

/* v (t->n, s->n, t->q) */
int asci_game_values(const struct asci_game *g, const struct asci_team *t,
                     const struct asci_sets *s, double *v,
                     struct asc_error *e);

/* Rows of a team to take at once so that n_sets values of each fit in the
 * cache or at least in memory. */
size_t asci_game_rows(const struct asci_team *t, size_t n_sets);
/* A part of a team: n rows from the first-th on. */
struct asci_team asci_team_part(const struct asci_team *t, size_t d,
                                size_t first, size_t n);

/* ---- for the ways to evaluate it, game_*.c ---- */

struct asci_game {
    const asc_model *model;
    enum asc_scale scale;
    size_t d, m, n_outputs;
    const double *x;            /* (m, d) of the background */
    double *base;               /* (n_outputs) v of no player */
    unsigned char *constant;    /* (d) the same in all rows */
    /* Forms whose columns depend on one field each; else NULL */
    size_t *field;              /* (encoder.n) d for constant columns */
    double *columns;            /* (m, encoder.n) of the background */
    int affine;                 /* outputs are affine in the raw outputs */
    struct asci_game_linear *linear;
    struct asci_game_network *network;
    struct asci_game_forest *forest;
};

/* Each _new leaves its part of *g NULL if it does not suit the model. */
int asci_game_linear_new(struct asci_game *g, struct asc_error *e);
void asci_game_linear_free(struct asci_game_linear *s);
int asci_game_linear_values(const struct asci_game *g,
                            const struct asci_team *t,
                            const struct asci_sets *s, double *v,
                            struct asc_error *e);
/* Output k on the raw scale is a constant plus this times its raw output. */
double asci_output_slope(const asc_model *m, size_t k);
/* phi (d) of a row on the raw scale: closed form. */
int asci_game_linear_explain(const struct asci_game *g,
                             struct asc_explain *b, struct asc_error *e);

int asci_game_network_new(struct asci_game *g, struct asc_error *e);
void asci_game_network_free(struct asci_game_network *s);
int asci_game_network_values(const struct asci_game *g,
                             const struct asci_team *t,
                             const struct asci_sets *s, double *v,
                             struct asc_error *e);

int asci_game_forest_new(struct asci_game *g, struct asc_error *e);
void asci_game_forest_free(struct asci_game_forest *s);
/* 1 if it pays to count n_sets coalitions of n_players by leaves. */
int asci_game_forest_pays(const struct asci_game *g, size_t n_players,
                          size_t n_sets);
int asci_game_forest_values(const struct asci_game *g,
                            const struct asci_team *t,
                            const struct asci_sets *s, double *v,
                            struct asc_error *e);

/* Any model: rows put together and evaluated in blocks. */
int asci_game_rows_values(const struct asci_game *g,
                          const struct asci_team *t,
                          const struct asci_sets *s, double *v,
                          struct asc_error *e);

#endif
