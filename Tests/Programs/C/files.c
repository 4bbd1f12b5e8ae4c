/* files: what programs do with directories, links, times and descriptors, and which errors they get. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Texts for errors are the library's; their names are everybody's. */
static const char *error(void)
{
    static const struct { int number; const char *name; } names[] = {
        { ENOENT, "ENOENT" }, { EEXIST, "EEXIST" }, { ENOTDIR, "ENOTDIR" }, { EISDIR, "EISDIR" }, { ENOTEMPTY, "ENOTEMPTY" }, { EINVAL, "EINVAL" },
        { EBADF, "EBADF" }, { ELOOP, "ELOOP" }, { ENAMETOOLONG, "ENAMETOOLONG" }, { ESPIPE, "ESPIPE" }, { EFBIG, "EFBIG" }, { EPERM, "EPERM" },
        { EACCES, "EACCES" }, { EXDEV, "EXDEV" }, { ENOTSUP, "ENOTSUP" }, { ENOSYS, "ENOSYS" },
    };
    static char other[20];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].number == errno) return names[i].name;
    snprintf(other, sizeof other, "errno %d", errno);
    return other;
}

static void say(const char *what, int result) { printf("%-28s %s\n", what, result < 0 ? error() : "ok"); }

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void list(const char *path)
{
    char *names[300];
    int count = 0;
    DIR *directory = opendir(path);
    if (!directory) {
        printf("%s: %s\n", path, error());
        return;
    }
    for (struct dirent *entry; count < 300 && (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")) names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, (size_t)count, sizeof *names, by_name);
    printf("%s: %d:", path, count);
    for (int i = 0; i < count; i++) {
        if (i < 8) printf(" %s", names[i]);
        free(names[i]);
    }
    puts(count > 8 ? " ..." : "");
}

static int make(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (file < 0) return -1;
    ssize_t n = write(file, text, strlen(text));
    return close(file) == 0 && n == (ssize_t)strlen(text) ? 0 : -1;
}

static void show(const char *path)
{
    char text[100];
    int file = open(path, O_RDONLY);
    if (file < 0) {
        printf("%s: %s\n", path, error());
        return;
    }
    ssize_t n = read(file, text, sizeof text - 1);
    close(file);
    text[n < 0 ? 0 : n] = 0;
    printf("%s: \"%s\"\n", path, text);
}

static const char *kind(const char *path, bool follow)
{
    struct stat s;
    if ((follow ? stat : lstat)(path, &s) != 0) return error();
    return S_ISREG(s.st_mode) ? "file" : S_ISDIR(s.st_mode) ? "directory" : S_ISLNK(s.st_mode) ? "link" : "something else";
}

static void paths(void)
{
    say("mkdir", mkdir("work", 0755));
    say("mkdir again", mkdir("work", 0755));
    say("mkdir below nothing", mkdir("none/dir", 0755));
    say("write", make("work/a", "first"));
    say("write below a file", make("work/a/b", ""));
    say("write a directory", make("work", ""));
    say("open nothing", open("work/none", O_RDONLY));
    say("create exclusively", open("work/a", O_RDWR | O_CREAT | O_EXCL, 0644));
    say("open as directory", open("work/a", O_RDONLY | O_DIRECTORY));
    say("rmdir full", rmdir("work"));
    say("rmdir a file", rmdir("work/a"));
    say("unlink nothing", unlink("work/none"));
    say("rename", rename("work/a", "work/b"));
    say("rename nothing", rename("work/a", "work/c"));
    say("write", make("work/a", "second"));
    say("rename over", rename("work/a", "work/b"));
    show("work/b");
    say("mkdir", mkdir("work/sub", 0755));
    say("rename into", rename("work/b", "work/sub/b"));
    say("rename directory", rename("work/sub", "work/moved"));
    show("work/moved/b");
    say("rename over a directory", rename("work/moved/b", "work/moved"));
    say("access", access("work/moved/b", R_OK | W_OK));
    say("access nothing", access("work/b", F_OK));
    list("work");
    list("work/moved/b");
    show("./work/../work/./moved//b");
}

static void links(void)
{
    char text[100];
    say("symlink", symlink("moved/b", "work/link"));
    say("symlink again", symlink("moved/b", "work/link"));
    show("work/link");
    printf("%s, %s\n", kind("work/link", true), kind("work/link", false));
    ssize_t n = readlink("work/link", text, sizeof text);
    printf("readlink %.*s\n", (int)(n < 0 ? 0 : n), text);
    say("readlink of a file", (int)readlink("work/moved/b", text, sizeof text));
    n = readlink("work/link", text, 3);
    printf("readlink, cut off: %d\n", (int)n);
    say("link to a directory", symlink("moved", "work/dir"));
    show("work/dir/b");
    printf("%s, %s\n", kind("work/dir", true), kind("work/dir", false));
    say("link around", symlink("around", "work/around"));
    say("open it", open("work/around", O_RDONLY));
    say("link to nothing", symlink("nowhere", "work/dangling"));
    printf("%s, %s\n", kind("work/dangling", true), kind("work/dangling", false));
    say("not following", open("work/link", O_RDONLY | O_NOFOLLOW));
    say("hard link", link("work/moved/b", "work/hard"));
    struct stat a, b;
    if (stat("work/hard", &a) == 0 && stat("work/moved/b", &b) == 0) printf("same: %d, links: %d\n", a.st_ino == b.st_ino, (int)a.st_nlink);
    say("write through one", make("work/hard", "both"));
    show("work/moved/b");
    list("work");
    static const char *const all[] = { "work/link", "work/dir", "work/around", "work/dangling", "work/hard", "work/moved/b" };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) say("unlink", unlink(all[i]));
    say("rmdir", rmdir("work/moved"));
    list("work");
}

static void size_is(int file)
{
    struct stat s;
    if (fstat(file, &s) == 0) printf("size %d\n", (int)s.st_size);
    else say("fstat", -1);
}

static void number(const char *what, long long value) { printf("%-28s %lld\n", what, value); }

static void descriptors(void)
{
    char text[64];
    int file = open("work/data", O_RDWR | O_CREAT, 0644);
    struct iovec out[3] = { { "one ", 4 }, { "two ", 4 }, { "three", 5 } };
    number("writev", writev(file, out, 3));
    char x[5] = "", y[20] = "";
    struct iovec in[2] = { { x, 4 }, { y, 19 } };
    number("seek", lseek(file, 0, SEEK_SET));
    number("readv", readv(file, in, 2));
    printf("<%s> <%s>\n", x, y);
    number("seek from the end", lseek(file, -3, SEEK_END));
    number("seek on", lseek(file, 2, SEEK_CUR));
    number("seek beyond", lseek(file, 100, SEEK_SET));
    say("seek before", (int)lseek(file, -1, SEEK_SET));
    number("write beyond", write(file, "x", 1));
    number("pread", pread(file, text, 10, 95));
    number("zeros before it", text[0] + text[1] + text[2] + text[3] + text[4]);
    number("pread behind the end", pread(file, text, 10, 1000));
    number("pwrite", pwrite(file, "TWO", 3, 4));
    number("seek nowhere", lseek(file, 0, SEEK_CUR));
    say("truncate", ftruncate(file, 9));
    size_is(file);
    say("grow", ftruncate(file, 20));
    size_is(file);
    say("fsync", fsync(file));
    say("fdatasync", fdatasync(file));
    say("allocate", posix_fallocate(file, 0, 64) == 0 ? 0 : -1);
    size_is(file);
    say("close", close(file));
    say("close again", close(file));
    say("read closed", (int)read(file, text, 1));
    file = open("work/data", O_WRONLY | O_APPEND);
    number("seek", lseek(file, 0, SEEK_SET));
    number("append", write(file, "end", 3));
    number("at", lseek(file, 0, SEEK_CUR));
    say("read what is only written", (int)read(file, text, 1));
    close(file);
    file = open("work/data", O_RDONLY);
    say("write what is only read", (int)write(file, text, 1));
    close(file);
    say("unlink", unlink("work/data"));
    file = open("work/gone", O_RDWR | O_CREAT, 0600);
    say("unlink while open", unlink("work/gone"));
    number("write", write(file, "still", 5));
    number("pread", pread(file, text, 5, 0));
    close(file);
}

static void times(void)
{
    make("work/t", "t");
    struct timespec set[2] = { { 1000000000, 0 }, { 1234567890, 500000000 } };
    say("utimensat", utimensat(AT_FDCWD, "work/t", set, 0));
    struct stat s;
    say("stat", stat("work/t", &s));
    printf("%lld, %lld.%09ld\n", (long long)s.st_atim.tv_sec, (long long)s.st_mtim.tv_sec, s.st_mtim.tv_nsec);
    int file = open("work/t", O_RDWR);
    set[0].tv_nsec = UTIME_OMIT;
    set[1] = (struct timespec){ 7, 0 };
    say("futimens", futimens(file, set));
    say("fstat", fstat(file, &s));
    printf("%lld, %lld\n", (long long)s.st_atim.tv_sec, (long long)s.st_mtim.tv_sec);
    close(file);
    unlink("work/t");

    struct timespec before, after, pause = { 0, 20000000 }, wall;
    clock_gettime(CLOCK_MONOTONIC, &before);
    say("nanosleep", nanosleep(&pause, NULL));
    clock_gettime(CLOCK_MONOTONIC, &after);
    double passed = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
    printf("slept long enough: %d\n", passed >= 0.02 && passed < 60);
    clock_gettime(CLOCK_REALTIME, &wall);
    printf("it is later than 2024: %d\n", wall.tv_sec > 1704067200);
    time_t then = 86400 * 365;
    char text[40];
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", gmtime(&then));
    printf("%s\n", text);
}

/* More entries than fit into one call's buffer; all must come, once. */
static void many(void)
{
    char name[300];
    bool seen[200] = { false };
    int twice = 0, missing = 0;
    mkdir("work/many", 0755);
    for (int i = 0; i < 200; i++) {
        sprintf(name, "work/many/%03d-%.*s", i, i, "a-name-that-gets-longer-and-longer-so-that-entries-have-all-lengths-and-buffers-end-anywhere-in-them-0123456789-0123456789"
            "-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-012345678");
        make(name, "");
    }
    list("work/many");
    DIR *directory = opendir("work/many");
    long place = 0;
    char at[300] = "";
    int n = 0;
    for (struct dirent *entry; (entry = readdir(directory)) != NULL; n++) {
        int i;
        if (n == 100) place = telldir(directory);
        if (n == 101) strcpy(at, entry->d_name);
        if (sscanf(entry->d_name, "%3d-", &i) != 1) continue;
        twice += seen[i];
        seen[i] = true;
    }
    seekdir(directory, place);
    struct dirent *entry = readdir(directory);
    printf("back at the same: %d\n", entry && strcmp(entry->d_name, at) == 0);
    rewinddir(directory);
    for (n = 0; readdir(directory) != NULL;) n++;
    printf("once more: %d\n", n >= 200);
    closedir(directory);
    for (int i = 0; i < 200; i++) missing += !seen[i];
    printf("twice %d, missing %d\n", twice, missing);
    directory = opendir("work/many");
    for (; (entry = readdir(directory)) != NULL;) {
        snprintf(name, sizeof name, "work/many/%s", entry->d_name);
        if (entry->d_name[0] != '.') unlink(name);
    }
    closedir(directory);
    say("rmdir", rmdir("work/many"));
}

int main(int argc, char **argv)
{
    char line[100];
    printf("%d arguments:", argc - 1);
    for (int i = 1; i < argc; i++) printf(" <%s>", argv[i]);
    puts("");
    for (int n = 1; fgets(line, sizeof line, stdin); n++) printf("%d: %s", n, line);
    paths();
    links();
    descriptors();
    times();
    many();
    say("rmdir", rmdir("work"));
    fputs("an error\n", stderr);
    return 42;
}
