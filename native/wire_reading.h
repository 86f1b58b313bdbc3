/* Protobuf's wire format, read within bounds: https://protobuf.dev/programming-guides/encoding/. */

#ifndef WIRE_READING_H
#define WIRE_READING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

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

/* UTF-8 as RFC 3629 has it: no surrogates, nothing longer than it need be, nothing above U+10FFFF. */
static inline bool is_text(Range text) {
    while (text.at < text.end) {
        uint64_t eight[4];
        if (left(&text) >= 32) {
            memcpy(eight, text.at, 32);
            if (!((eight[0] | eight[1] | eight[2] | eight[3]) & 0x8080808080808080u)) {
                text.at += 32;
                continue;
            }
        }
        if (left(&text) >= 8) {
            memcpy(eight, text.at, 8);
            if (!(eight[0] & 0x8080808080808080u)) {
                text.at += 8;
                continue;
            }
        }
        uint8_t lead = *text.at++;
        if (lead < 0x80) continue;
        size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : 1;
        if (lead < 0xc2 || lead > 0xf4 || left(&text) < more) return false;
        uint8_t second = text.at[0];
        if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return false;
        if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return false;
        for (size_t place = 0; place < more; place++)
            if ((text.at[place] & 0xc0) != 0x80) return false;
        text.at += more;
    }
    return true;
}

#endif
