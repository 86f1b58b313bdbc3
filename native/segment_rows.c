/* Rows of a sealed segment of OTLP or remote write requests, as one block that ClickHouse takes as it is (Native).

   A segment is read twice. The first pass notes where everything is and counts what each column will take; the second
   writes each byte where it stays, rows in the table's order, so that the engine neither parses nor sorts. What is not
   as the door leaves it (src/pilothouse/signals/receive) makes the answer None: the engine then reads the segment.

   The bytes came from the network. Lengths are held against what is left before they are followed, nothing recurs, and
   what is noted is bounded; the second pass writes nothing beyond what the first has counted. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <pthread.h>
#include <sys/random.h> /* getentropy is there or in the next */
#include <unistd.h>

#include "any_values.h"

#define MOST_ROWS 1000000
#define HOUR 3600000000000u  /* nanoseconds */
#define MOST_KEPT 100000000  /* bytes of what is noted that stay for the next segment */

/* ---- what a table's rows are made of ---- */

enum { /* plain streams; those of logs, then what spans have besides */
    IDENTITY, TIME, MAP_ENDS, MAP_VALUES, DROPPED, SCOPE_ENDS, SCOPE_VALUES, FLAGS, TRACE_ID, SPAN_ID,
    OBSERVED_AFTER, SEVERITY, BODY,
    PARENT, STATE, SPAN_KIND, DURATION, STATUS, STATUS_TEXT, DROPPED_EVENTS, DROPPED_LINKS,
    EVENTS, EVENT_TIME, EVENT_ENDS, EVENT_VALUES, EVENT_DROPPED,
    LINKS, LINK_TRACE, LINK_SPAN, LINK_STATE, LINK_ENDS, LINK_VALUES, LINK_DROPPED, LINK_FLAGS,
    TEMPORALITY, MONOTONIC, LABELS, LABEL, FIRST, LAST, POINTS, POINT_TIME, POINT_START, NUMBER, DIVISOR,
    STREAMS
};
enum { /* dictionaries */
    KEYS, KINDS, SCOPE_NAME, SCOPE_VERSION, SCOPE_KEYS, SCOPE_KINDS,
    SEVERITY_TEXT, EVENT_NAME, BODY_KIND,
    NAME, SAID_NAME, SAID_KEYS, SAID_KINDS, LINK_KEYS, LINK_KINDS,
    UNIT, DESCRIPTION, TYPE,
    DICTIONARIES
};

#define TEXTS "LowCardinality(String)"
#define MAP "Map(LowCardinality(String), String)"
#define NANOSECONDS "DateTime64(9, 'UTC')"
#define MILLISECONDS "DateTime64(3, 'UTC')"
#define OF(stream) {PLAIN, stream}
#define BY(words) {WORDS, words}

#define COMMON                                                                                                   \
    {"identity", "UInt64", {OF(IDENTITY)}}, {"time", NANOSECONDS, {OF(TIME)}},                                   \
    {"attributes", MAP, {OF(MAP_ENDS), BY(KEYS), OF(MAP_VALUES)}}, {"kinds", TEXTS, {BY(KINDS)}},                \
    {"dropped_attributes_count", "UInt32", {OF(DROPPED)}}, {"scope_name", TEXTS, {BY(SCOPE_NAME)}},              \
    {"scope_version", TEXTS, {BY(SCOPE_VERSION)}},                                                               \
    {"scope_attributes", MAP, {OF(SCOPE_ENDS), BY(SCOPE_KEYS), OF(SCOPE_VALUES)}},                               \
    {"scope_kinds", TEXTS, {BY(SCOPE_KINDS)}}, {"flags", "UInt32", {OF(FLAGS)}},                                 \
    {"trace_id", "FixedString(16)", {OF(TRACE_ID)}}, {"span_id", "FixedString(8)", {OF(SPAN_ID)}}

static const Column LOGS[] = {
    COMMON, {"observed_after", "Int64", {OF(OBSERVED_AFTER)}}, {"severity_number", "UInt8", {OF(SEVERITY)}},
    {"severity_text", TEXTS, {BY(SEVERITY_TEXT)}}, {"event_name", TEXTS, {BY(EVENT_NAME)}},
    {"body", "String", {OF(BODY)}}, {"body_kind", TEXTS, {BY(BODY_KIND)}},
};

