// Counts a server's heap allocations and syncs from outside of it.
//
//   LD_PRELOAD=malloc_count.so BENCH_COUNTS=FILE program
//
// FILE is mapped and holds 64-bit counters in the machine's byte order, in the order of `enum counter`; whoever
// maps or reads it sees them live. Children that are started by the program do not count.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum counter { ALLOCATIONS, ALLOCATED_BYTES, FREES, SYNCS, WRITEBACKS, COUNTERS };

static _Atomic uint64_t nowhere[COUNTERS];
static _Atomic uint64_t *counters = nowhere;

// glibc's own entry points: reached without dlsym, which allocates itself.
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static void add(enum counter counter, uint64_t amount) {
    atomic_fetch_add_explicit(&counters[counter], amount, memory_order_relaxed);
}

static void allocated(size_t bytes) {
    add(ALLOCATIONS, 1);
    add(ALLOCATED_BYTES, bytes);
}

__attribute__((constructor)) static void map_counters(void) {
    const char *path = getenv("BENCH_COUNTS");
    if (!path) return;
    int descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    unsetenv("LD_PRELOAD");
    unsetenv("BENCH_COUNTS");
    if (descriptor < 0 || ftruncate(descriptor, sizeof nowhere) != 0) return;
    void *mapped = mmap(NULL, sizeof nowhere, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    if (mapped != MAP_FAILED) counters = mapped;
}

void *malloc(size_t bytes) {
    allocated(bytes);
    return __libc_malloc(bytes);
}

void *calloc(size_t count, size_t bytes) {
    allocated(count * bytes);
    return __libc_calloc(count, bytes);
}

void *realloc(void *old, size_t bytes) {
    allocated(bytes);
    return __libc_realloc(old, bytes);
}

void *memalign(size_t alignment, size_t bytes) {
    allocated(bytes);
    return __libc_memalign(alignment, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void **result, size_t alignment, size_t bytes) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    void *pointer = memalign(alignment, bytes);
    if (!pointer) return ENOMEM;
    *result = pointer;
    return 0;
}

void free(void *pointer) {
    if (pointer) add(FREES, 1);
    __libc_free(pointer);
}

static int count_sync(const char *name, int descriptor) {
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    add(SYNCS, 1);
    return real(descriptor);
}

int fdatasync(int descriptor) { return count_sync("fdatasync", descriptor); }
int fsync(int descriptor) { return count_sync("fsync", descriptor); }
int syncfs(int descriptor) { return count_sync("syncfs", descriptor); }

int sync_file_range(int descriptor, off64_t offset, off64_t bytes, unsigned flags) {
    int (*real)(int, off64_t, off64_t, unsigned) =
        (int (*)(int, off64_t, off64_t, unsigned))dlsym(RTLD_NEXT, "sync_file_range");
    add(WRITEBACKS, 1);
    return real(descriptor, offset, bytes, flags);
}
