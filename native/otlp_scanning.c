/* One pass over an OTLP export request's bytes: what the door would find by parsing it, without making messages of it.

   The scan takes what well-behaved clients send and says "not mine" (None) to everything else, so that the parser
   answers for all that is odd: what does not parse, has a field that is not known, a field twice, an array or a map as a
   value, a number written longer than it need be, a record that cannot be kept. So nothing here words an error.

   It reads bytes from the network. Every length is held against what is left before it is followed; nothing recurs but
   along the tables below, which are a tree of seven levels; nothing is allocated but the list of resources, which is
   bounded, and the result.

   Wire format: https://protobuf.dev/programming-guides/encoding/. Messages: opentelemetry-proto 1.x. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "wire_reading.h"

#define MOST_RESOURCES 4096
#define MOST_BUCKETS 10000
#define MOST_FIELDS 17          /* the highest field number is a span's flags, 16 */
#define WITHOUT_GIL_FROM 16384  /* bytes; below, giving the GIL away costs more than the scan */

typedef struct { Range resource; uint64_t first, last; } Speaker;

typedef struct {
    uint64_t earliest, latest;  /* nanoseconds */
    uint64_t first, last;       /* of the resource that is scanned; last is 0 while it has no record */
    uint64_t bucket_sum;        /* of the exponential point that is scanned */
    bool exemplars;             /* whether the metric that is scanned has any */
    unsigned marks;
    size_t count, room;
    Speaker *speakers;
} Scan;

/* What was read of a message: which numbers, and of each its value, or where its bytes are. */
typedef struct { uint32_t seen; uint64_t number[MOST_FIELDS]; Range bytes[MOST_FIELDS]; } Fields;

typedef enum {
    UNKNOWN, FLAG, UINT32, ENUM, ZIGZAG32, FIXED32, FIXED64, TEXT, BYTES, PACKED64, PACKED_VARINTS, MESSAGE, VALUE, PAIR
} Kind;

typedef struct Message Message;
typedef struct { uint8_t kind; bool repeated; const Message *message; } Field;
struct Message { Field fields[MOST_FIELDS]; uint32_t one_of; bool (*holds)(Scan *, const Fields *); };

static const uint8_t WIRE_TYPE[] = {
    [FLAG] = 0, [UINT32] = 0, [ENUM] = 0, [ZIGZAG32] = 0, [FIXED32] = 5, [FIXED64] = 1, [TEXT] = 2, [BYTES] = 2,
    [PACKED64] = 2, [PACKED_VARINTS] = 2, [MESSAGE] = 2, [VALUE] = 2, [PAIR] = 2,
};

/* ---- attribute values, which the engine reads as bytes: they must be as protobuf would write them ---- */

static bool value_holds(Range value) {
    uint64_t number;
    Range bytes;
    if (value.at == value.end) return true;
    switch (*value.at++) {
        case 1 << 3 | 2: return read_bytes(&value, &bytes, true) && value.at == value.end && is_text(bytes);
        case 2 << 3 | 0: return left(&value) == 1 && *value.at <= 1;
        case 3 << 3 | 0: return read_varint(&value, &number) && value.at == value.end;
        case 4 << 3 | 1: return left(&value) == 8;
        case 7 << 3 | 2: return read_bytes(&value, &bytes, true) && value.at == value.end;
        default: return false;
    }
}

/* A key that is not empty, then a value. The attributes of a metric's point are hashed as they stand. */
static bool pair_holds(Range pair) {
    Range key, value;
    if (pair.at == pair.end || *pair.at++ != (1 << 3 | 2) || !read_bytes(&pair, &key, true)) return false;
    if (key.at == key.end || !is_text(key)) return false;
    if (pair.at == pair.end) return true;
    if (*pair.at++ != (2 << 3 | 2) || !read_bytes(&pair, &value, true)) return false;
    return pair.at == pair.end && value_holds(value);
}

/* ---- messages, by the tables below ---- */

static bool scan_message(Scan *scan, const Message *message, Range range);

