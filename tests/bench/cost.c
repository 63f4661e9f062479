/* cost -- what commands cost: seconds and peak memory.
 *
 *     cost N COMMAND [-- COMMAND]...
 *
 * Runs the commands N times in turn, their output thrown away, and prints for
 * each a line of three numbers: seconds by the clock and of processors (medians
 * of the runs), and the largest peak in kilobytes.  A command that fails ends
 * it.
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

static double
in_seconds(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

/* Words argv[0], ... up to a NULL. */
static void
run(char **argv, double *took, double *worked, long *peak)
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
    *took = now() - start;
    *worked = in_seconds(use.ru_utime) + in_seconds(use.ru_stime);
}

static int
compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, compare);
    return v[n / 2];
}

int
main(int argc, char **argv)
{
    static double took[MOST_COMMANDS][MOST_RUNS];
    static double worked[MOST_COMMANDS][MOST_RUNS];
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
            run(command[j], &took[j][i], &worked[j][i], &peak[j]);
    for (j = 0; j < n_commands; j++)
        printf("%.6f %.6f %ld\n", median(took[j], n), median(worked[j], n),
               peak[j]);
    return 0;
}