static const Column SPANS[] = {
    COMMON, {"parent_span_id", "FixedString(8)", {OF(PARENT)}}, {"trace_state", "String", {OF(STATE)}},
    {"name", TEXTS, {BY(NAME)}}, {"kind", "UInt8", {OF(SPAN_KIND)}}, {"duration", "UInt64", {OF(DURATION)}},
    {"status_code", "UInt8", {OF(STATUS)}}, {"status_message", "String", {OF(STATUS_TEXT)}},
    {"dropped_events_count", "UInt32", {OF(DROPPED_EVENTS)}}, {"dropped_links_count", "UInt32", {OF(DROPPED_LINKS)}},
    {"events", "Array(Tuple(time " NANOSECONDS ", name " TEXTS ", attributes " MAP ", kinds " TEXTS
     ", dropped_attributes_count UInt32))",
     {OF(EVENTS), OF(EVENT_TIME), BY(SAID_NAME), OF(EVENT_ENDS), BY(SAID_KEYS), OF(EVENT_VALUES), BY(SAID_KINDS),
      OF(EVENT_DROPPED)}},
    {"links", "Array(Tuple(trace_id FixedString(16), span_id FixedString(8), trace_state String, attributes " MAP
     ", kinds " TEXTS ", dropped_attributes_count UInt32, flags UInt32))",
     {OF(LINKS), OF(LINK_TRACE), OF(LINK_SPAN), OF(LINK_STATE), OF(LINK_ENDS), BY(LINK_KEYS), OF(LINK_VALUES),
      BY(LINK_KINDS), OF(LINK_DROPPED), OF(LINK_FLAGS)}},
};

#define NUMBERS                                                                                                  \
    {"first", MILLISECONDS, {OF(FIRST)}}, {"last", MILLISECONDS, {OF(LAST)}},                                    \
    {"points", "Array(Tuple(time " MILLISECONDS ", start_time " MILLISECONDS ", number Int64, divisor Float32))", \
     {OF(POINTS), OF(POINT_TIME), OF(POINT_START), OF(NUMBER), OF(DIVISOR)}}

static const Column SERIES[] = {
    {"identity", "UInt64", {OF(IDENTITY)}}, {"scope_name", TEXTS, {BY(SCOPE_NAME)}},
    {"scope_version", TEXTS, {BY(SCOPE_VERSION)}}, {"name", TEXTS, {BY(NAME)}}, {"unit", TEXTS, {BY(UNIT)}},
    {"description", TEXTS, {BY(DESCRIPTION)}}, {"type", TEXTS, {BY(TYPE)}},
    {"temporality", "UInt8", {OF(TEMPORALITY)}}, {"is_monotonic", "Bool", {OF(MONOTONIC)}},
    {"labels", "Array(String)", {OF(LABELS), OF(LABEL)}},
    {"attributes", MAP, {OF(MAP_ENDS), BY(KEYS), OF(MAP_VALUES)}}, {"kinds", TEXTS, {BY(KINDS)}},
    NUMBERS,
};

static const Column WRITTEN[] = {{"labels", MAP, {OF(MAP_ENDS), BY(KEYS), OF(MAP_VALUES)}}, NUMBERS};

/* ---- what is noted of a segment ---- */

typedef struct { uint64_t identity; } Speaker;
typedef struct { uint32_t speaker, name, version; uint64_t rows; Attributes attributes; } Scope;

typedef struct {
    uint64_t time, observed, end; /* nanoseconds; `end` is a span's */
    Range trace, span, parent, state, status_text;
    Value body;
    Attributes attributes;
    uint32_t scope, group, name, event_name, severity_text, dropped, flags, dropped_events, dropped_links;
    uint32_t first_event, events, first_link, links;
    uint8_t severity, kind, status;
} Row;

typedef struct { uint64_t time; uint32_t name, dropped; Attributes attributes; } Event;
typedef struct { Range trace, span, state; uint32_t dropped, flags; Attributes attributes; } Link;

/* Rows that stand together in the table: those of an hour and identity, or of an identity and name. */
typedef struct { uint64_t first, second; Range text; uint32_t rows, start, number; } Group;

/* How a kind of requests is read and written; `arrange` puts what was read in order and counts the streams. */
typedef struct {
    const char *name;
    const Column *columns;
    size_t count;
    bool early;  /* resource and scope must come ahead of their records */
    bool direct; /* the request holds the rows themselves */
    bool (*read_row)(Range);
    size_t (*rows)(void);
    bool (*arrange)(void);
    void (*put_rows)(void);
} Kind;

static struct {
    Stream streams[STREAMS];
    Words words[DICTIONARIES], group_words, metric_words, series_words;
    Map own, scope, event, link;
    Read read;
    Buffer speakers, scopes, rows, events, links, groups, order, spare, metrics, series, points, key, labels;
    uint32_t last_series;
    uint64_t oldest; /* the least time of a number, in milliseconds */
} now;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER; /* one segment at a time uses `now` */

static inline Row *row_at(size_t place) { return (Row *)(void *)now.rows.at + place; }
static inline Scope *scope_at(size_t place) { return (Scope *)(void *)now.scopes.at + place; }
static inline size_t rows_read(void) { return now.rows.used / sizeof(Row); }

/* ---- reading ---- */

