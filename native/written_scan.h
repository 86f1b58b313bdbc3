/* The usual request of Prometheus remote write, looked at as it comes: series with their names, in the order that the protocol
   wants, and samples within bounds of time. Anything else is for others to look at. Included by segment_rows.c. */

/* Labels by name, so that none is there twice; one of them is the series' name. */
static bool is_usual_label(Range bytes, Range *before, bool *named) {
    static const char NAME_LABEL[] = "__name__";
    Range name = {0}, value = {0};
    EACH(fields, bytes) {
        if (!next_field(&fields) || fields.field > 2) return false;
        if (!set_bytes(&fields, fields.field == 1 ? &name : &value)) return false;
    }
    size_t shorter = left(&name) < left(before) ? left(&name) : left(before);
    int order = shorter ? memcmp(before->at, name.at, shorter) : 0;
    if (!left(&name) || order > 0 || (!order && left(before) >= left(&name))) return false;
    *before = name;
    *named |= left(&name) == sizeof NAME_LABEL - 1 && !memcmp(name.at, NAME_LABEL, sizeof NAME_LABEL - 1);
    return is_text(name) && is_text(value);
}

static bool is_usual_sample(Range bytes, int64_t first, int64_t last) {
    int64_t time = 0;
    EACH(fields, bytes) {
        if (!next_field(&fields) || fields.field > 2 || !once(&fields, fields.field == 1 ? 1 : 0)) return false;
        if (fields.field == 2) time = (int64_t)fields.number;
    }
    return first <= time && time <= last;
}

#define MOST_LABELS 500

static bool is_usual_series(Range bytes, int64_t first, int64_t last, size_t *samples) {
    Range before = {0};
    bool named = false;
    size_t labels = 0;
    EACH(fields, bytes) {
        if (!next_field(&fields)) return false;
        if (fields.field == 1) {
            if (fields.type != 2 || ++labels > MOST_LABELS || !is_usual_label(fields.bytes, &before, &named)) return false;
        } else if (fields.field == 2) {
            if (fields.type != 2 || !is_usual_sample(fields.bytes, first, last)) return false;
            ++*samples;
        } else if (fields.field != SERIES_START || fields.type != 0 || fields.number > INT64_MAX) {
            return false;
        }
    }
    return named;
}

/* How many samples there are; -1 when not all is as usual. */
static Py_ssize_t usual_samples(Range bytes, int64_t first, int64_t last) {
    size_t samples = 0;
    EACH(fields, bytes) {
        if (!next_field(&fields) || fields.field != 1 || fields.type != 2) return -1;
        if (!is_usual_series(fields.bytes, first, last, &samples)) return -1;
    }
    return (Py_ssize_t)samples;
}