static bool read_number(Range *range, Kind kind, uint64_t *number) {
    size_t size = kind == FIXED64 ? 8 : 4;
    switch (kind) {
        case FIXED64:
        case FIXED32:
            if (left(range) < size) return false;
            *number = kind == FIXED64 ? fixed64(range->at) : 0;
            range->at += size;
            return true;
        case FLAG: return read_varint(range, number) && *number <= 1;
        case ENUM: return read_varint(range, number) && *number <= INT32_MAX;
        default: return read_varint(range, number) && *number <= UINT32_MAX;
    }
}

static bool bytes_hold(Scan *scan, const Field *field, Range bytes) {
    switch ((Kind)field->kind) {
        case TEXT: return is_text(bytes);
        case PACKED64: return left(&bytes) % 8 == 0;
        case MESSAGE: return scan_message(scan, field->message, bytes);
        case VALUE: return value_holds(bytes);
        case PAIR: return pair_holds(bytes);
        default: return true;
    }
}

static bool scan_message(Scan *scan, const Message *message, Range range) {
    Fields fields;
    fields.seen = 0;
    while (range.at < range.end) {
        unsigned tag = *range.at++;
        if (tag & 128) { /* numbers of 16 and more take a second byte */
            if (range.at == range.end || *range.at == 0 || *range.at > 127) return false;
            tag = (tag & 127) | (unsigned)*range.at++ << 7;
        }
        unsigned number = tag >> 3;
        if (number == 0 || number >= MOST_FIELDS) return false;
        const Field *field = &message->fields[number];
        if (field->kind == UNKNOWN || (tag & 7) != WIRE_TYPE[field->kind]) return false;
        if (!field->repeated && fields.seen >> number & 1) return false;
        fields.seen |= 1u << number;
        if (WIRE_TYPE[field->kind] != 2) {
            if (!read_number(&range, field->kind, &fields.number[number])) return false;
        } else if (!read_bytes(&range, &fields.bytes[number], false)
                   || !bytes_hold(scan, field, fields.bytes[number])) {
            return false;
        }
    }
    uint32_t members = fields.seen & message->one_of;
    return !(members & (members - 1)) && (!message->holds || message->holds(scan, &fields));
}

static inline bool has(const Fields *fields, int number) { return fields->seen >> number & 1; }

static inline uint64_t number_of(const Fields *fields, int number) {
    return has(fields, number) ? fields->number[number] : 0;
}

static inline size_t length_of(const Fields *fields, int number) {
    return has(fields, number) ? left(&fields->bytes[number]) : 0;
}

static bool is_id(const Fields *fields, int number, size_t length) {
    if (length_of(fields, number) != length) return false;
    const uint8_t *at = fields->bytes[number].at;
    for (size_t place = 0; place < length; place++)
        if (at[place]) return true;
    return false;
}

/* ---- what the door checks (src/pilothouse/signals/receive/checking_*.py) ---- */

static bool note_time(Scan *scan, uint64_t time) {
    if (!time || time < scan->earliest || time > scan->latest) return false;
    if (!scan->last || time < scan->first) scan->first = time;
    if (time > scan->last) scan->last = time;
    return true;
}

static bool log_holds(Scan *scan, const Fields *record) {
    uint64_t time = number_of(record, 1);
    return note_time(scan, time ? time : number_of(record, 11));
}

static bool span_holds(Scan *scan, const Fields *span) {
    size_t parent = length_of(span, 4);
    return is_id(span, 1, 16) && is_id(span, 2, 8) && (parent == 0 || parent == 8)
        && number_of(span, 8) <= scan->latest && note_time(scan, number_of(span, 7));
}

static bool link_holds(Scan *scan, const Fields *link) {
    (void)scan;
    return length_of(link, 1) == 16 && length_of(link, 2) == 8;
}

