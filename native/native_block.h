/* One block in ClickHouse's Native form, laid out before it is written: what each column takes is counted first, then
   every byte is written once, where it stays. https://clickhouse.com/docs/interfaces/formats/Native

   A column is a head (name, type, a version for each dictionary in it) and then its streams, one after another. A stream
   is plain bytes, or the places of words in a dictionary of their own (LowCardinality), which goes ahead of them. */

#ifndef NATIVE_BLOCK_H
#define NATIVE_BLOCK_H

#include <stdlib.h>
#include <string.h>

#include "wire_reading.h"

/* ---- memory that grows and is kept for the next block ---- */

typedef struct { uint8_t *at; size_t used, room; } Buffer;

/* `size` more bytes at its end, uninitialised; NULL when there is no memory. What was handed out before may move. */
static inline void *extend(Buffer *buffer, size_t size) {
    if (size > buffer->room - buffer->used) {
        size_t room = (buffer->used + size) * 2 + 4096;
        uint8_t *grown = realloc(buffer->at, room);
        if (!grown) return NULL;
        buffer->at = grown;
        buffer->room = room;
    }
    void *added = buffer->at + buffer->used;
    buffer->used += size;
    return added;
}

typedef struct Chunk { struct Chunk *before; size_t used, room; uint8_t at[]; } Chunk;

/* Bytes that stay where they are until the block is done. */
static inline uint8_t *keep(Chunk **chunks, size_t size) {
    Chunk *chunk = *chunks;
    if (!chunk || size > chunk->room - chunk->used) {
        size_t room = size > 65536 ? size : 65536;
        chunk = malloc(sizeof *chunk + room);
        if (!chunk) return NULL;
        *chunk = (Chunk){.before = *chunks, .used = 0, .room = room};
        *chunks = chunk;
    }
    chunk->used += size;
    return chunk->at + chunk->used - size;
}

static inline void let_go(Chunk **chunks) {
    while (*chunks) {
        Chunk *before = (*chunks)->before;
        free(*chunks);
        *chunks = before;
    }
}

/* ---- words: each distinct text once, numbered ---- */

#define MOST_WORDS (1u << 24)

typedef struct { const uint8_t *at; uint32_t length, hash, next; } Word; /* `next` is which came after it last time */

typedef struct {
    Buffer words, slots; /* Word; uint32_t, a word's number and one, in an open table of a power of two */
    uint32_t count, mask;
    uint64_t bytes;  /* of all words with their lengths */
    uint64_t places; /* how many are to be written */
    uint8_t *at, *end;
    unsigned width;
    bool over;
} Words;

static uint64_t secrets[2]; /* of this process: who sends words must not know which of them collide */

