// What the programs write.
//
// Fourteen write JSON, four logfmt, four are web servers with access lines; 12 % of the lines are debug, 3 % warn, 1 %
// error. Messages have a constant part and a few numbers, as programs' messages do; every JSON line has ids of its own.
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "log_lines.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define PICK(lines, names) names[random_below(&(lines)->random, COUNT(names))]

enum { JSON_APPS = 14, LOGFMT_APPS = 4, LEVEL_DEBUG = 0, LEVEL_INFO, LEVEL_WARN, LEVEL_ERROR };

static const char *const apps[LOG_APPS] = {"checkout", "cart", "catalog", "search", "login", "profile", "payment",
    "invoice", "shipping", "stock", "mail", "push", "report", "image", "scheduler", "billing", "indexer", "relay",
    "edge", "assets", "gateway", "static"};
static const char *const levels[] = {"debug", "info", "warn", "error"};
static const char *const paths[] = {"orders", "users", "items", "carts", "sessions", "images", "reports", "tokens"};
static const char *const methods[] = {"GET", "GET", "GET", "POST", "PUT", "DELETE"};
static const char *const agents[] = {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "curl/8.8.0", "kube-probe/1.30", "Go-http-client/2.0"};
static const char *const regions[] = {"eu-west-1", "us-east-1", "ap-south-1"};
static const char *const hosts[] = {"inventory", "ledger", "postgres-0", "redis-2", "auth", "warehouse"};

void log_lines_open(struct log_lines *lines, uint64_t seed) {
    random_seed(&lines->random, seed);
    lines->made = 0;
    lines->time = lines->start;
    memset(&lines->facts, 0, sizeof lines->facts);
}

void log_labels(int stream, char *text, size_t room) {
    snprintf(text, room, "{app=\"%s\", namespace=\"%s\", pod=\"%s-%d\"}", apps[stream / LOG_PODS],
        stream / LOG_PODS < JSON_APPS ? "shop" : "platform", apps[stream / LOG_PODS], stream % LOG_PODS);
}

void log_file_name(int stream, char *text, size_t room) {
    snprintf(text, room, "%s-%d.log", apps[stream / LOG_PODS], stream % LOG_PODS);
}

static unsigned number(struct log_lines *lines, uint64_t limit) { return (unsigned)random_below(&lines->random, limit); }

static int level_of(struct log_lines *lines) {
    unsigned draw = number(lines, 100);
    return draw < 1 ? LEVEL_ERROR : draw < 4 ? LEVEL_WARN : draw < 16 ? LEVEL_DEBUG : LEVEL_INFO;
}

// What happened, in words; about 30 kinds.
static char *write_message(struct log_lines *lines, char *at, int level) {
    const char *path = PICK(lines, paths), *host = PICK(lines, hosts);
    unsigned a = number(lines, 100000), b = number(lines, 250), kind = number(lines, level == LEVEL_ERROR ? 4 : 7);
    if (level == LEVEL_ERROR) {
        switch (kind) {
        case 0: lines->facts.timeouts++;
            return at + sprintf(at, "timeout after %ums waiting for %s", 10000 + a % 50000, host);
        case 1: lines->facts.refusedErrors++;
            return at + sprintf(at, "connection refused by %s at 10.0.%u.%u:5432", host, b % 16, b);
        case 2: return at + sprintf(at, "cannot decode %s: unexpected end of input at byte %u", path, a);
        default: return at + sprintf(at, "transaction %u rolled back: deadlock detected", a);
        }
    }
    switch (kind + (level == LEVEL_WARN ? 10 : level == LEVEL_DEBUG ? 20 : 0)) {
    case 0: return at + sprintf(at, "request finished for user %u", a);
    case 1: return at + sprintf(at, "%s updated: %u rows in %u batches", path, a, b);
    case 2: return at + sprintf(at, "cache hit for key %s:%u", path, a);
    case 3: return at + sprintf(at, "order %u accepted, total %u.%02u EUR", a, b, a % 100);
    case 4: return at + sprintf(at, "session opened for user %u from %s", a, host);
    case 5: return at + sprintf(at, "published %u events to %s", b, path);
    case 6: return at + sprintf(at, "job %u done after %u attempts", a, b % 4 + 1);
    case 10: case 11: case 12: return at + sprintf(at, "slow query: %u ms on %s", a % 5000 + 1000, host);
    case 13: case 14: return at + sprintf(at, "retrying %s, attempt %u of 5", host, b % 5 + 1);
    case 15: case 16: return at + sprintf(at, "queue %s holds %u messages", path, a);
    case 20: case 21: case 22: return at + sprintf(at, "acquired lock %s/%u in %u us", path, a, b);
    case 23: case 24: return at + sprintf(at, "pool %s: %u of 250 connections in use", host, b);
    default: return at + sprintf(at, "feature flag new-%s is %s", path, b % 2 ? "on" : "off");
    }
}