/* A message's fields one after another. `seen` are those that may be there once. */
typedef struct { Range rest, bytes; uint64_t number; uint32_t seen; unsigned field, type; } Fields;

static bool next_field(Fields *fields) {
    uint64_t tag;
    if (!read_varint(&fields->rest, &tag) || tag >> 3 == 0 || tag > UINT32_MAX) return false;
    fields->field = (unsigned)(tag >> 3);
    fields->type = tag & 7;
    switch (fields->type) {
        case 0: return read_varint(&fields->rest, &fields->number);
        case 1:
        case 5: {
            size_t size = fields->type == 1 ? 8 : 4;
            if (left(&fields->rest) < size) return false;
            fields->number = 0;
            for (size_t byte = 0; byte < size; byte++) fields->number |= (uint64_t)fields->rest.at[byte] << 8 * byte;
            fields->rest.at += size;
            return true;
        }
        case 2: return read_bytes(&fields->rest, &fields->bytes, false);
        default: return false;
    }
}

/* Whether this is field `number` of its type, and the first of them. */
static inline bool once(Fields *fields, unsigned type) {
    uint32_t bit = 1u << fields->field;
    bool first = fields->type == type && !(fields->seen & bit);
    fields->seen |= bit;
    return first;
}

#define EACH(fields, bytes) for (Fields fields = {.rest = bytes}; fields.rest.at < fields.rest.end;)

static inline bool set32(Fields *fields, unsigned type, uint32_t *number) {
    if (!once(fields, type) || fields->number > UINT32_MAX) return false;
    *number = (uint32_t)fields->number;
    return true;
}

/* A number of an enumeration, of which rows keep what fits into a byte. */
static inline bool set_byte(Fields *fields, uint8_t *number) {
    if (!once(fields, 0) || fields->number > INT32_MAX) return false;
    *number = fields->number > 255 ? 255 : (uint8_t)fields->number;
    return true;
}

static inline bool set_time(Fields *fields, uint64_t *time) {
    *time = fields->number;
    return once(fields, 1) && *time <= INT64_MAX;
}

static inline bool set_bytes(Fields *fields, Range *bytes) {
    *bytes = fields->bytes;
    return once(fields, 2);
}

/* The word's number as it was in the row before is the guess. */
static inline bool set_word(Fields *fields, unsigned which, uint32_t *number) {
    return once(fields, 2) && find_word(&now.words[which], fields->bytes, number, NULL);
}

static inline bool set_pair(Fields *fields, Map *map, Attributes *attributes) {
    return fields->type == 2 && read_pair(&now.read, map, fields->bytes, attributes);
}

static bool read_scope(Range bytes, Scope *scope) {
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        switch (fields.field) {
            case 1: if (!set_word(&fields, SCOPE_NAME, &scope->name)) return false; break;
            case 2: if (!set_word(&fields, SCOPE_VERSION, &scope->version)) return false; break;
            case 3: if (!set_pair(&fields, &now.scope, &scope->attributes)) return false; break;
            default: break;
        }
    }
    return true;
}

static Row *add_row(void) {
    if (rows_read() == MOST_ROWS) return NULL;
    Row *row = extend(&now.rows, sizeof *row);
    if (!row) return NULL;
    memset(row, 0, sizeof *row);
    row->scope = (uint32_t)(now.scopes.used / sizeof(Scope)) - 1;
    if (rows_read() > 1) {
        row->severity_text = row[-1].severity_text;
        row->name = row[-1].name;
    }
    return row;
}

static bool read_log(Range bytes) {
    Row *row = add_row();
    bool graded = false;
    if (!row || !read_value(&now.read, (Range){bytes.at, bytes.at}, &row->body)) return false;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        bool good = true;
        switch (fields.field) {
            case 1: good = set_time(&fields, &row->time); break;
            case 2: good = set_byte(&fields, &row->severity); break;
            case 3: good = graded = set_word(&fields, SEVERITY_TEXT, &row->severity_text); break;
            case 5: good = once(&fields, 2) && read_value(&now.read, fields.bytes, &row->body); break;
            case 6: good = set_pair(&fields, &now.own, &row->attributes); break;
            case 7: good = set32(&fields, 0, &row->dropped); break;
            case 8: good = set32(&fields, 5, &row->flags); break;
            case 9: good = set_bytes(&fields, &row->trace); break;
            case 10: good = set_bytes(&fields, &row->span); break;
            case 11: good = set_time(&fields, &row->observed); break;
            case 12: good = set_word(&fields, EVENT_NAME, &row->event_name); break;
            default: break;
        }
        if (!good) return false;
    }
    if (!graded) row->severity_text = 0;
    if (!row->time) row->time = row->observed;
    now.streams[BODY].size += value_size(&row->body);
    /* A word for the kind is a letter. */
    uint8_t letter = (uint8_t)row->body.letter;
    uint32_t number = rows_read() > 1 ? row[-1].body.word : 0;
    if (!find_word(&now.words[BODY_KIND], (Range){&letter, &letter + 1}, &number, &now.read.kept)) return false;
    row->body.word = number;
    return end_attributes(&now.read, &now.own, &row->attributes, 1);
}

