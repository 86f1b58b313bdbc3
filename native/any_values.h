/* OTLP's values and attributes as rows keep them: a text, and a letter for its kind (src/pilothouse/signals/anyvalue.py).

   What is read here the door has written or let pass: a value holds one member, in protobuf's shortest form. Anything
   else is refused, and the engine reads the segment itself. */

#ifndef ANY_VALUES_H
#define ANY_VALUES_H

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "native_block.h"

#define MOST_VALUES 8000000

/* `length` is the text's. An integer's digits are written when the block is. */
typedef struct {
    union { const uint8_t *at; int64_t number; } text;
    uint32_t length, word : 24, letter : 8;
} Value;

typedef struct { uint32_t first, count, letters; } Attributes;

/* Where a map's parts go: `words` for its keys and `letters` for its kinds. `before` is the attributes read last. */
typedef struct { Words *keys, *letters; Stream *offsets, *values; Attributes before; uint64_t written; } Map;

/* What is read of a segment and is gone with it. */
typedef struct { Buffer values, letters; Chunk *kept; } Read;

static inline Value *value_at(const Read *read, uint32_t place) { return (Value *)(void *)read->values.at + place; }

static inline uint32_t values_read(const Read *read) { return (uint32_t)(read->values.used / sizeof(Value)); }

/* ---- numbers as text ---- */

static inline uint32_t digits_of(int64_t number) {
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    uint32_t digits = 1 + (number < 0);
    for (; rest > 9; rest /= 10) digits++;
    return digits;
}

static inline void write_digits(uint8_t *to, int64_t number, uint32_t length) {
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    for (uint8_t *at = to + length; at > to; rest /= 10) *--at = (uint8_t)('0' + rest % 10);
    if (number < 0) *to = '-';
}

/* The fewest digits that give this number back. Returns how many; 0 for what is better left to the engine. The first of
   them has the value 10 to the power of `*point` - 1. */
static size_t shortest_digits(double number, char *digits, int *point) {
    char said[40];
    int precision = 15; /* as many digits always come back the same from a double, so that no other 15 mean it */
    for (;; precision++) {
        snprintf(said, sizeof said, "%.*e", precision - 1, fabs(number));
        if (strtod(said, NULL) == fabs(number)) break;
        if (precision == 17) return 0;
    }
    int exponent;
    /* A power of two has neighbours at different distances: the nearest digits need not be the fewest. */
    if (precision > 15 && frexp(fabs(number), &exponent) == 0.5) return 0;
    size_t count = 0;
    const char *from = said;
    for (; *from && *from != 'e'; from++) {
        if (*from >= '0' && *from <= '9') digits[count++] = *from;
        else if (*from != '.') return 0; /* another locale's */
    }
    *point = *from ? atoi(from + 1) + 1 : 1;
    while (count > 1 && digits[count - 1] == '0') count--;
    return count;
}

/* As ClickHouse writes a double: plain from 1e-6 to below 1e21. Returns the length, 0 for what is left to the engine. */
static size_t double_text(char *to, uint64_t bits) {
    double number;
    memcpy(&number, &bits, 8);
    if (!isfinite(number)) return (size_t)snprintf(to, 8, "%s", isnan(number) ? "nan" : number < 0 ? "-inf" : "inf");
    /* Next to zero doubles lie so far apart that fewer than 15 digits may do. */
    if (number != 0 && fabs(number) < DBL_MIN) return 0;
    char digits[24];
    int point;
    size_t count = shortest_digits(number, digits, &point), length = 0;
    if (!count) return 0;
    if (bits >> 63) to[length++] = '-';
    if (number == 0) {
        to[length++] = '0';
        return length;
    }
    if (point <= -6 || point > 21) {
        to[length++] = digits[0];
        if (count > 1) to[length++] = '.';
        for (size_t place = 1; place < count; place++) to[length++] = digits[place];
        return length + (size_t)snprintf(to + length, 8, "e%d", point - 1);
    }
    if (point <= 0) {
        to[length++] = '0';
        to[length++] = '.';
        for (; point < 0; point++) to[length++] = '0';
    }
    size_t whole = (size_t)point;
    for (size_t place = 0; place < count || place < whole; place++) {
        if (place == whole && whole) to[length++] = '.';
        to[length++] = place < count ? digits[place] : '0';
    }
    return length;
}

