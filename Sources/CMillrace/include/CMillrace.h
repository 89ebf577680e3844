#ifndef CMILLRACE_H
#define CMILLRACE_H

#include "LevelMarks.h"
#include "LineMarks.h"
#include "LinuxCalls.h"
#include "Mathematics.h"
#include "TextSearch.h"

#include <stddef.h>
#include <stdint.h>

/// CRC32C (Castagnoli, RFC 3720) of `count` bytes, continuing from `crc` (0 to begin).
///
/// Uses the CPU's CRC instruction if it has one; which was decided when the program was loaded.
uint32_t millrace_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same without any instruction that not every CPU has.
uint32_t millrace_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

/// How `millrace_crc32c` computes: "sse4.2", "armv8" or "portable".
const char *millrace_crc32c_kind(void);

#endif
