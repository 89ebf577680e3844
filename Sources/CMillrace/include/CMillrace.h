#ifndef CMILLRACE_H
#define CMILLRACE_H
#include <stddef.h>
#include <stdint.h>
#include "LinuxCalls.h"
uint32_t millrace_crc32c(uint32_t crc, const void *bytes, size_t count);
#endif