static bool metric_holds(Scan *scan, const Fields *metric) {
    /* By the kind's field number: the bits that `scanning.MARKS` gives names. */
    static const struct { int number; unsigned mark, exemplars; } KINDS[] = {
        {5, 1, 16}, {7, 1, 32}, {9, 2, 64}, {10, 4, 128}, {11, 8, 0},
    };
    if (!length_of(metric, 1)) return false;
    for (size_t place = 0; place < sizeof KINDS / sizeof *KINDS; place++)
        if (has(metric, KINDS[place].number)) {
            scan->marks |= KINDS[place].mark | (scan->exemplars ? KINDS[place].exemplars : 0);
            scan->exemplars = false;
            return true;
        }
    return false;
}

static bool number_holds(Scan *scan, const Fields *point) {
    scan->exemplars |= has(point, 5);
    return note_time(scan, number_of(point, 3));
}

static double as_double(const uint8_t *at) {
    uint64_t bits = fixed64(at);
    double number;
    memcpy(&number, &bits, 8);
    return number;
}

static bool histogram_holds(Scan *scan, const Fields *point) {
    size_t counts = length_of(point, 6) / 8, bounds = length_of(point, 7) / 8;
    if ((counts || bounds) && (counts != bounds + 1 || counts > MOST_BUCKETS)) return false;
    uint64_t sum = 0;
    for (size_t place = 0; place < counts; place++)
        if (__builtin_add_overflow(sum, fixed64(point->bytes[6].at + 8 * place), &sum)) return false;
    if (counts && sum != number_of(point, 4)) return false;
    for (size_t place = 1; place < bounds; place++) {
        const uint8_t *high = point->bytes[7].at + 8 * place;
        if (!(as_double(high - 8) < as_double(high))) return false;
    }
    scan->exemplars |= has(point, 8);
    return note_time(scan, number_of(point, 3));
}

static bool buckets_hold(Scan *scan, const Fields *buckets) {
    if (!has(buckets, 2)) return true;
    Range counts = buckets->bytes[2];
    for (size_t place = 0; counts.at < counts.end; place++) {
        uint64_t count;
        if (place == MOST_BUCKETS || !read_varint(&counts, &count)) return false;
        if (__builtin_add_overflow(scan->bucket_sum, count, &scan->bucket_sum)) return false;
    }
    return true;
}