static bool read_event(Range bytes, Row *row) {
    Event *event = extend(&now.events, sizeof *event);
    if (!event) return false;
    memset(event, 0, sizeof *event);
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        bool good = true;
        switch (fields.field) {
            case 1: good = set_time(&fields, &event->time); break;
            case 2: good = set_word(&fields, SAID_NAME, &event->name); break;
            case 3: good = set_pair(&fields, &now.event, &event->attributes); break;
            case 4: good = set32(&fields, 0, &event->dropped); break;
            default: break;
        }
        if (!good) return false;
    }
    row->events++;
    return end_attributes(&now.read, &now.event, &event->attributes, 1);
}

static bool read_link(Range bytes, Row *row) {
    Link *link = extend(&now.links, sizeof *link);
    if (!link) return false;
    memset(link, 0, sizeof *link);
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        bool good = true;
        switch (fields.field) {
            case 1: good = set_bytes(&fields, &link->trace); break;
            case 2: good = set_bytes(&fields, &link->span); break;
            case 3: good = set_bytes(&fields, &link->state); break;
            case 4: good = set_pair(&fields, &now.link, &link->attributes); break;
            case 5: good = set32(&fields, 0, &link->dropped); break;
            case 6: good = set32(&fields, 5, &link->flags); break;
            default: break;
        }
        if (!good) return false;
    }
    row->links++;
    now.streams[LINK_STATE].size += varint_size(left(&link->state)) + left(&link->state);
    return left(&link->trace) == 16 && left(&link->span) == 8
        && end_attributes(&now.read, &now.link, &link->attributes, 1);
}

static bool read_status(Range bytes, Row *row) {
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (fields.field == 2 && !set_bytes(&fields, &row->status_text)) return false;
        if (fields.field == 3 && !set_byte(&fields, &row->status)) return false;
    }
    return true;
}

static bool read_span(Range bytes) {
    Row *row = add_row();
    if (!row) return false;
    row->first_event = (uint32_t)(now.events.used / sizeof(Event));
    row->first_link = (uint32_t)(now.links.used / sizeof(Link));
    bool named = false;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        bool good = true;
        switch (fields.field) {
            case 1: good = set_bytes(&fields, &row->trace); break;
            case 2: good = set_bytes(&fields, &row->span); break;
            case 3: good = set_bytes(&fields, &row->state); break;
            case 4: good = set_bytes(&fields, &row->parent); break;
            case 5: good = named = set_word(&fields, NAME, &row->name); break;
            case 6: good = set_byte(&fields, &row->kind); break;
            case 7: good = set_time(&fields, &row->time); break;
            case 8: good = once(&fields, 1); row->end = fields.number; break;
            case 9: good = set_pair(&fields, &now.own, &row->attributes); break;
            case 10: good = set32(&fields, 0, &row->dropped); break;
            case 11: good = fields.type == 2 && read_event(fields.bytes, row); break;
            case 12: good = set32(&fields, 0, &row->dropped_events); break;
            case 13: good = fields.type == 2 && read_link(fields.bytes, row); break;
            case 14: good = set32(&fields, 0, &row->dropped_links); break;
            case 15: good = once(&fields, 2) && read_status(fields.bytes, row); break;
            case 16: good = set32(&fields, 5, &row->flags); break;
            default: break;
        }
        if (!good) return false;
    }
    if (!named) row->name = 0;
    size_t parent = left(&row->parent);
    now.streams[STATE].size += varint_size(left(&row->state)) + left(&row->state);
    now.streams[STATUS_TEXT].size += varint_size(left(&row->status_text)) + left(&row->status_text);
    return left(&row->trace) == 16 && left(&row->span) == 8 && (parent == 0 || parent == 8)
        && end_attributes(&now.read, &now.own, &row->attributes, 1);
}

static bool read_scoped(Range bytes, const Kind *kind) {
    Scope *scope = extend(&now.scopes, sizeof *scope);
    if (!scope) return false;
    memset(scope, 0, sizeof *scope);
    scope->speaker = (uint32_t)(now.speakers.used / sizeof(Speaker)) - 1;
    uint64_t before = rows_read();
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (fields.field == 1 && !(once(&fields, 2) && read_scope(fields.bytes, scope))) return false;
        if (fields.field == 2 && !(fields.type == 2 && kind->read_row(fields.bytes))) return false;
        if (fields.field == 2) fields.seen |= kind->early << 1;
    }
    scope->rows = rows_read() - before;
    return end_attributes(&now.read, &now.scope, &scope->attributes, scope->rows);
}

