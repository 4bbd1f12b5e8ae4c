// Writes to standard output without waiting, until nobody takes any more; says on standard error how far it came.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static char data[1 << 20];

static long long now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return at.tv_sec * 1000LL + at.tv_nsec / 1000000;
}

int main(void) {
    memset(data, 'x', sizeof data);
    if (fcntl(1, F_SETFL, O_NONBLOCK) != 0) {
        perror("fcntl");
        return 2;
    }
    long long written = 0, longest = 0;
    // No pipe holds 64 MiB.
    while (written < 64 << 20) {
        long long before = now();
        ssize_t count = write(1, data, sizeof data);
        long long took = now() - before;
        if (took > longest) longest = took;
        if (count < 0) {
            fprintf(stderr, "%s after %lld bytes; the longest write took %s\n", errno == EAGAIN ? "again" : strerror(errno), written,
                    longest < 5000 ? "no time" : "seconds");
            return errno == EAGAIN ? 0 : 1;
        }
        written += count;
    }
    fprintf(stderr, "everything was taken\n");
    return 3;
}