static inline uint64_t mixed(uint64_t one, uint64_t other) {
    unsigned __int128 product = (unsigned __int128)one * other;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint32_t hash_of(const uint8_t *at, size_t length) {
    uint64_t state = mixed(length ^ secrets[0], secrets[1]);
    uint64_t pair[2];
    for (; length >= 16; at += 16, length -= 16) {
        memcpy(pair, at, 16);
        state = mixed(pair[0] ^ secrets[0] ^ state, pair[1] ^ secrets[1]);
    }
    pair[0] = pair[1] = 0;
    if (length) memcpy(pair, at, length);
    return (uint32_t)mixed(pair[0] ^ secrets[0] ^ state, pair[1] ^ secrets[1]);
}

static inline size_t varint_size(uint64_t number) {
    size_t size = 1;
    for (; number > 127; number >>= 7) size++;
    return size;
}

static inline Word *word(const Words *words, uint32_t number) { return (Word *)(void *)words->words.at + number; }

static inline bool is_word(const Word *word, Range text) {
    return word->length == left(&text) && !memcmp(word->at, text.at, word->length);
}

static bool more_slots(Words *words) {
    size_t slots = words->mask ? (words->mask + 1) * 2 : 64;
    words->slots.used = 0;
    uint32_t *table = extend(&words->slots, slots * sizeof *table);
    if (!table) return false;
    memset(table, 0, slots * sizeof *table);
    words->mask = (uint32_t)slots - 1;
    for (uint32_t number = 0; number < words->count; number++) {
        uint32_t slot = word(words, number)->hash & words->mask;
        while (table[slot]) slot = (slot + 1) & words->mask;
        table[slot] = number + 1;
    }
    return true;
}

/* The number of a text that stays where it is, in `*number`; with `kept`, of one that is copied there when it is new.
   `*number` is a guess when it comes, which costs less than to look. */
static inline bool find_word(Words *words, Range text, uint32_t *number, Chunk **kept) {
    if (*number < words->count && is_word(word(words, *number), text)) return true;
    uint32_t hash = hash_of(text.at, left(&text));
    if (words->count * 2 >= words->mask && !more_slots(words)) return false;
    uint32_t *table = (uint32_t *)(void *)words->slots.at, slot = hash & words->mask;
    for (; table[slot]; slot = (slot + 1) & words->mask) {
        *number = table[slot] - 1;
        const Word *known = word(words, *number);
        if (known->hash == hash && is_word(known, text)) return true;
    }
    if (words->count == MOST_WORDS || left(&text) > UINT32_MAX / 2) return false;
    Word *added = extend(&words->words, sizeof *added);
    const uint8_t *at = text.at;
    if (kept && added && left(&text)) {
        uint8_t *copy = keep(kept, left(&text));
        if (!copy) return false;
        memcpy(copy, at, left(&text));
        at = copy;
    }
    if (!added) return false;
    *added = (Word){.at = at, .length = (uint32_t)left(&text), .hash = hash};
    words->bytes += varint_size(added->length) + added->length;
    *number = words->count++;
    table[slot] = *number + 1;
    return true;
}

/* ---- the block ---- */

typedef struct { uint64_t size; uint8_t *at, *end; bool over; } Stream;

typedef enum { END, PLAIN, WORDS } Form;
typedef struct { uint8_t form, which; } Part;
typedef struct { const char *name, *type; Part parts[12]; } Column;

static inline uint64_t words_size(const Words *words) {
    return words->places ? 24 + words->bytes + words->places * words->width : 0;
}

static unsigned dictionaries(const Column *column) {
    unsigned count = 0;
    for (const Part *part = column->parts; part->form != END; part++) count += part->form == WORDS;
    return count;
}

static inline uint8_t *write_varint(uint8_t *to, uint64_t number) {
    for (; number > 127; number >>= 7) *to++ = (uint8_t)(number | 128);
    *to++ = (uint8_t)number;
    return to;
}

static inline uint8_t *write64(uint8_t *to, uint64_t number) {
    for (int byte = 0; byte < 8; byte++) to[byte] = (uint8_t)(number >> 8 * byte);
    return to + 8;
}

static inline uint8_t *write_counted(uint8_t *to, const void *from, size_t length) {
    to = write_varint(to, length);
    if (length) memcpy(to, from, length);
    return to + length;
}

/* How many bytes the block takes, now that everything is counted. */
static uint64_t block_size(const Column *columns, size_t count, const Stream *streams, Words *words, uint64_t rows) {
    uint64_t size = varint_size(count) + varint_size(rows);
    for (const Column *column = columns; column < columns + count; column++) {
        size_t name = strlen(column->name), type = strlen(column->type);
        size += varint_size(name) + name + varint_size(type) + type + 8 * dictionaries(column);
        for (const Part *part = column->parts; part->form != END; part++) {
            if (part->form == PLAIN) {
                size += streams[part->which].size;
                continue;
            }
            Words *own = &words[part->which];
            own->width = own->count <= 256 ? 1 : own->count <= 65536 ? 2 : 4;
            size += words_size(own);
        }
    }
    return size;
}

static uint8_t *place_words(uint8_t *to, Words *words) {
    uint8_t *start = to;
    words->at = words->end = to;
    if (!words->places) return to;
    /* The width of a place; that keys follow; that they are all there are. */
    to = write64(to, (words->width >> 1) | 0x200 | 0x400);
    to = write64(to, words->count);
    for (uint32_t number = 0; number < words->count; number++)
        to = write_counted(to, word(words, number)->at, word(words, number)->length);
    words->at = write64(to, words->places);
    return words->end = start + words_size(words);
}

/* Writes heads and dictionaries, and tells each stream where it goes. `to` has room for `block_size`. */
static void place_block(uint8_t *to, const Column *columns, size_t count, Stream *streams, Words *words, uint64_t rows) {
    to = write_varint(write_varint(to, count), rows);
    for (const Column *column = columns; column < columns + count; column++) {
        to = write_counted(to, column->name, strlen(column->name));
        to = write_counted(to, column->type, strlen(column->type));
        for (unsigned left = dictionaries(column); left; left--) to = write64(to, 1);
        for (const Part *part = column->parts; part->form != END; part++) {
            if (part->form == WORDS) {
                to = place_words(to, &words[part->which]);
                continue;
            }
            Stream *stream = &streams[part->which];
            stream->at = to;
            to = stream->end = to + stream->size;
        }
    }
}

/* Most texts are short: a call costs more than to copy them. */
static inline void copy(uint8_t *to, const uint8_t *from, size_t size) {
    uint64_t first, last;
    uint32_t head, tail;
    if (size > 16) {
        memcpy(to, from, size);
    } else if (size >= 8) {
        memcpy(&first, from, 8);
        memcpy(&last, from + size - 8, 8);
        memcpy(to, &first, 8);
        memcpy(to + size - 8, &last, 8);
    } else if (size >= 4) {
        memcpy(&head, from, 4);
        memcpy(&tail, from + size - 4, 4);
        memcpy(to, &head, 4);
        memcpy(to + size - 4, &tail, 4);
    } else {
        for (size_t place = 0; place < size; place++) to[place] = from[place];
    }
}

/* Nothing goes beyond what was counted for it; what would is left out, and `is_full` tells. */
static inline void put(Stream *stream, const void *from, size_t size) {
    if (size > (size_t)(stream->end - stream->at)) {
        stream->over = true;
        return;
    }
    copy(stream->at, from, size);
    stream->at += size;
}

static inline void put8(Stream *stream, uint8_t number) { put(stream, &number, 1); }

static inline void put32(Stream *stream, uint32_t number) {
    uint8_t bytes[4] = {(uint8_t)number, (uint8_t)(number >> 8), (uint8_t)(number >> 16), (uint8_t)(number >> 24)};
    put(stream, bytes, 4);
}

static inline void put64(Stream *stream, uint64_t number) {
    uint8_t bytes[8];
    write64(bytes, number);
    put(stream, bytes, 8);
}

static inline void put_counted(Stream *stream, const uint8_t *from, size_t length) {
    if (length + varint_size(length) > (size_t)(stream->end - stream->at)) {
        stream->over = true;
        return;
    }
    stream->at = write_varint(stream->at, length);
    copy(stream->at, from, length);
    stream->at += length;
}

static inline void put_word(Words *words, uint32_t number) {
    if ((size_t)(words->end - words->at) < words->width) {
        words->over = true;
        return;
    }
    for (unsigned byte = 0; byte < words->width; byte++) *words->at++ = (uint8_t)(number >> 8 * byte);
}

static bool is_full(const Stream *streams, size_t plain, const Words *words, size_t dictionaries) {
    for (size_t which = 0; which < plain; which++)
        if (streams[which].over || streams[which].at != streams[which].end) return false;
    for (size_t which = 0; which < dictionaries; which++)
        if (words[which].over || words[which].at != words[which].end) return false;
    return true;
}

#endif
