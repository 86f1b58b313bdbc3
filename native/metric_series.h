/* Points of OTLP metrics as rows of series: a row is a series of the segment with all its numbers, so that what tells one
   series from another is hashed by the engine once for each, not for each number. Included by segment_rows.c. */

#define MOST_POINTS 4000000

typedef struct {
    uint64_t identity;
    uint32_t scope_name, scope_version, name, unit, description, type;
    uint8_t temporality, monotonic;
} Metric;
/* `next` is which came after it last time. */
typedef struct {
    uint64_t first, last;
    Attributes attributes;
    uint32_t points, start, next;
    uint32_t label, labels; /* of remote write: the first of them, and how many */
} Series;
typedef struct { uint64_t time, start; int64_t number; float divisor; uint32_t series; } Point;

static inline Series *series_at(uint32_t place) { return (Series *)(void *)now.series.at + place; }

/* The kinds of metrics by their field numbers, and which field of their points holds the attributes. */
static const struct { uint8_t field, attributes; bool numbers; const char *name; } METRIC_KINDS[] = {
    {5, 7, true, "gauge"}, {7, 7, true, "sum"}, {9, 9, false, "histogram"}, {10, 1, false, "exponential_histogram"},
    {11, 7, false, "summary"},
};
#define METRIC_KINDS_COUNT (sizeof METRIC_KINDS / sizeof *METRIC_KINDS)
#define STALE 0x7ff0000000000002u
#define MILLISECOND 1000000u

/* A value as a whole number and what it was multiplied by (src/pilothouse/signals/metrics/decimals.py). */
static void set_number(Point *point, uint64_t bits) {
    static const double DIVISORS[] = {1, 100, 1000, 1000000, 1000000000};
    double value;
    memcpy(&value, &bits, 8);
    memcpy(&point->number, &bits, 8);
    point->divisor = bits == STALE ? -1 : 0;
    if (bits == STALE || bits == (uint64_t)1 << 63) return;
    for (size_t place = 0; place < sizeof DIVISORS / sizeof *DIVISORS; place++) {
        double divisor = DIVISORS[place], most = (double)(((uint64_t)1 << 53) / (uint64_t)divisor);
        double whole = rint(value * divisor);
        if (!(fabs(value) <= most) || whole / divisor != value) continue;
        point->divisor = (float)divisor;
        point->number = (int64_t)whole;
        return;
    }
}

static inline void add_label(Buffer *key, Range label, bool *good) {
    uint32_t length = (uint32_t)left(&label);
    uint8_t *to = extend(key, sizeof length + length);
    *good = to != NULL;
    if (!to) return;
    memcpy(to, &length, sizeof length);
    if (length) memcpy(to + sizeof length, label.at, length);
}

/* What a new series is called, from its key: the number of its metric, then each attribute with its length before it. */
static bool read_labels(const Word *key, Series *series) {
    const uint8_t *end = key->at + key->length;
    for (const uint8_t *at = key->at + sizeof(uint32_t); at < end;) {
        uint32_t length;
        memcpy(&length, at, sizeof length);
        at += sizeof length;
        if (!read_pair(&now.read, &now.own, (Range){at, at + length}, &series->attributes)) return false;
        now.streams[LABEL].size += varint_size(length) + length;
        at += length;
    }
    return end_attributes(&now.read, &now.own, &series->attributes, 1);
}

/* The series of the key that was put together, in `*number`; `read` is asked what a new one is called. */
static bool find_series(uint32_t *number, bool (*read)(const Word *, Series *)) {
    Range key = {now.key.at, now.key.at + now.key.used};
    uint32_t before = now.last_series, known = now.series_words.count;
    *number = before < known ? series_at(before)->next : 0;
    if (!find_word(&now.series_words, key, number, &now.read.kept)) return false;
    if (before < known) series_at(before)->next = *number;
    now.last_series = *number;
    if (now.series_words.count == known) return true;
    Series *added = extend(&now.series, sizeof *added);
    if (!added) return false;
    *added = (Series){.first = UINT64_MAX};
    return read(word(&now.series_words, *number), added);
}