static bool read_resource(Range bytes, Speaker *speaker) {
    bool told = false;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (fields.field != 2000) continue;
        if (told || fields.type != 1) return false;
        told = true;
        speaker->identity = fields.number;
    }
    return true;
}

static bool read_speaker(Range bytes, const Kind *kind) {
    size_t place = now.speakers.used;
    Speaker *speaker = extend(&now.speakers, sizeof *speaker);
    if (!speaker) return false;
    speaker->identity = 0;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        speaker = (Speaker *)(void *)(now.speakers.at + place);
        if (fields.field == 1 && !(once(&fields, 2) && read_resource(fields.bytes, speaker))) return false;
        if (fields.field == 2 && !(fields.type == 2 && read_scoped(fields.bytes, kind))) return false;
        if (fields.field == 2) fields.seen |= kind->early << 1;
    }
    return true;
}

/* Frames' heads and announcements are fields of their own numbers, and skipped as any that is not known. */
static bool read_segment(Range bytes, const Kind *kind) {
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (fields.field != 1) continue;
        if (fields.type != 2) return false;
        if (!(kind->direct ? kind->read_row(fields.bytes) : read_speaker(fields.bytes, kind))) return false;
    }
    return true;
}

/* ---- the table's order ---- */

static int compare_groups(const void *one, const void *other) {
    const Group *a = one, *b = other;
    if (a->first != b->first) return a->first < b->first ? -1 : 1;
    if (a->second != b->second) return a->second < b->second ? -1 : 1;
    size_t shorter = left(&a->text) < left(&b->text) ? left(&a->text) : left(&b->text);
    int texts = shorter ? memcmp(a->text.at, b->text.at, shorter) : 0;
    if (texts) return texts;
    return (left(&a->text) > left(&b->text)) - (left(&a->text) < left(&b->text));
}

static bool find_group(Row *row, bool spans, uint32_t *number) {
    uint64_t identity = ((Speaker *)(void *)now.speakers.at)[scope_at(row->scope)->speaker].identity;
    uint64_t key[2] = {spans ? identity : row->time / HOUR, spans ? row->name : identity};
    const uint8_t *bytes = (const uint8_t *)key;
    uint32_t known = now.group_words.count;
    if (!find_word(&now.group_words, (Range){bytes, bytes + sizeof key}, number, &now.read.kept)) return false;
    row->group = *number;
    if (now.group_words.count > known) {
        Group *group = extend(&now.groups, sizeof *group);
        if (!group) return false;
        const Word *name = word(&now.words[NAME], row->name);
        *group = (Group){.first = key[0], .number = *number, .text = {name->at, name->at + name->length}};
        if (!spans) group->second = key[1];
    }
    ((Group *)(void *)now.groups.at)[*number].rows++;
    return true;
}

/* Merges runs of rows in the order of time; those of one time stay as they came. */
static void sort_by_time(uint32_t *order, uint32_t *spare, uint32_t rows) {
    uint32_t place = 1;
    while (place < rows && row_at(order[place - 1])->time <= row_at(order[place])->time) place++;
    if (place >= rows) return;
    uint32_t *from = order, *to = spare;
    for (uint64_t run = 1; run < rows; run *= 2) {
        for (uint64_t start = 0; start < rows; start += 2 * run) {
            uint64_t middle = start + run < rows ? start + run : rows, end = middle + run < rows ? middle + run : rows;
            uint64_t one = start, other = middle;
            for (uint64_t next = start; next < end; next++) {
                bool first = one < middle && (other >= end || row_at(from[one])->time <= row_at(from[other])->time);
                to[next] = from[first ? one++ : other++];
            }
        }
        uint32_t *swapped = from;
        from = to;
        to = swapped;
    }
    if (from != order) memcpy(order, from, rows * sizeof *order);
}

static bool order_rows(bool spans) {
    size_t rows = rows_read();
    uint32_t number = 0;
    for (size_t place = 0; place < rows; place++)
        if (!find_group(row_at(place), spans, &number)) return false;
    uint32_t *order = extend(&now.order, (rows + 1) * sizeof *order), *spare = extend(&now.spare, (rows + 1) * 4);
    uint32_t groups = now.group_words.count, start = 0;
    uint32_t *starts = malloc((groups + 1) * sizeof *starts);
    if (!order || !spare || !starts) {
        free(starts);
        return false;
    }
    Group *group = (Group *)(void *)now.groups.at;
    if (groups) qsort(group, groups, sizeof *group, compare_groups);
    for (uint32_t place = 0; place < groups; place++) {
        starts[group[place].number] = group[place].start = start;
        start += group[place].rows;
    }
    for (uint32_t place = 0; place < rows; place++) order[starts[row_at(place)->group]++] = place;
    free(starts);
    for (uint32_t place = 0; place < groups; place++)
        sort_by_time(order + group[place].start, spare, group[place].rows);
    return true;
}