static bool exponential_holds(Scan *scan, const Fields *point) {
    uint64_t zigzag = number_of(point, 6), sum = scan->bucket_sum;
    int64_t scale = (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
    scan->bucket_sum = 0;
    if (scale < -20 || scale > 30) return false;
    if (__builtin_add_overflow(sum, number_of(point, 7), &sum) || sum != number_of(point, 4)) return false;
    scan->exemplars |= has(point, 11);
    return note_time(scan, number_of(point, 3));
}

static bool quantile_holds(Scan *scan, const Fields *quantile) {
    (void)scan;
    if (!has(quantile, 1)) return true;
    uint64_t bits = quantile->number[1];
    double share;
    memcpy(&share, &bits, 8);
    return 0 <= share && share <= 1;
}

static bool summary_holds(Scan *scan, const Fields *point) { return note_time(scan, number_of(point, 3)); }

/* A resource without records has no identity; that is the parser's to see to. */
static bool speaker_holds(Scan *scan, const Fields *speaker) {
    if (!scan->last || scan->count == MOST_RESOURCES) return false;
    if (scan->count == scan->room) {
        size_t room = scan->room ? scan->room * 2 : 8;
        Speaker *grown = PyMem_RawRealloc(scan->speakers, room * sizeof *grown);
        if (!grown) return false;
        scan->speakers = grown;
        scan->room = room;
    }
    Speaker *found = &scan->speakers[scan->count++];
    found->resource = has(speaker, 1) ? speaker->bytes[1] : (Range){(const uint8_t *)"", (const uint8_t *)""};
    found->first = scan->first;
    found->last = scan->last;
    scan->first = scan->last = 0;
    return true;
}

/* ---- OTLP's messages: each field by its number ---- */

#define ONE(number, kind) [number] = {kind, false, NULL}
#define ONE_OF(number, message) [number] = {MESSAGE, false, &message}
#define MANY(number, message) [number] = {MESSAGE, true, &message}
#define PAIRS(number) [number] = {PAIR, true, NULL}

static const Message SCOPE = {{ONE(1, TEXT), ONE(2, TEXT), PAIRS(3), ONE(4, UINT32)}, 0, NULL};

static const Message LOG_RECORD = {
    {ONE(1, FIXED64), ONE(2, ENUM), ONE(3, TEXT), ONE(5, VALUE), PAIRS(6), ONE(7, UINT32), ONE(8, FIXED32),
     ONE(9, BYTES), ONE(10, BYTES), ONE(11, FIXED64), ONE(12, TEXT)}, 0, log_holds};

static const Message EVENT = {{ONE(1, FIXED64), ONE(2, TEXT), PAIRS(3), ONE(4, UINT32)}, 0, NULL};
static const Message LINK = {
    {ONE(1, BYTES), ONE(2, BYTES), ONE(3, TEXT), PAIRS(4), ONE(5, UINT32), ONE(6, FIXED32)}, 0, link_holds};
static const Message STATUS = {{ONE(2, TEXT), ONE(3, ENUM)}, 0, NULL};
static const Message SPAN = {
    {ONE(1, BYTES), ONE(2, BYTES), ONE(3, TEXT), ONE(4, BYTES), ONE(5, TEXT), ONE(6, ENUM), ONE(7, FIXED64),
     ONE(8, FIXED64), PAIRS(9), ONE(10, UINT32), MANY(11, EVENT), ONE(12, UINT32), MANY(13, LINK), ONE(14, UINT32),
     ONE_OF(15, STATUS), ONE(16, FIXED32)}, 0, span_holds};

static const Message EXEMPLAR = {
    {ONE(2, FIXED64), ONE(3, FIXED64), ONE(4, BYTES), ONE(5, BYTES), ONE(6, FIXED64), PAIRS(7)}, 1 << 3 | 1 << 6, NULL};
static const Message NUMBER = {
    {ONE(2, FIXED64), ONE(3, FIXED64), ONE(4, FIXED64), MANY(5, EXEMPLAR), ONE(6, FIXED64), PAIRS(7), ONE(8, UINT32)},
    1 << 4 | 1 << 6, number_holds};
static const Message HISTOGRAM_POINT = {
    {ONE(2, FIXED64), ONE(3, FIXED64), ONE(4, FIXED64), ONE(5, FIXED64), ONE(6, PACKED64), ONE(7, PACKED64),
     MANY(8, EXEMPLAR), PAIRS(9), ONE(10, UINT32), ONE(11, FIXED64), ONE(12, FIXED64)}, 0, histogram_holds};
static const Message BUCKETS = {{ONE(1, ZIGZAG32), ONE(2, PACKED_VARINTS)}, 0, buckets_hold};
static const Message EXPONENTIAL_POINT = {
    {PAIRS(1), ONE(2, FIXED64), ONE(3, FIXED64), ONE(4, FIXED64), ONE(5, FIXED64), ONE(6, ZIGZAG32), ONE(7, FIXED64),
     ONE_OF(8, BUCKETS), ONE_OF(9, BUCKETS), ONE(10, UINT32), MANY(11, EXEMPLAR), ONE(12, FIXED64), ONE(13, FIXED64),
     ONE(14, FIXED64)}, 0, exponential_holds};
static const Message QUANTILE = {{ONE(1, FIXED64), ONE(2, FIXED64)}, 0, quantile_holds};
static const Message SUMMARY_POINT = {
    {ONE(2, FIXED64), ONE(3, FIXED64), ONE(4, FIXED64), ONE(5, FIXED64), MANY(6, QUANTILE), PAIRS(7), ONE(8, UINT32)},
    0, summary_holds};
static const Message GAUGE = {{MANY(1, NUMBER)}, 0, NULL};
static const Message SUM = {{MANY(1, NUMBER), ONE(2, ENUM), ONE(3, FLAG)}, 0, NULL};
static const Message HISTOGRAMS = {{MANY(1, HISTOGRAM_POINT), ONE(2, ENUM)}, 0, NULL};
static const Message EXPONENTIALS = {{MANY(1, EXPONENTIAL_POINT), ONE(2, ENUM)}, 0, NULL};
static const Message SUMMARIES = {{MANY(1, SUMMARY_POINT)}, 0, NULL};
static const Message METRIC = {
    {ONE(1, TEXT), ONE(2, TEXT), ONE(3, TEXT), ONE_OF(5, GAUGE), ONE_OF(7, SUM), ONE_OF(9, HISTOGRAMS),
     ONE_OF(10, EXPONENTIALS), ONE_OF(11, SUMMARIES), PAIRS(12)},
    1 << 5 | 1 << 7 | 1 << 9 | 1 << 10 | 1 << 11, metric_holds};

/* A resource is the caller's to look at, once for all requests that have the same. */
#define REQUEST(kind, record)                                                                               \
    static const Message SCOPED_##kind = {{ONE_OF(1, SCOPE), MANY(2, record), ONE(3, TEXT)}, 0, NULL};      \
    static const Message SPEAKER_##kind = {{ONE(1, BYTES), MANY(2, SCOPED_##kind), ONE(3, TEXT)}, 0, speaker_holds}; \
    static const Message REQUEST_##kind = {{MANY(1, SPEAKER_##kind)}, 0, NULL};
REQUEST(LOGS, LOG_RECORD)
REQUEST(METRICS, METRIC)
REQUEST(TRACES, SPAN)

/* ---- for Python ---- */

static const Message *request_of(const char *kind) {
    if (!strcmp(kind, "logs")) return &REQUEST_LOGS;
    if (!strcmp(kind, "metrics")) return &REQUEST_METRICS;
    if (!strcmp(kind, "traces")) return &REQUEST_TRACES;
    PyErr_Format(PyExc_ValueError, "%s: no such kind of request", kind);
    return NULL;
}

static PyObject *speakers_of(const Scan *scan) {
    PyObject *all = PyList_New((Py_ssize_t)scan->count);
    for (size_t place = 0; all && place < scan->count; place++) {
        const Speaker *speaker = &scan->speakers[place];
        PyObject *one = Py_BuildValue("(y#KK)", (const char *)speaker->resource.at,
                                      (Py_ssize_t)left(&speaker->resource), (unsigned long long)speaker->first,
                                      (unsigned long long)speaker->last);
        if (!one) Py_CLEAR(all);
        else PyList_SET_ITEM(all, (Py_ssize_t)place, one);
    }
    return all;
}

static PyObject *scan_request(PyObject *module, PyObject *args) {
    const char *kind;
    Py_buffer body;
    unsigned long long earliest, latest;
    (void)module;
    if (!PyArg_ParseTuple(args, "sy*KK", &kind, &body, &earliest, &latest)) return NULL;
    const Message *message = request_of(kind);
    if (!message) {
        PyBuffer_Release(&body);
        return NULL;
    }
    Range all = {body.buf, (const uint8_t *)body.buf + body.len};
    Scan scan = {.earliest = earliest, .latest = latest};
    /* The caller changes nothing in its argument for as long as this takes. */
    PyThreadState *state = left(&all) >= WITHOUT_GIL_FROM ? PyEval_SaveThread() : NULL;
    bool holds = scan_message(&scan, message, all) && scan.count;
    if (state) PyEval_RestoreThread(state);
    PyObject *speakers = holds ? speakers_of(&scan) : NULL;
    PyMem_RawFree(scan.speakers);
    PyBuffer_Release(&body);
    if (!holds) Py_RETURN_NONE;
    return speakers ? Py_BuildValue("(IN)", scan.marks, speakers) : NULL;
}

/* A part of a scanned request: one resource with its records. `before` and `after` stand around its old resource. */
typedef struct { Range before, after; } Part;

/* Finds the next part; false at the end or where the bytes are not such as the scan let pass. */
static bool next_part(Range *request, Part *part) {
    Range speaker, skipped;
    if (request->at == request->end || *request->at++ != (1 << 3 | 2) || !read_bytes(request, &speaker, false))
        return false;
    part->before = part->after = (Range){speaker.at, speaker.end};
    part->before.end = speaker.at; /* without a resource all of it comes after */
    while (speaker.at < speaker.end) {
        const uint8_t *start = speaker.at;
        uint8_t tag = *speaker.at++;
        if ((tag & 0x87) != 2 || !read_bytes(&speaker, &skipped, false)) return false;
        if (tag != (1 << 3 | 2)) continue;
        part->before.end = start;
        part->after.at = speaker.at;
    }
    return true;
}

static size_t varint_size(uint64_t number) {
    size_t size = 1;
    for (; number > 127; number >>= 7) size++;
    return size;
}

static uint8_t *write_length(uint8_t *to, uint8_t tag, uint64_t length) {
    *to++ = tag;
    for (; length > 127; length >>= 7) *to++ = (uint8_t)(length | 128);
    *to++ = (uint8_t)length;
    return to;
}

static uint8_t *write_bytes(uint8_t *to, const void *from, size_t size) {
    memcpy(to, from, size);
    return to + size;
}

static size_t part_size(const Part *part, size_t resource) {
    return 1 + varint_size(resource) + resource + left(&part->before) + left(&part->after);
}

static uint8_t *write_part(uint8_t *to, const Part *part, PyObject *resource) {
    size_t size = (size_t)PyBytes_GET_SIZE(resource);
    to = write_length(to, 1 << 3 | 2, part_size(part, size));
    to = write_length(to, 1 << 3 | 2, size);
    to = write_bytes(to, PyBytes_AS_STRING(resource), size);
    to = write_bytes(to, part->before.at, left(&part->before));
    return write_bytes(to, part->after.at, left(&part->after));
}

/* The request `all` with these resources. */
static PyObject *exchanged(Range all, PyObject *resources) {
    Py_ssize_t count = PyTuple_GET_SIZE(resources);
    Part part;
    Range rest = all;
    size_t size = 0;
    for (Py_ssize_t place = 0; place < count; place++) {
        PyObject *resource = PyTuple_GET_ITEM(resources, place);
        if (!PyBytes_Check(resource)) return PyErr_Format(PyExc_TypeError, "resources are bytes");
        if (!next_part(&rest, &part)) return PyErr_Format(PyExc_ValueError, "the request holds fewer resources");
        size_t inside = part_size(&part, (size_t)PyBytes_GET_SIZE(resource));
        size += 1 + varint_size(inside) + inside;
    }
    if (rest.at != rest.end) return PyErr_Format(PyExc_ValueError, "the request holds more resources");
    PyObject *made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (!made) return NULL;
    uint8_t *to = (uint8_t *)PyBytes_AS_STRING(made);
    PyThreadState *state = size >= WITHOUT_GIL_FROM ? PyEval_SaveThread() : NULL;
    rest = all;
    for (Py_ssize_t place = 0; place < count && next_part(&rest, &part); place++)
        to = write_part(to, &part, PyTuple_GET_ITEM(resources, place));
    if (state) PyEval_RestoreThread(state);
    return made;
}

static PyObject *with_resources(PyObject *module, PyObject *args) {
    Py_buffer body;
    PyObject *resources;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*O!", &body, &PyTuple_Type, &resources)) return NULL;
    PyObject *made = exchanged((Range){body.buf, (const uint8_t *)body.buf + body.len}, resources);
    PyBuffer_Release(&body);
    return made;
}

static PyMethodDef FUNCTIONS[] = {
    {"scan_request", scan_request, METH_VARARGS,
     "scan_request(kind, body, earliest, latest): marks and resources with their first and last time, or None."},
    {"with_resources", with_resources, METH_VARARGS,
     "with_resources(body, resources): a scanned request with these resources in place of its own."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_otlp_scanning", "One pass over an OTLP request's bytes.", -1, FUNCTIONS,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__otlp_scanning(void) { return PyModule_Create(&MODULE); }
