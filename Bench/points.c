// The sets of points.
//
// cpu, cpu-float: what TSBS calls cpu-only: per step a line of every host, ten tags, ten fields that walk at random
// between 0 and 100 in steps of a normal distribution; as integers, or with two decimals.
// events: points at random times of random series, about 2.4 each, some late; two floats or integers, one flag, three
// strings, of which one is never the same twice.
// series: every line is a new series with one integer.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "points.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const cpuFields[] = {"usage_user", "usage_system", "usage_idle", "usage_nice", "usage_iowait",
    "usage_irq", "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"};
static const char *const regions[] = {"us-east-1", "us-west-1", "us-west-2", "eu-west-1", "eu-central-1",
    "ap-southeast-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"};
static const char *const systems[] = {"Ubuntu16.10", "Ubuntu16.04LTS", "Ubuntu15.10"};
static const char *const architectures[] = {"x64", "x86"};
static const char *const teams[] = {"SF", "NYC", "LON", "CHI"};
static const char *const environments[] = {"production", "staging", "test"};
static const char *const services[] = {"checkout", "cart", "catalog", "search", "login", "profile", "payment", "invoice",
    "shipping", "stock", "mail", "push", "report", "image", "video", "proxy", "gateway", "audit", "export", "import"};
static const char *const paths[] = {"orders", "users", "items", "carts", "sessions", "images", "reports", "tokens"};

// Two draws of the standard normal distribution (Box and Muller).
static void normal(struct points *points, double *values) {
    double radius = sqrt(-2 * log(random_uniform(&points->random))), angle = 6.283185307179586 * random_uniform(&points->random);
    values[0] = radius * cos(angle);
    values[1] = radius * sin(angle);
}

#define PICK(points, names) names[random_below(&points->random, COUNT(names))]

void points_open(struct points *points, uint64_t seed) {
    random_seed(&points->random, seed);
    points->made = 0;
    points->time = points->start;
    if (points->set > SET_CPU_FLOAT) return;
    points->walks = calloc((size_t)points->hosts * 10, sizeof *points->walks);
    points->tags = calloc((size_t)points->hosts, sizeof *points->tags);
    if (!points->walks || !points->tags) abort();
    for (int index = 0; index < points->hosts * 10; index++) points->walks[index] = 100 * random_uniform(&points->random);
    for (int host = 0; host < points->hosts; host++) {
        const char *region = PICK(points, regions);
        snprintf(points->tags[host], sizeof points->tags[host],
            "cpu,hostname=host_%d,region=%s,datacenter=%s%c,rack=%d,os=%s,arch=%s,team=%s,service=%d,service_version=%d,"
            "service_environment=%s", host, region, region, (char)('a' + random_below(&points->random, 3)), (int)random_below(&points->random, 100),
            PICK(points, systems), PICK(points, architectures), PICK(points, teams), (int)random_below(&points->random, 20),
            (int)random_below(&points->random, 2), PICK(points, environments));
    }
}

int points_values(enum points_set set) {
    return set == SET_SERIES ? 1 : set == SET_EVENTS ? 6 : 10;
}

static char *put_text(char *at, const char *text) { return stpcpy(at, text); }

static char *put_number(char *at, uint64_t value) {
    char digits[20];
    int count = 0;
    do digits[count++] = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    while (count > 0) *at++ = digits[--count];
    return at;
}

// Hundredths with two decimals.
static char *put_hundredths(char *at, uint64_t hundredths) {
    at = put_number(at, hundredths / 100);
    *at++ = '.';
    *at++ = (char)('0' + hundredths / 10 % 10);
    *at++ = (char)('0' + hundredths % 10);
    return at;
}

static char *put_end(char *at, int64_t time) {
    at = put_number(put_text(at, " "), (uint64_t)time);
    *at++ = '\n';
    return at;
}

