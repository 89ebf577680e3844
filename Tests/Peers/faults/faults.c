// Preloaded into the server: makes syncs slow, and syncs and writes fail, when a test says so.
//
// MILLRACE_FAULTS names a directory. `delay` in it holds milliseconds that every sync takes longer. `sync` and `write`
// hold a part of a path: syncs of, or writes to, files whose path contains it fail with EIO. A failing `sync` makes
// syncfs fail as well, as the kernel reports a lost page of any file of the volume there.

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int setting(const char *name, char *text, size_t size) {
    const char *directory = getenv("MILLRACE_FAULTS");
    char path[4096];
    if (!directory) return 0;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return 0;
    ssize_t count = read(file, text, size - 1);
    close(file);
    text[count < 0 ? 0 : count] = 0;
    return text[0] != 0;
}

static int fails(const char *name, int descriptor) {
    char part[512], link[64], path[4096];
    if (!setting(name, part, sizeof part)) return 0;
    if (descriptor < 0) return 1;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t count = readlink(link, path, sizeof path - 1);
    path[count < 0 ? 0 : count] = 0;
    return strstr(path, part) != NULL;
}

static void wait_longer(void) {
    char text[64];
    if (!setting("delay", text, sizeof text)) return;
    long milliseconds = strtol(text, NULL, 10);
    struct timespec pause = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static int synchronize(long number, int descriptor, int matched) {
    wait_longer();
    if (fails("sync", matched)) return errno = EIO, -1;
    return (int)syscall(number, descriptor);
}

int fdatasync(int descriptor) { return synchronize(SYS_fdatasync, descriptor, descriptor); }
int fsync(int descriptor) { return synchronize(SYS_fsync, descriptor, descriptor); }
int syncfs(int descriptor) { return synchronize(SYS_syncfs, descriptor, -1); }

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off64_t position) {
    if (fails("write", descriptor)) return errno = EIO, -1;
    return syscall(SYS_pwrite64, descriptor, bytes, count, position);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t position) {
    return pwrite64(descriptor, bytes, count, position);
}

ssize_t pwritev64(int descriptor, const struct iovec *parts, int count, off64_t position) {
    if (fails("write", descriptor)) return errno = EIO, -1;
    return syscall(SYS_pwritev, descriptor, parts, (long)count, (long)position, 0L);
}

ssize_t pwritev(int descriptor, const struct iovec *parts, int count, off_t position) {
    return pwritev64(descriptor, parts, count, position);
}