/* ---- writing ---- */

static void count_streams(bool spans) {
    static const struct { uint8_t stream, size; } EVERY[] = {
        {IDENTITY, 8}, {TIME, 8}, {DROPPED, 4}, {FLAGS, 4}, {TRACE_ID, 16}, {SPAN_ID, 8}, {OBSERVED_AFTER, 8},
        {SEVERITY, 1}, {PARENT, 8}, {SPAN_KIND, 1}, {DURATION, 8}, {STATUS, 1}, {DROPPED_EVENTS, 4},
        {DROPPED_LINKS, 4}, {EVENTS, 8}, {LINKS, 8},
    };
    static const uint8_t WORDS_OF_LOGS[] = {SEVERITY_TEXT, EVENT_NAME, BODY_KIND};
    uint64_t rows = rows_read(), events = now.events.used / sizeof(Event), links = now.links.used / sizeof(Link);
    for (size_t place = 0; place < sizeof EVERY / sizeof *EVERY; place++)
        now.streams[EVERY[place].stream].size = rows * EVERY[place].size;
    now.streams[EVENT_TIME].size = 8 * events;
    now.streams[EVENT_DROPPED].size = 4 * events;
    now.streams[LINK_TRACE].size = 16 * links;
    now.streams[LINK_SPAN].size = 8 * links;
    now.streams[LINK_DROPPED].size = now.streams[LINK_FLAGS].size = 4 * links;
    now.words[SCOPE_NAME].places = now.words[SCOPE_VERSION].places = rows;
    if (spans) {
        now.words[NAME].places = rows;
        now.words[SAID_NAME].places = events;
    } else {
        for (size_t place = 0; place < sizeof WORDS_OF_LOGS; place++) now.words[WORDS_OF_LOGS[place]].places = rows;
    }
}

static const uint8_t ZEROS[16];

static void put_id(Stream *stream, Range id, size_t length) {
    put(stream, left(&id) == length ? id.at : ZEROS, length);
}

static void put_row(const Row *row) {
    Stream *streams = now.streams;
    Words *words = now.words;
    const Scope *scope = scope_at(row->scope);
    put64(&streams[IDENTITY], ((Speaker *)(void *)now.speakers.at)[scope->speaker].identity);
    put64(&streams[TIME], row->time);
    put_attributes(&now.read, &now.own, &row->attributes);
    put32(&streams[DROPPED], row->dropped);
    put_word(&words[SCOPE_NAME], scope->name);
    put_word(&words[SCOPE_VERSION], scope->version);
    put_attributes(&now.read, &now.scope, &scope->attributes);
    put32(&streams[FLAGS], row->flags);
    put_id(&streams[TRACE_ID], row->trace, 16);
    put_id(&streams[SPAN_ID], row->span, 8);
}

static void put_log(const Row *row) {
    put_row(row);
    put64(&now.streams[OBSERVED_AFTER], row->observed ? row->observed - row->time : (uint64_t)INT64_MIN);
    put8(&now.streams[SEVERITY], row->severity);
    put_word(&now.words[SEVERITY_TEXT], row->severity_text);
    put_word(&now.words[EVENT_NAME], row->event_name);
    put_value(&now.streams[BODY], &row->body);
    put_word(&now.words[BODY_KIND], row->body.word);
}

static inline void put_range(Stream *stream, Range bytes) { put_counted(stream, bytes.at, left(&bytes)); }

static void put_events(const Row *row, uint64_t *written) {
    const Event *event = (const Event *)(void *)now.events.at + row->first_event;
    for (const Event *end = event + row->events; event < end; event++) {
        put64(&now.streams[EVENT_TIME], event->time);
        put_word(&now.words[SAID_NAME], event->name);
        put_attributes(&now.read, &now.event, &event->attributes);
        put32(&now.streams[EVENT_DROPPED], event->dropped);
    }
    put64(&now.streams[EVENTS], *written += row->events);
}

static void put_links(const Row *row, uint64_t *written) {
    const Link *link = (const Link *)(void *)now.links.at + row->first_link;
    for (const Link *end = link + row->links; link < end; link++) {
        put_id(&now.streams[LINK_TRACE], link->trace, 16);
        put_id(&now.streams[LINK_SPAN], link->span, 8);
        put_range(&now.streams[LINK_STATE], link->state);
        put_attributes(&now.read, &now.link, &link->attributes);
        put32(&now.streams[LINK_DROPPED], link->dropped);
        put32(&now.streams[LINK_FLAGS], link->flags);
    }
    put64(&now.streams[LINKS], *written += row->links);
}

