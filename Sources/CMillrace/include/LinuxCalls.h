#ifndef MILLRACE_LINUX_CALLS_H
#define MILLRACE_LINUX_CALLS_H
/* Declarations alone: the C library hides these two behind _GNU_SOURCE, which Swift's Glibc module does not set. */
#include <stdint.h>
int fallocate(int descriptor, int mode, int64_t offset, int64_t count);
int syncfs(int descriptor);
#endif
