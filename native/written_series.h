/* Samples of Prometheus remote write requests (1.0, as the journal holds them) as rows of series: a row is a set of labels
   with all its samples of the segment. Included by segment_rows.c, after metric_series.h. */

#define SERIES_START 100 /* our own field: since when a series counts */
#define HISTOGRAMS 4

typedef struct { uint32_t name; Range value; } Label;

static inline Label *label_at(size_t place) { return (Label *)(void *)now.labels.at + place; }

static bool read_label(Range bytes, Label *label) {
    static const uint8_t NOTHING[1];
    Range name = {NOTHING, NOTHING};
    label->value = name;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (fields.field == 1 && !set_bytes(&fields, &name)) return false;
        if (fields.field == 2 && !set_bytes(&fields, &label->value)) return false;
    }
    return find_word(&now.words[KEYS], name, &label->name, NULL);
}

/* What a new series is called, from its key: each label with its length before it. */
static bool read_set(const Word *key, Series *series) {
    const uint8_t *end = key->at + key->length;
    uint32_t guess = 0;
    series->label = (uint32_t)(now.labels.used / sizeof(Label));
    for (const uint8_t *at = key->at; at < end; series->labels++) {
        uint32_t length;
        memcpy(&length, at, sizeof length);
        at += sizeof length;
        Label label = {.name = guess};
        if (!read_label((Range){at, at + length}, &label)) return false;
        Label *added = extend(&now.labels, sizeof *added);
        if (!added) return false;
        *added = label;
        guess = label.name + 1;
        now.streams[MAP_VALUES].size += varint_size(left(&label.value)) + left(&label.value);
        at += length;
    }
    return true;
}

static bool read_sample(Range bytes, uint32_t number, uint64_t start) {
    Point point = {.series = number, .start = start};
    uint64_t bits = 0;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (fields.field == 1) {
            if (!once(&fields, 1)) return false;
            bits = fields.number;
        } else if (fields.field == 2) {
            if (!once(&fields, 0) || fields.number > INT64_MAX) return false;
            point.time = fields.number;
        }
    }
    Series *series = series_at(number);
    if (point.time < series->first) series->first = point.time;
    if (point.time > series->last) series->last = point.time;
    return add_point(&point, bits);
}

/* Labels and start may stand behind the samples. Histograms are left to the engine. */
static bool read_written(Range bytes) {
    uint64_t start = 0;
    uint32_t number;
    bool good = true, sampled = false;
    now.key.used = 0;
    EACH(fields, bytes) {
        if (!next_field(&fields) || fields.field == HISTOGRAMS) return false;
        if (fields.field <= 2 && fields.type != 2) return false;
        if (fields.field == 1) add_label(&now.key, fields.bytes, &good);
        sampled |= fields.field == 2;
        if (fields.field == SERIES_START) {
            if (fields.type != 0 || fields.number > INT64_MAX) return false;
            start = fields.number;
        }
        if (!good) return false;
    }
    if (!sampled) return true;
    if (!find_series(&number, read_set)) return false;
    EACH(samples, bytes) {
        if (!next_field(&samples)) return false;
        if (samples.field == 2 && !read_sample(samples.bytes, number, start)) return false;
    }
    return true;
}

static bool arrange_written(void) {
    if (!arrange_points()) return false;
    now.streams[MAP_ENDS].size = 8 * series_read();
    now.words[KEYS].places = now.labels.used / sizeof(Label);
    return true;
}

static void put_written(void) {
    uint64_t labels = 0, points = 0;
    for (uint32_t place = 0; place < series_read(); place++) {
        const Series *series = series_at(place);
        for (uint32_t which = series->label; which < series->label + series->labels; which++) {
            const Label *label = label_at(which);
            put_word(&now.words[KEYS], label->name);
            put_counted(&now.streams[MAP_VALUES], label->value.at, left(&label->value));
        }
        put64(&now.streams[MAP_ENDS], labels += series->labels);
        put64(&now.streams[FIRST], series->first);
        put64(&now.streams[LAST], series->last);
        put_points(series);
        put64(&now.streams[POINTS], points += series->points);
    }
}
