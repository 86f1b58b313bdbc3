/* Protobuf's wire format, read within bounds: https://protobuf.dev/programming-guides/encoding/. */

#ifndef WIRE_READING_H
#define WIRE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct { const uint8_t *at, *end; } Range;

static inline size_t left(const Range *range) { return (size_t)(range->end - range->at); }

static inline uint64_t fixed64(const uint8_t *at) {
    uint64_t number = 0;
    for (int byte = 7; byte >= 0; byte--) number = number << 8 | at[byte];
    return number;
}

/* A varint in its shortest form, as every encoder writes numbers. */
static inline bool read_varint(Range *range, uint64_t *number) {
    uint64_t found = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (range->at == range->end) return false;
        uint8_t byte = *range->at++;
        if (shift == 63 && byte > 1) return false;
        found |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128)) {
            *number = found;
            return byte || !shift;
        }
    }
    return false;
}

/* The bytes after a length. Some encoders leave room for a length and fill it with up to four bytes, not `shortest`. */
static inline bool read_bytes(Range *range, Range *bytes, bool shortest) {
    uint64_t length = 0;
    for (int shift = 0;; shift += 7) {
        if (shift == 35 || range->at == range->end) return false;
        uint8_t byte = *range->at++;
        length |= (uint64_t)(byte & 127) << shift;
        if (!(byte & 128)) {
            if (shortest && !byte && shift) return false;
            break;
        }
    }
    if (length > left(range)) return false;
    bytes->at = range->at;
    bytes->end = range->at += length;
    return true;
}

#endif