static void put_span(const Row *row, uint64_t *events, uint64_t *links) {
    Stream *streams = now.streams;
    put_row(row);
    put_id(&streams[PARENT], row->parent, 8);
    put_range(&streams[STATE], row->state);
    put_word(&now.words[NAME], row->name);
    put8(&streams[SPAN_KIND], row->kind);
    put64(&streams[DURATION], row->end > row->time ? row->end - row->time : 0);
    put8(&streams[STATUS], row->status);
    put_range(&streams[STATUS_TEXT], row->status_text);
    put32(&streams[DROPPED_EVENTS], row->dropped_events);
    put32(&streams[DROPPED_LINKS], row->dropped_links);
    put_events(row, events);
    put_links(row, links);
}

static bool arrange_logs(void) {
    if (!order_rows(false)) return false;
    count_streams(false);
    return true;
}

static bool arrange_spans(void) {
    if (!order_rows(true)) return false;
    count_streams(true);
    return true;
}

static void put_logs(void) {
    const uint32_t *order = (const uint32_t *)(void *)now.order.at;
    for (size_t place = 0; place < rows_read(); place++) put_log(row_at(order[place]));
}

static void put_spans(void) {
    const uint32_t *order = (const uint32_t *)(void *)now.order.at;
    uint64_t events = 0, links = 0;
    for (size_t place = 0; place < rows_read(); place++) put_span(row_at(order[place]), &events, &links);
}

#include "metric_series.h"
#include "written_series.h"
#include "written_scan.h"

/* ---- one segment ---- */

static const Kind KINDS_OF_ROWS[] = {
    {"logs", LOGS, sizeof LOGS / sizeof *LOGS, false, false, read_log, rows_read, arrange_logs, put_logs},
    {"traces", SPANS, sizeof SPANS / sizeof *SPANS, false, false, read_span, rows_read, arrange_spans, put_spans},
    {"metrics", SERIES, sizeof SERIES / sizeof *SERIES, true, false, read_metric, series_read, arrange_series, put_series},
    {"remote_write", WRITTEN, sizeof WRITTEN / sizeof *WRITTEN, false, true, read_written, series_read, arrange_written,
     put_written},
};

static void empty(Buffer *buffer, size_t *held) {
    *held += buffer->room;
    buffer->used = 0;
}

static void forget(Buffer *buffer) {
    free(buffer->at);
    *buffer = (Buffer){0};
}

static void forget_words(Words *words) {
    forget(&words->words);
    forget(&words->slots);
    *words = (Words){0};
}

/* What was noted is forgotten; its memory stays for the next segment unless it is very much. */
static void begin(void) {
    Buffer *buffers[] = {&now.speakers, &now.scopes, &now.rows, &now.events, &now.links, &now.groups, &now.order,
                         &now.spare, &now.read.values, &now.read.letters, &now.metrics, &now.series, &now.points,
                         &now.key, &now.labels};
    size_t held = 0;
    for (size_t place = 0; place < sizeof buffers / sizeof *buffers; place++) empty(buffers[place], &held);
    for (size_t place = 0; held > MOST_KEPT && place < sizeof buffers / sizeof *buffers; place++)
        forget(buffers[place]);
    let_go(&now.read.kept);
    memset(now.streams, 0, sizeof now.streams);
    for (size_t place = 0; place < DICTIONARIES; place++) forget_words(&now.words[place]);
    forget_words(&now.group_words);
    forget_words(&now.metric_words);
    forget_words(&now.series_words);
    now.last_series = 0;
    now.oldest = INT64_MAX;
    now.own = (Map){.keys = &now.words[KEYS], .letters = &now.words[KINDS], .offsets = &now.streams[MAP_ENDS],
                    .values = &now.streams[MAP_VALUES]};
    now.scope = (Map){.keys = &now.words[SCOPE_KEYS], .letters = &now.words[SCOPE_KINDS],
                      .offsets = &now.streams[SCOPE_ENDS], .values = &now.streams[SCOPE_VALUES]};
    now.event = (Map){.keys = &now.words[SAID_KEYS], .letters = &now.words[SAID_KINDS],
                      .offsets = &now.streams[EVENT_ENDS], .values = &now.streams[EVENT_VALUES]};
    now.link = (Map){.keys = &now.words[LINK_KEYS], .letters = &now.words[LINK_KINDS],
                     .offsets = &now.streams[LINK_ENDS], .values = &now.streams[LINK_VALUES]};
}

/* Each dictionary begins with the empty text, as the engine's own do. */
static bool begin_words(void) {
    static const uint8_t NOTHING[1];
    for (size_t place = 0; place < DICTIONARIES; place++) {
        uint32_t number = 0;
        if (!find_word(&now.words[place], (Range){NOTHING, NOTHING}, &number, NULL)) return false;
    }
    return true;
}

