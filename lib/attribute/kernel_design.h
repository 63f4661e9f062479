/* attribute/kernel_design.h -- which coalitions kernel-shap and banzhaf
 * evaluate, and how their values become attributions. */
#ifndef ASCRIBE_ATTRIBUTE_KERNEL_DESIGN_H
#define ASCRIBE_ATTRIBUTE_KERNEL_DESIGN_H

#include <stddef.h>
#include <stdint.h>

#include "attribute/game.h"

/* Pairs that stand for a part of all pairs, drawn at random from it. */
struct asci_stratum {
    size_t first, n;            /* pairs */
    double draws;               /* how often it was drawn from */
    double left;                /* share of the part that was not drawn; 1 if
                                   drawn with replacement */
};

/* A coalition z and its complement are a pair, of which only
 *
 *     t = (v(z) - v(not z)) / 2 - (|z| / M - 1/2) (v(all) - v(none))
 *
 * matters; phi = (v(all) - v(none)) / M + C t.  Designs that are not
 * constrained have t = (v(z) - v(not z)) / 2, phi = C t. */
struct asci_kernel {
    int constrained;            /* phi adds up to v(all) - v(none) */
    size_t n_players, n, words;
    uint64_t *bits;             /* (2 n, words) pairs: set, complement */
    double *offset;             /* (n) |z| / M - 1/2, or 0 */
    struct asci_weights *solve; /* (n_players, n) C */
    struct asci_weights *fit;   /* (n, n_players) x = z - 1/2 - offset: t is
                                   about x u */
    size_t n_strata;
    struct asci_stratum *stratum;       /* those that are not complete */
    double *times;              /* (n) how often a pair was drawn */
    double *slack;              /* (n) 1 / (1 - leverage of one draw) */
    double *c;                  /* (n_players, n) C */
};

/* In proportion to what the budget is divided among the sizes of coalitions:
 * their weight in the least squares problem, or their leverage. */
enum asci_sampling { ASCI_SAMPLING_KERNEL, ASCI_SAMPLING_LEVERAGE };

/* The design for n_players players, samples coalitions at most. */
struct asci_kernel *asci_kernel_new(size_t n_players, size_t samples,
                                    enum asci_sampling sampling,
                                    uint64_t seed, struct asc_error *e);
/* All coalitions equally likely, for Banzhaf values. */
struct asci_kernel *asci_kernel_uniform(size_t n_players, size_t samples,
                                        uint64_t seed, struct asc_error *e);
void asci_kernel_free(struct asci_kernel *d);

/* 1 if all coalitions of n players but none and all are at most `samples`. */
int asci_kernel_whole(size_t n, size_t samples);
/* The fewest samples that a design for n players takes. */
size_t asci_kernel_least(size_t n);

/* From the pairs, and their weight (n), all that is left. */
int asci_kernel_finish(struct asci_kernel *d, const double *weight,
                       struct asc_error *e);

/* phi, and se where it is wanted, of a team. */
int asci_kernel_solve(const struct asci_game *g, const struct asci_team *t,
                      const struct asci_kernel *d, struct asc_error *e);

#endif