static char *write_cpu(struct points *points, char *at) {
    int host = (int)(points->made % (uint64_t)points->hosts);
    double *walk = points->walks + host * 10, steps[10];
    for (int field = 0; field < 10; field += 2) normal(points, steps + field);
    at = put_text(at, points->tags[host]);
    for (int field = 0; field < 10; field++) {
        walk[field] = fmin(100, fmax(0, walk[field] + steps[field]));
        *at++ = field == 0 ? ' ' : ',';
        at = put_text(at, cpuFields[field]);
        *at++ = '=';
        if (points->set == SET_CPU_FLOAT) at = put_hundredths(at, (uint64_t)lround(walk[field] * 100));
        else at = put_text(put_number(at, (uint64_t)walk[field]), "i");
    }
    at = put_end(at, points->time);
    if (host == points->hosts - 1) points->time += points->step;
    return at;
}

// The text of an event, without quotes.
static char *write_message(struct points *points, char *at, const char *service, int status, uint64_t duration) {
    const char *path = PICK(points, paths);
    switch (random_below(&points->random, 6)) {
    case 0: return at + sprintf(at, "GET /api/v1/%s/%u returned %d in %" PRIu64 " ms", path,
        (unsigned)random_below(&points->random, 100000), status, duration / 100);
    case 1: return at + sprintf(at, "POST /api/v1/%s returned %d", path, status);
    case 2: return at + sprintf(at, "%s: connection reset by peer 10.0.%u.%u", service, (unsigned)random_below(&points->random, 16),
        (unsigned)random_below(&points->random, 256));
    case 3: return at + sprintf(at, "user %u signed in", (unsigned)random_below(&points->random, 20000));
    case 4: return at + sprintf(at, "cache miss for key %s:%u", path, (unsigned)random_below(&points->random, 50000));
    default: return at + sprintf(at, "%s: job finished after %u attempts", service, (unsigned)random_below(&points->random, 4) + 1);
    }
}

// Of as many series as make 1,000,000 points find 422,000 of them.
static char *write_event(struct points *points, char *at) {
    uint64_t series = random_mix(random_below(&points->random, points->count * 48 / 100 + 1)), weight = series % 100;
    const char *service = services[series / 100 % COUNT(services)];
    const char *level = weight < 80 ? "info" : weight < 90 ? "debug" : weight < 97 ? "warn" : "error";
    at += sprintf(at, "events,host=web-%03u,level=%s,pod=%s-%05u,service=%s ", (unsigned)(series >> 20) % 500, level,
        service, (unsigned)(series >> 32) % 4000, service);
    int status = weight < 90 ? 200 : weight < 97 ? 404 : 500;
    uint64_t duration = (uint64_t)(exp(log(30) + 1.2 * sqrt(-2 * log(random_uniform(&points->random)))) * 100);
    at += sprintf(at, "bytes=%ui,duration=", (unsigned)random_below(&points->random, 65536));
    at = put_hundredths(at, duration);
    at += sprintf(at, ",id=\"%016" PRIx64 "\",message=\"", random_next(&points->random));
    at = write_message(points, at, service, status, duration);
    at += sprintf(at, "\",ok=%c,status=%di", status < 500 ? 't' : 'f', status);
    // Microseconds, as most loggers have them; one in a hundred comes up to a minute late.
    points->time += (int64_t)(-log(random_uniform(&points->random)) * (double)points->step) / 1000 * 1000;
    int64_t late = random_below(&points->random, 100) == 0 ? (int64_t)random_below(&points->random, 60000000) * 1000 : 0;
    return put_end(at, points->time - late);
}

static char *write_series(struct points *points, char *at) {
    uint64_t number = points->made;
    at += sprintf(at, "sensor,building=b%03u,floor=%u,room=room-%05u,kind=%s value=%ui",
        (unsigned)(number / 90000), (unsigned)(number % 13), (unsigned)(random_mix(number % 90000) % 90000), paths[number % COUNT(paths)], (unsigned)(number % 1000));
    return put_end(at, points->time);
}

char *points_write(struct points *points, char *text, uint64_t lines) {
    for (; lines > 0 && points->made < points->count; lines--) {
        switch (points->set) {
        case SET_EVENTS: text = write_event(points, text); break;
        case SET_SERIES: text = write_series(points, text); break;
        default: text = write_cpu(points, text);
        }
        points->made++;
    }
    return text;
}