static int status_of(struct log_lines *lines, int level) {
    unsigned draw = number(lines, 100);
    if (level == LEVEL_ERROR) return draw < 60 ? 500 : 503;
    return draw < 90 ? 200 : draw < 95 ? 201 : draw < 99 ? 404 : 304;
}

// Hundredths of a millisecond, log-normal as latencies are.
static unsigned duration_of(struct log_lines *lines) {
    double radius = sqrt(-2 * log(random_uniform(&lines->random)));
    double normal = radius * cos(6.283185307179586 * random_uniform(&lines->random));
    return (unsigned)(exp(7 + 1.2 * normal));
}

static char *write_time(char *at, int64_t time) {
    time_t seconds = (time_t)(time / 1000000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    at += strftime(at, 64, "%Y-%m-%dT%H:%M:%S", &parts);
    return at + sprintf(at, ".%03uZ", (unsigned)(time / 1000000 % 1000));
}

static char *write_json(struct log_lines *lines, char *at, int app, int isNeedle) {
    int level = level_of(lines), status = status_of(lines, level);
    unsigned duration = duration_of(lines);
    lines->facts.levels[level]++;
    lines->facts.status503 += status == 503;
    at = write_time(stpcpy(at, "{\"ts\":\""), lines->time);
    at += sprintf(at, "\",\"level\":\"%s\",\"service\":\"%s\",\"msg\":\"", levels[level], apps[app]);
    at = write_message(lines, at, level);
    at = stpcpy(at, "\",\"trace_id\":\"");
    uint64_t first = random_next(&lines->random), second = random_next(&lines->random);
    at += isNeedle ? sprintf(at, LOG_NEEDLE) : sprintf(at, "%016" PRIx64 "%016" PRIx64, first, second);
    at += sprintf(at, "\",\"user_id\":%u,\"status\":%d,\"duration_ms\":%u.%02u,", number(lines, 200000), status,
        duration / 100, duration % 100);
    return at + sprintf(at, "\"region\":\"%s\",\"path\":\"/api/v1/%s/%u\"}", PICK(lines, regions), PICK(lines, paths),
        number(lines, 50000));
}

static char *write_logfmt(struct log_lines *lines, char *at, int app) {
    int level = level_of(lines);
    unsigned duration = duration_of(lines);
    lines->facts.levels[level]++;
    at = write_time(stpcpy(at, "ts="), lines->time);
    at += sprintf(at, " level=%s caller=%s.go:%u msg=\"", levels[level], apps[app], 40 + 17 * number(lines, 30));
    at = write_message(lines, at, level);
    return at + sprintf(at, "\" component=%s request_id=%016" PRIx64 " duration=%u.%02ums bytes=%u", PICK(lines, hosts),
        random_next(&lines->random), duration / 100, duration % 100, number(lines, 100000));
}

static char *write_access(struct log_lines *lines, char *at) {
    int status = status_of(lines, LEVEL_INFO);
    time_t seconds = (time_t)(lines->time / 1000000000);
    struct tm parts;
    gmtime_r(&seconds, &parts);
    at += sprintf(at, "10.%u.%u.%u - - ", number(lines, 4), number(lines, 256), number(lines, 256));
    at += strftime(at, 64, "[%d/%b/%Y:%H:%M:%S +0000]", &parts);
    return at + sprintf(at, " \"%s /api/v1/%s/%u?page=%u HTTP/1.1\" %d %u \"https://shop.example/%s\" \"%s\" %u.%03u",
        PICK(lines, methods), PICK(lines, paths), number(lines, 50000), number(lines, 40), status, number(lines, 60000),
        PICK(lines, paths), PICK(lines, agents), number(lines, 3), number(lines, 1000));
}

int log_lines_next(struct log_lines *lines, struct log_line *line, char *text) {
    if (lines->made == lines->count) return 0;
    // Seven lines, evenly spread, of a program that writes JSON.
    uint64_t step = lines->count / 8 + 1;
    int isNeedle = lines->made % step == step - 1;
    int app = isNeedle ? (int)(lines->made / step) % JSON_APPS : (int)number(lines, LOG_APPS);
    line->stream = app * LOG_PODS + (int)number(lines, LOG_PODS);
    line->time = lines->time;
    line->text = text;
    char *end = app < JSON_APPS ? write_json(lines, text, app, isNeedle)
        : app < JSON_APPS + LOGFMT_APPS ? write_logfmt(lines, text, app) : write_access(lines, text);
    line->size = (size_t)(end - text);
    lines->facts.needles += (uint64_t)isNeedle;
    lines->facts.bytes += line->size;
    lines->facts.podBytes[line->stream] += line->size;
    lines->made++;
    lines->time = lines->start + (int64_t)((__int128)lines->span * lines->made / lines->count);
    return 1;
}
