#include "Mathematics.h"

#include <math.h>

double millrace_power(double base, double exponent) { return pow(base, exponent); }