static uint64_t note_segment(Range bytes, const Kind *kind) {
    begin();
    if (!begin_words() || !read_segment(bytes, kind) || !kind->rows() || !kind->arrange()) return 0;
    return block_size(kind->columns, kind->count, now.streams, now.words, kind->rows());
}

static bool write_segment(uint8_t *to, const Kind *kind) {
    place_block(to, kind->columns, kind->count, now.streams, now.words, kind->rows());
    kind->put_rows();
    return is_full(now.streams, STREAMS, now.words, DICTIONARIES);
}

/* ---- for Python ---- */

static const Kind *kind_of(const char *name) {
    for (size_t place = 0; place < sizeof KINDS_OF_ROWS / sizeof *KINDS_OF_ROWS; place++)
        if (!strcmp(name, KINDS_OF_ROWS[place].name)) return &KINDS_OF_ROWS[place];
    PyErr_Format(PyExc_ValueError, "%s: no such kind of rows", name);
    return NULL;
}

/* Asks for room and writes into it; the size of the block, 0 when it could not be written, -1 with an error set. */
static Py_ssize_t write_into(PyObject *room, uint64_t size, const Kind *kind) {
    Py_buffer to;
    PyObject *given = PyObject_CallFunction(room, "K", (unsigned long long)size);
    if (!given) return -1;
    int failed = PyObject_GetBuffer(given, &to, PyBUF_WRITABLE);
    Py_DECREF(given);
    if (failed) return -1;
    bool written = false;
    if ((uint64_t)to.len >= size) {
        Py_BEGIN_ALLOW_THREADS
        written = write_segment(to.buf, kind);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&to);
    return written ? (Py_ssize_t)size : 0;
}

static PyObject *write_rows(PyObject *module, PyObject *args) {
    const char *name;
    Py_buffer segment;
    PyObject *room;
    (void)module;
    if (!PyArg_ParseTuple(args, "sy*O", &name, &segment, &room)) return NULL;
    const Kind *kind = kind_of(name);
    Py_ssize_t written = kind ? 0 : -1;
    uint64_t oldest = 0;
    if (kind) {
        uint64_t size;
        Range bytes = {segment.buf, (const uint8_t *)segment.buf + segment.len};
        Py_BEGIN_ALLOW_THREADS
        pthread_mutex_lock(&turn);
        size = note_segment(bytes, kind);
        Py_END_ALLOW_THREADS
        oldest = now.points.used ? now.oldest : 0;
        if (size) written = write_into(room, size, kind);
        begin();
        pthread_mutex_unlock(&turn);
    }
    PyBuffer_Release(&segment);
    if (written < 0) return NULL;
    if (!written) Py_RETURN_NONE;
    return Py_BuildValue("(nK)", written, (unsigned long long)oldest);
}

static PyObject *columns_of(PyObject *module, PyObject *args) {
    const char *name;
    (void)module;
    if (!PyArg_ParseTuple(args, "s", &name)) return NULL;
    const Kind *kind = kind_of(name);
    PyObject *all = kind ? PyTuple_New((Py_ssize_t)kind->count) : NULL;
    for (size_t place = 0; all && place < kind->count; place++) {
        PyObject *one = Py_BuildValue("(ss)", kind->columns[place].name, kind->columns[place].type);
        if (!one) Py_CLEAR(all);
        else PyTuple_SET_ITEM(all, (Py_ssize_t)place, one);
    }
    return all;
}

static PyObject *samples_written(PyObject *module, PyObject *args) {
    Py_buffer request;
    long long first, last;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*LL", &request, &first, &last)) return NULL;
    Range bytes = {request.buf, (const uint8_t *)request.buf + request.len};
    Py_ssize_t samples;
    Py_BEGIN_ALLOW_THREADS
    samples = usual_samples(bytes, first, last);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&request);
    if (samples < 0) Py_RETURN_NONE;
    return PyLong_FromSsize_t(samples);
}

static PyMethodDef FUNCTIONS[] = {
    {"samples_written", samples_written, METH_VARARGS,
     "samples_written(request, first, last): how many samples a remote write request has, when it has named series with "
     "nothing but samples between two times (milliseconds), else None."},
    {"write_rows", write_rows, METH_VARARGS,
     "write_rows(kind, segment, room): the size of the block that was written into room(size) and the least "
     "time of a number in it (milliseconds, 0 without any), or None."},
    {"columns_of", columns_of, METH_VARARGS, "columns_of(kind): names and types of the block's columns."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_segment_rows", "Rows of a segment as one block of columns.", -1, FUNCTIONS,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__segment_rows(void) {
    if (getentropy(secrets, sizeof secrets)) return PyErr_SetFromErrno(PyExc_OSError);
    secrets[0] |= 1;
    secrets[1] |= 1;
    return PyModule_Create(&MODULE);
}