/* A number of a series that is known. */
static bool add_point(Point *point, uint64_t bits) {
    if (point->time < now.oldest) now.oldest = point->time;
    set_number(point, bits);
    Point *added = now.points.used / sizeof *added < MOST_POINTS ? extend(&now.points, sizeof *added) : NULL;
    if (!added) return false;
    *added = *point;
    series_at(point->series)->points++;
    return true;
}

static bool read_point(Range bytes, uint32_t metric, size_t kind) {
    Point point = {0};
    uint32_t flags = 0;
    uint64_t bits = 0;
    bool numbers = METRIC_KINDS[kind].numbers, good = true;
    now.key.used = 0;
    uint8_t *to = extend(&now.key, sizeof metric);
    if (!to) return false;
    memcpy(to, &metric, sizeof metric);
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (fields.field == METRIC_KINDS[kind].attributes) {
            if (fields.type != 2) return false;
            add_label(&now.key, fields.bytes, &good);
        } else if (fields.field == 3) {
            good = set_time(&fields, &point.time);
        } else if (numbers) {
            switch (fields.field) {
                case 2: good = set_time(&fields, &point.start); break;
                case 4: good = once(&fields, 1); bits = fields.number; break;
                case 6: {
                    double whole = (double)(int64_t)fields.number;
                    good = once(&fields, 1);
                    memcpy(&bits, &whole, 8);
                    break;
                }
                case 8: good = set32(&fields, 0, &flags); break;
                default: break;
            }
        }
        if (!good) return false;
        if (numbers && (fields.seen >> 4 & fields.seen >> 6 & 1)) return false; /* two values */
    }
    if (!find_series(&point.series, read_labels)) return false;
    point.time /= MILLISECOND;
    point.start /= MILLISECOND;
    Series *series = series_at(point.series);
    if (point.time < series->first) series->first = point.time;
    if (point.time > series->last) series->last = point.time;
    if (!numbers) return true;
    return add_point(&point, flags & 1 ? STALE : bits);
}

/* Points come after what is said of all of them, wherever it stood. */
static bool read_points(Range bytes, Metric *metric, size_t kind) {
    uint32_t number = now.metric_words.count ? now.metric_words.count - 1 : 0;
    uint8_t monotonic = 0;
    bool temporal = METRIC_KINDS[kind].field != 5 && METRIC_KINDS[kind].field != 11;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (temporal && fields.field == 2 && !(set_byte(&fields, &metric->temporality) && fields.number < 256))
            return false;
        if (METRIC_KINDS[kind].field == 7 && fields.field == 3 && !(set_byte(&fields, &monotonic) && monotonic < 2))
            return false;
    }
    metric->monotonic = monotonic;
    const uint8_t *key = (const uint8_t *)metric;
    uint32_t known = now.metric_words.count;
    if (!find_word(&now.metric_words, (Range){key, key + sizeof *metric}, &number, &now.read.kept)) return false;
    if (now.metric_words.count > known) {
        Metric *added = extend(&now.metrics, sizeof *added);
        if (!added) return false;
        memcpy(added, metric, sizeof *added);
    }
    EACH(points, bytes) {
        if (!next_field(&points)) return false;
        if (points.field == 1 && !(points.type == 2 && read_point(points.bytes, number, kind))) return false;
    }
    return true;
}

static bool read_metric(Range bytes) {
    const Scope *scope = scope_at(now.scopes.used / sizeof(Scope) - 1);
    Metric metric;
    memset(&metric, 0, sizeof metric);
    metric.identity = ((Speaker *)(void *)now.speakers.at)[scope->speaker].identity;
    metric.scope_name = scope->name;
    metric.scope_version = scope->version;
    Range points = {bytes.at, bytes.at};
    size_t kind = METRIC_KINDS_COUNT;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        bool good = true;
        switch (fields.field) {
            case 1: good = set_word(&fields, NAME, &metric.name); break;
            case 2: good = set_word(&fields, DESCRIPTION, &metric.description); break;
            case 3: good = set_word(&fields, UNIT, &metric.unit); break;
            default: break;
        }
        for (size_t place = 0; good && place < METRIC_KINDS_COUNT; place++) {
            if (METRIC_KINDS[place].field != fields.field) continue;
            good = kind == METRIC_KINDS_COUNT && set_bytes(&fields, &points);
            kind = place;
        }
        if (!good) return false;
    }
    if (kind == METRIC_KINDS_COUNT) return true;
    const uint8_t *type = (const uint8_t *)METRIC_KINDS[kind].name;
    return find_word(&now.words[TYPE], (Range){type, type + strlen(METRIC_KINDS[kind].name)}, &metric.type, NULL)
        && read_points(points, &metric, kind);
}

