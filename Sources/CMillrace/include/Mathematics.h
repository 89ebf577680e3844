#ifndef MILLRACE_MATHEMATICS_H
#define MILLRACE_MATHEMATICS_H

/// `base` to the power of `exponent`, as C's pow, which Swift's standard library lacks.
double millrace_power(double base, double exponent);

#endif
