#ifndef MILLRACE_TEXT_SEARCH_H
#define MILLRACE_TEXT_SEARCH_H
/* Declarations alone: the C library hides the first behind _GNU_SOURCE, which Swift's Glibc module does not set. */
#include <stddef.h>
void *memmem(const void *haystack, size_t haystack_length, const void *needle, size_t needle_length);
void *memchr(const void *bytes, int byte, size_t count);
int memcmp(const void *left, const void *right, size_t count);
#endif