static size_t series_read(void) { return now.series_words.count; }

/* Where the numbers of each series are to stand, and how long their columns are. */
static bool arrange_points(void) {
    size_t points = now.points.used / sizeof(Point), all = series_read();
    uint32_t *order = extend(&now.order, (points + 1) * sizeof *order), start = 0;
    if (!order) return false;
    for (uint32_t place = 0; place < all; place++) {
        series_at(place)->start = start;
        start += series_at(place)->points;
        series_at(place)->points = 0;
    }
    for (uint32_t place = 0; place < points; place++) {
        Series *series = series_at(((Point *)(void *)now.points.at)[place].series);
        order[series->start + series->points++] = place;
    }
    static const uint8_t EIGHT[] = {FIRST, LAST, POINTS};
    for (size_t place = 0; place < sizeof EIGHT; place++) now.streams[EIGHT[place]].size = 8 * all;
    now.streams[POINT_TIME].size = now.streams[POINT_START].size = now.streams[NUMBER].size = 8 * points;
    now.streams[DIVISOR].size = 4 * points;
    return true;
}

static bool arrange_series(void) {
    if (!arrange_points()) return false;
    size_t all = series_read();
    static const uint8_t ONCE[] = {SCOPE_NAME, SCOPE_VERSION, NAME, UNIT, DESCRIPTION, TYPE};
    for (size_t place = 0; place < sizeof ONCE; place++) now.words[ONCE[place]].places = all;
    now.streams[IDENTITY].size = now.streams[LABELS].size = 8 * all;
    now.streams[TEMPORALITY].size = now.streams[MONOTONIC].size = all;
    return true;
}

static void put_labels(Range key, uint64_t *written) {
    while (key.at < key.end) {
        uint32_t length;
        memcpy(&length, key.at, sizeof length);
        put_counted(&now.streams[LABEL], key.at + sizeof length, length);
        key.at += sizeof length + length;
        ++*written;
    }
    put64(&now.streams[LABELS], *written);
}

static void put_points(const Series *series) {
    Stream *streams = now.streams;
    const uint32_t *order = (const uint32_t *)(void *)now.order.at;
    for (uint32_t which = series->start; which < series->start + series->points; which++) {
        const Point *point = (const Point *)(void *)now.points.at + order[which];
        uint32_t divisor;
        memcpy(&divisor, &point->divisor, sizeof divisor);
        put64(&streams[POINT_TIME], point->time);
        put64(&streams[POINT_START], point->start);
        put64(&streams[NUMBER], (uint64_t)point->number);
        put32(&streams[DIVISOR], divisor);
    }
}

static void put_series(void) {
    Stream *streams = now.streams;
    uint64_t labels = 0, points = 0;
    for (uint32_t place = 0; place < series_read(); place++) {
        const Word *key = word(&now.series_words, place);
        const Series *series = series_at(place);
        uint32_t number;
        memcpy(&number, key->at, sizeof number);
        const Metric *metric = (const Metric *)(void *)now.metrics.at + number;
        put64(&streams[IDENTITY], metric->identity);
        put_word(&now.words[SCOPE_NAME], metric->scope_name);
        put_word(&now.words[SCOPE_VERSION], metric->scope_version);
        put_word(&now.words[NAME], metric->name);
        put_word(&now.words[UNIT], metric->unit);
        put_word(&now.words[DESCRIPTION], metric->description);
        put_word(&now.words[TYPE], metric->type);
        put8(&streams[TEMPORALITY], metric->temporality);
        put8(&streams[MONOTONIC], metric->monotonic);
        put_labels((Range){key->at + sizeof number, key->at + key->length}, &labels);
        put_attributes(&now.read, &now.own, &series->attributes);
        put64(&streams[FIRST], series->first);
        put64(&streams[LAST], series->last);
        put_points(series);
        put64(&streams[POINTS], points += series->points);
    }
}