static bool set_base64(Read *read, Range bytes, Value *value) {
    static const char LETTERS[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = left(&bytes), length = (size + 2) / 3 * 4;
    if (!size) {
        value->length = 0;
        return true;
    }
    uint8_t *to = keep(&read->kept, length);
    if (!to || length > UINT32_MAX) return false;
    value->text.at = to;
    value->length = (uint32_t)length;
    for (; bytes.at < bytes.end; to += 4) {
        size_t here = left(&bytes) < 3 ? left(&bytes) : 3;
        uint32_t three = (uint32_t)bytes.at[0] << 16 | (here > 1 ? (uint32_t)bytes.at[1] << 8 : 0)
            | (here > 2 ? bytes.at[2] : 0);
        for (size_t place = 0; place < 4; place++)
            to[place] = place <= here ? (uint8_t)LETTERS[three >> (18 - 6 * place) & 63] : '=';
        bytes.at += here;
    }
    return true;
}

/* ---- values ---- */

static inline void set_text(Value *value, Range text) {
    value->text.at = text.at;
    value->length = (uint32_t)left(&text);
}

static bool set_double(Read *read, const uint8_t *at, Value *value) {
    char said[48];
    size_t length = double_text(said, fixed64(at));
    uint8_t *to = length ? keep(&read->kept, length) : NULL;
    if (!to) return false;
    memcpy(to, said, length);
    set_text(value, (Range){to, to + length});
    return true;
}

static bool read_value(Read *read, Range bytes, Value *value) {
    static const uint8_t TRUE[] = "true", FALSE[] = "false";
    Range text;
    uint64_t number;
    value->letter = 'n';
    set_text(value, (Range){TRUE, TRUE});
    if (bytes.at == bytes.end) return true;
    uint8_t tag = *bytes.at++;
    switch (tag) {
        case 1 << 3 | 2:
        case 15 << 3 | 2:
            value->letter = tag == (1 << 3 | 2) ? 's' : 'j';
            if (!read_bytes(&bytes, &text, true)) return false;
            set_text(value, text);
            return bytes.at == bytes.end;
        case 2 << 3 | 0:
            value->letter = 'b';
            if (left(&bytes) != 1 || *bytes.at > 1) return false;
            set_text(value, *bytes.at ? (Range){TRUE, TRUE + 4} : (Range){FALSE, FALSE + 5});
            return true;
        case 3 << 3 | 0:
            value->letter = 'i';
            if (!read_varint(&bytes, &number) || bytes.at != bytes.end) return false;
            value->text.number = (int64_t)number;
            value->length = digits_of(value->text.number);
            return true;
        case 4 << 3 | 1:
            value->letter = 'd';
            return left(&bytes) == 8 && set_double(read, bytes.at, value);
        case 7 << 3 | 2:
            value->letter = 'x';
            return read_bytes(&bytes, &text, true) && bytes.at == bytes.end && set_base64(read, text, value);
        default: return false;
    }
}

static inline uint64_t value_size(const Value *value) { return varint_size(value->length) + value->length; }

static void put_value(Stream *stream, const Value *value) {
    if (value->letter != 'i') {
        put_counted(stream, value->text.at, value->length);
        return;
    }
    uint8_t digits[24];
    write_digits(digits, value->text.number, value->length);
    put_counted(stream, digits, value->length);
}

/* ---- attributes ---- */

/* One more of the attributes, which stand together: false where another's have come in between. */
static bool read_pair(Read *read, Map *map, Range pair, Attributes *attributes) {
    Range key = {pair.at, pair.at}, bytes = key;
    uint32_t place = values_read(read);
    if (!attributes->count) attributes->first = place;
    if (place != attributes->first + attributes->count || place == MOST_VALUES) return false;
    if (pair.at < pair.end && *pair.at == (1 << 3 | 2)) {
        pair.at++;
        if (!read_bytes(&pair, &key, true)) return false;
    }
    if (pair.at < pair.end && *pair.at == (2 << 3 | 2)) {
        pair.at++;
        if (!read_bytes(&pair, &bytes, true)) return false;
    }
    if (pair.at != pair.end) return false;
    Value *value = extend(&read->values, sizeof *value);
    if (!value || !read_value(read, bytes, value)) return false;
    /* A source says the same keys in the same order again and again. */
    Word *last = attributes->count ? word(map->keys, value[-1].word) : NULL;
    uint32_t known = last ? last->next : map->before.count ? value_at(read, map->before.first)->word : 0;
    if (!find_word(map->keys, key, &known, NULL)) return false;
    if (last) word(map->keys, value[-1].word)->next = known;
    value->word = known;
    attributes->count++;
    return true;
}

/* Counts what `times` rows with these attributes take, and finds the word for their letters. */
static bool end_attributes(Read *read, Map *map, Attributes *attributes, uint64_t times) {
    read->letters.used = 0;
    uint8_t *letters = attributes->count ? extend(&read->letters, attributes->count) : NULL;
    if (attributes->count && !letters) return false;
    uint64_t size = 0;
    for (uint32_t place = 0; place < attributes->count; place++) {
        const Value *value = value_at(read, attributes->first + place);
        letters[place] = (uint8_t)value->letter;
        size += value_size(value);
    }
    attributes->letters = map->before.letters;
    static const uint8_t NOTHING[1];
    Range text = letters ? (Range){letters, letters + attributes->count} : (Range){NOTHING, NOTHING};
    if (!find_word(map->letters, text, &attributes->letters, &read->kept)) return false;
    map->values->size += size * times;
    map->keys->places += attributes->count * times;
    map->offsets->size += 8 * times;
    map->letters->places += times;
    map->before = *attributes;
    return true;
}

static void put_attributes(const Read *read, Map *map, const Attributes *attributes) {
    const Value *value = value_at(read, attributes->first);
    for (const Value *end = value + attributes->count; value < end; value++) {
        put_word(map->keys, value->word);
        put_value(map->values, value);
    }
    map->written += attributes->count;
    put64(map->offsets, map->written);
    put_word(map->letters, attributes->letters);
}

#endif
