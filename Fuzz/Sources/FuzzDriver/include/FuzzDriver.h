#ifndef FUZZDRIVER_H
#define FUZZDRIVER_H

#include <stddef.h>
#include <stdint.h>

/// Runs libFuzzer (https://llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library); returns the process's status.
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*test_one_input)(const uint8_t *bytes, size_t count));

#endif
