/* cost -- what commands cost: wall-clock seconds and peak memory.
 *
 *     cost N COMMAND [-- COMMAND]...
 *
 * Runs the commands N times in turn, their output thrown away, and prints for
 * each a line of two numbers: the median of its seconds, and the largest of
 * its peaks in kilobytes.  A command that fails ends it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST_RUNS = 1000, MOST_COMMANDS = 16 };

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Words argv[0], ... up to a NULL. */
static double
run(char **argv, long *peak)
{
    const double start = now();
    const pid_t child = fork();
    struct rusage use;
    int status;

    if (child == 0) {
        const int null = open("/dev/null", O_WRONLY);

        dup2(null, STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    if (child < 0 || wait4(child, &status, 0, &use) < 0 || status != 0) {
        fprintf(stderr, "cost: %s: failed\n", argv[0]);
        exit(1);
    }
    if (use.ru_maxrss > *peak)
        *peak = use.ru_maxrss;
    return now() - start;
}

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

int
main(int argc, char **argv)
{
    static double took[MOST_COMMANDS][MOST_RUNS];
    char **command[MOST_COMMANDS];
    long peak[MOST_COMMANDS] = { 0 };
    const int n = argc > 2 ? atoi(argv[1]) : 0;
    int i, j, n_commands = 1;

    if (n < 1 || n > MOST_RUNS) {
        fputs("usage: cost N COMMAND [-- COMMAND]...\n", stderr);
        return 2;
    }
    command[0] = &argv[2];
    for (i = 2; i < argc; i++)
        if (strcmp(argv[i], "--") == 0 && n_commands < MOST_COMMANDS) {
            argv[i] = NULL;
            command[n_commands++] = &argv[i + 1];
        }
    for (i = 0; i < n; i++)
        for (j = 0; j < n_commands; j++)
            took[j][i] = run(command[j], &peak[j]);
    for (j = 0; j < n_commands; j++) {
        qsort(took[j], (size_t)n, sizeof took[j][0], compare);
        printf("%.6f %ld\n", took[j][n / 2], peak[j]);
    }
    return 0;
}
