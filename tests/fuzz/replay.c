/* Runs a fuzz target on files, without a fuzzer.
 *
 *     replay_NAME FILE...
 *
 * Each name is printed before its file is run: the last one of a run that was
 * aborted is the input that broke it. */
#include <stdio.h>

#include "tests/fuzz/fuzz.h"

static int
run(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes = NULL;
    size_t n = 0, room = 0, got;

    if (!f) {
        perror(path);
        return 1;
    }
    do {
        if (n == room)
            bytes = realloc(bytes, room = 2 * room + 4096);
        check(bytes != NULL);
        got = fread(bytes + n, 1, room - n, f);
        n += got;
    } while (got > 0);
    fclose(f);
    /* a block of its own size, so that a sanitizer sees its end */
    bytes = realloc(bytes, n + !n);
    check(bytes != NULL);
    LLVMFuzzerTestOneInput(bytes, n);
    free(bytes);
    return 0;
}

int
main(int argc, char **argv)
{
    int i, failed = 0;

    for (i = 1; i < argc; i++) {
        printf("# %s\n", argv[i]);
        fflush(stdout);
        failed |= run(argv[i]);
    }
    return failed;
}
