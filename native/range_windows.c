/* Range functions over the samples of many series at once: what a sliding window holds is found by moving its two ends,
   so that each sample is looked at once or, where a function adds up its window, once for each window that holds it.

   The formulas are those of `rates.py` and `over_time.py`, operation by operation: the answers are the same to the last
   bit but for sums, which are added here as Prometheus adds them. For CPython 3.11 and newer. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define STALE_BITS 0x7ff0000000000002u

typedef enum {
    LATEST, RATE, INCREASE, DELTA, IRATE, IDELTA, CHANGES, RESETS, MIN, MAX, COUNT, LAST, FIRST, SUM, AVG, FUNCTIONS
} Function;
static const char *const NAMES[FUNCTIONS] = {
    "latest", "rate", "increase", "delta", "irate", "idelta", "changes", "resets", "min_over_time", "max_over_time",
    "count_over_time", "last_over_time", "first_over_time", "sum_over_time", "avg_over_time",
};

/* Windows of `length` that end at `first`, then every `step`: open to the left, closed to the right. Times are
   milliseconds after a base that samples and windows share. */
typedef struct { Function function; int64_t first, step, count, length; } Asked;
/* One series, or as much of it as the windows hold. */
typedef struct { const int32_t *times; const double *values; int64_t count; } Samples;
/* Room for a series without its stale markers, for places that are looked for, and how long each is. */
typedef struct { int32_t *times; double *values; int64_t *places; int64_t room; } Spare;

static inline bool is_stale(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == STALE_BITS;
}

/* How many of the samples are at or before a time. */
static int64_t until(const int32_t *times, int64_t count, int64_t time) {
    int64_t low = 0, high = count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (times[middle] <= time) low = middle + 1;
        else high = middle;
    }
    return low;
}

static bool has_room(Spare *spare, int64_t count) {
    if (count <= spare->room) return true;
    int64_t room = count * 2;
    int32_t *times = realloc(spare->times, (size_t)room * sizeof *times);
    if (times) spare->times = times;
    double *values = realloc(spare->values, (size_t)room * sizeof *values);
    if (values) spare->values = values;
    int64_t *places = realloc(spare->places, (size_t)room * sizeof *places);
    if (places) spare->places = places;
    if (!times || !values || !places) return false;
    spare->room = room;
    return true;
}

/* Without stale markers: where there are some, a copy. */
static Samples alive(Samples samples, Spare *spare) {
    int64_t place = 0, kept = 0;
    while (place < samples.count && !is_stale(samples.values[place])) place++;
    if (place == samples.count) return samples;
    for (place = 0; place < samples.count; place++) {
        if (is_stale(samples.values[place])) continue;
        spare->times[kept] = samples.times[place];
        spare->values[kept++] = samples.values[place];
    }
    return (Samples){spare->times, spare->values, kept};
}

/* ---- one window ---- */

/* The difference over a window, extrapolated to its ends as Prometheus does; the samples are at least two. */
static double extrapolated(const Asked *asked, const int32_t *times, const double *values, int64_t count, double change,
                           int64_t end) {
    bool is_counter = asked->function != DELTA;
    double interval = (double)(times[count - 1] - times[0]) / 1000, average = interval / (double)(count - 1);
    double to_start = (double)(times[0] - (end - asked->length)) / 1000;
    double to_end = (double)(end - times[count - 1]) / 1000, threshold = average * 1.1;
    if (to_start >= threshold) to_start = average / 2;
    if (to_end >= threshold) to_end = average / 2;
    if (is_counter && change > 0 && values[0] >= 0) {
        double to_zero = interval * (values[0] / change);
        if (to_zero < to_start) to_start = to_zero;
    }
    double factor = (interval + to_start + to_end) / interval;
    if (asked->function == RATE) factor /= (double)asked->length / 1000;
    return change * factor;
}

static double instant(Function function, const int32_t *times, const double *values, int64_t last) {
    double now = values[last], before = values[last - 1], change = now - before;
    if (function == IDELTA) return change;
    return (now < before ? now : change) / ((double)(times[last] - times[last - 1]) / 1000);
}

/* Neumaier's step (summing.py). */
static inline void increment(double value, double *total, double *rest) {
    double result = *total + value;
    if (isinf(result)) *rest = 0;
    else if (fabs(*total) >= fabs(value)) *rest += (*total - result) + value;
    else *rest += (value - result) + *total;
    *total = result;
}

static double sum(const double *values, int64_t count) {
    double total = 0, rest = 0;
    for (int64_t place = 0; place < count; place++) increment(values[place], &total, &rest);
    return isinf(total) ? total : total + rest;
}

/* Computed step by step from where the sum overflows. */
static double mean(const double *values, int64_t count) {
    double total = values[0], rest = 0, stepwise = 0;
    bool overflown = false;
    for (int64_t place = 1; place < count; place++) {
        double number = (double)(place + 1);
        if (!overflown) {
            double further = total, lost = rest;
            increment(values[place], &further, &lost);
            if (!isinf(further)) {
                total = further;
                rest = lost;
                continue;
            }
            overflown = true;
            stepwise = total / (number - 1);
            rest /= number - 1;
        }
        double share = (number - 1) / number;
        stepwise *= share;
        rest *= share;
        increment(values[place] / number, &stepwise, &rest);
    }
    return overflown ? stepwise + rest : total / (double)count + rest / (double)count;
}

/* ---- all windows of a series ---- */

static inline bool differs(Function function, double before, double now) {
    if (function != CHANGES) return now < before;
    return now != before && !(isnan(now) && isnan(before));
}

/* How many neighbours differ within each window. */
static void turns(const Asked *asked, Samples of, double *values, uint8_t *present) {
    int64_t low = 0, high = 0, inside = 0;
    for (int64_t place = 0; place < asked->count; place++) {
        int64_t end = asked->first + place * asked->step;
        for (; high < of.count && of.times[high] <= end; high++)
            inside += high > low && differs(asked->function, of.values[high - 1], of.values[high]);
        for (; low < high && of.times[low] <= end - asked->length; low++)
            inside -= low + 1 < high && differs(asked->function, of.values[low], of.values[low + 1]);
        present[place] = high > low;
        values[place] = present[place] ? (double)inside : 0;
    }
}

/* The least or greatest number of each window: of those that may yet be it, in the order of time, the first is. */
static void extremes(const Asked *asked, Samples of, Spare *spare, double *values, uint8_t *present) {
    int64_t low = 0, high = 0, head = 0, tail = 0, *waiting = spare->places;
    bool least = asked->function == MIN;
    for (int64_t place = 0; place < asked->count; place++) {
        int64_t end = asked->first + place * asked->step;
        for (; high < of.count && of.times[high] <= end; high++) {
            double now = of.values[high];
            if (isnan(now)) continue;
            while (tail > head && (least ? of.values[waiting[tail - 1]] >= now : of.values[waiting[tail - 1]] <= now))
                tail--;
            waiting[tail++] = high;
        }
        while (low < high && of.times[low] <= end - asked->length) low++;
        while (head < tail && waiting[head] < low) head++;
        present[place] = high > low;
        values[place] = !present[place] ? 0 : head < tail ? of.values[waiting[head]] : NAN;
    }
}

/* `rate`, `increase`, `delta`: with what was lost at the falls within each window. */
static void differences(const Asked *asked, Samples of, Spare *spare, double *values, uint8_t *present) {
    int64_t low = 0, high = 0, falls = 0, head = 0, *fallen = spare->places;
    bool is_counter = asked->function != DELTA;
    for (int64_t place = 0; place < asked->count; place++) {
        int64_t end = asked->first + place * asked->step;
        for (; high < of.count && of.times[high] <= end; high++)
            if (is_counter && high && of.values[high] < of.values[high - 1]) fallen[falls++] = high;
        while (low < high && of.times[low] <= end - asked->length) low++;
        while (head < falls && fallen[head] <= low) head++;
        present[place] = high - low >= 2;
        values[place] = 0;
        if (!present[place]) continue;
        double change = of.values[high - 1] - of.values[low];
        for (int64_t fall = head; fall < falls; fall++) change += of.values[fallen[fall] - 1];
        values[place] = extrapolated(asked, of.times + low, of.values + low, high - low, change, end);
    }
}

/* What is told from a window's samples alone. */
static void singly(const Asked *asked, Samples of, double *values, uint8_t *present) {
    int64_t low = 0, high = 0, least = asked->function == IRATE || asked->function == IDELTA ? 2 : 1;
    for (int64_t place = 0; place < asked->count; place++) {
        int64_t end = asked->first + place * asked->step;
        while (high < of.count && of.times[high] <= end) high++;
        while (low < high && of.times[low] <= end - asked->length) low++;
        int64_t count = high - low;
        present[place] = count >= least;
        values[place] = 0;
        if (!present[place]) continue;
        const double *window = of.values + low;
        switch (asked->function) {
            case LATEST:
                present[place] = !is_stale(window[count - 1]);
                if (present[place]) values[place] = window[count - 1];
                break;
            case IRATE: case IDELTA: values[place] = instant(asked->function, of.times, of.values, high - 1); break;
            case COUNT: values[place] = (double)count; break;
            case FIRST: values[place] = window[0]; break;
            case SUM: values[place] = sum(window, count); break;
            case AVG: values[place] = mean(window, count); break;
            default: values[place] = window[count - 1]; break;
        }
    }
}

/* Returns how many samples the windows lie over, -1 when memory is short. */
static int64_t apply_to(const Asked *asked, Samples of, Spare *spare, double *values, uint8_t *present) {
    int64_t from = until(of.times, of.count, asked->first - asked->length);
    int64_t to = until(of.times, of.count, asked->first + (asked->count - 1) * asked->step);
    if (to < from) to = from;
    of = (Samples){of.times + from, of.values + from, to - from};
    if (!has_room(spare, of.count)) return -1;
    if (asked->function != LATEST) of = alive(of, spare);
    switch (asked->function) {
        case RATE: case INCREASE: case DELTA: differences(asked, of, spare, values, present); break;
        case CHANGES: case RESETS: turns(asked, of, values, present); break;
        case MIN: case MAX: extremes(asked, of, spare, values, present); break;
        default: singly(asked, of, values, present); break;
    }
    return of.count;
}

/* ---- samples as the tables hold them: by series and time ---- */

static int64_t count_runs(const uint64_t *series, int64_t count) {
    int64_t runs = count > 0;
    for (int64_t place = 1; place < count; place++) runs += series[place] != series[place - 1];
    return runs;
}

typedef struct { Py_buffer series, times, numbers, divisors, runs, begins, out_times, out_values; } Table;

/* A number is whole times of its divisor, or the bits of a double (decimals.py). */
static inline double restored(int64_t number, float divisor) {
    double value;
    if (divisor > 0) return (double)number / (double)divisor;
    memcpy(&value, &number, sizeof value);
    return value;
}

/* Times after a base, values, and where each series begins; of two samples of one time the later row counts. How many
   there are, -1 when a time is too far from the base. */
static int64_t gather_all(const Table *table, int64_t base) {
    const uint64_t *series = table->series.buf;
    const int64_t *times = table->times.buf, *numbers = table->numbers.buf;
    const float *divisors = table->divisors.buf;
    uint64_t *runs = table->runs.buf;
    int64_t *begins = table->begins.buf, kept = 0, run = 0, count = table->series.len / 8;
    int32_t *out_times = table->out_times.buf;
    double *out_values = table->out_values.buf;
    for (int64_t place = 0; place < count; place++) {
        int64_t time = times[place] - base;
        if (time > INT32_MAX || time < INT32_MIN) return -1;
        if (!place || series[place] != series[place - 1]) {
            runs[run] = series[place];
            begins[run++] = kept;
        } else if (time == out_times[kept - 1]) {
            kept--;
        }
        out_times[kept] = (int32_t)time;
        out_values[kept++] = restored(numbers[place], divisors[place]);
    }
    begins[run] = kept;
    return kept;
}

/* ---- for Python ---- */

static PyObject *runs(PyObject *module, PyObject *args) {
    Py_buffer series;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*", &series)) return NULL;
    int64_t found;
    Py_BEGIN_ALLOW_THREADS
    found = count_runs(series.buf, series.len / 8);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&series);
    return PyLong_FromLongLong(found);
}

static PyObject *gather(PyObject *module, PyObject *args) {
    Table table;
    long long base;
    int64_t kept = -2;
    (void)module;
    memset(&table, 0, sizeof table);
    if (!PyArg_ParseTuple(args, "y*y*y*y*Lw*w*w*w*", &table.series, &table.times, &table.numbers, &table.divisors, &base,
                          &table.runs, &table.begins, &table.out_times, &table.out_values)) return NULL;
    Py_ssize_t count = table.series.len / 8;
    if (table.times.len == count * 8 && table.numbers.len == count * 8 && table.divisors.len == count * 4
        && table.out_times.len == count * 4 && table.out_values.len == count * 8
        && table.runs.len / 8 == count_runs(table.series.buf, count) && table.begins.len == table.runs.len + 8) {
        Py_BEGIN_ALLOW_THREADS
        kept = gather_all(&table, base);
        Py_END_ALLOW_THREADS
    }
    Py_buffer *all[] = {&table.series, &table.times, &table.numbers, &table.divisors, &table.runs, &table.begins,
                        &table.out_times, &table.out_values};
    for (size_t place = 0; place < sizeof all / sizeof *all; place++) PyBuffer_Release(all[place]);
    if (kept == -2) PyErr_SetString(PyExc_ValueError, "arrays that do not fit");
    if (kept == -1) PyErr_SetString(PyExc_OverflowError, "samples are too far apart");
    return kept < 0 ? NULL : PyLong_FromLongLong(kept);
}

typedef struct { Py_buffer times, values, begins, ends, rows, out, present; } Given;

static bool fit(const Given *given, const Asked *asked) {
    Py_ssize_t rows = given->rows.len / 8, cells = rows * (Py_ssize_t)asked->count;
    if (asked->count < 1 || given->begins.len != given->ends.len || given->times.len / 4 != given->values.len / 8
        || given->out.len != cells * 8 || given->present.len != cells) return false;
    const int64_t *row = given->rows.buf, *begins = given->begins.buf, *ends = given->ends.buf;
    int64_t all = given->begins.len / 8, samples = given->values.len / 8;
    for (Py_ssize_t place = 0; place < rows; place++) {
        if (row[place] < 0 || row[place] >= all) return false;
        int64_t begin = begins[row[place]], end = ends[row[place]];
        if (begin < 0 || end < begin || end > samples) return false;
    }
    return true;
}

static int64_t apply_all(const Given *given, const Asked *asked) {
    Spare spare = {0};
    int64_t samples = 0, found = 0;
    const int64_t *row = given->rows.buf, *begins = given->begins.buf, *ends = given->ends.buf;
    Py_ssize_t rows = given->rows.len / 8;
    for (Py_ssize_t place = 0; place < rows && found >= 0; place++) {
        int64_t begin = begins[row[place]], cells = place * asked->count;
        Samples of = {(const int32_t *)given->times.buf + begin, (const double *)given->values.buf + begin,
                      ends[row[place]] - begin};
        found = apply_to(asked, of, &spare, (double *)given->out.buf + cells, (uint8_t *)given->present.buf + cells);
        samples += found;
    }
    free(spare.times);
    free(spare.values);
    free(spare.places);
    return found < 0 ? -1 : samples;
}

static PyObject *apply(PyObject *module, PyObject *args) {
    const char *name;
    Given given;
    Asked asked = {.function = 0};
    long long first, step, count, length;
    (void)module;
    memset(&given, 0, sizeof given);
    if (!PyArg_ParseTuple(args, "sy*y*y*y*y*LLLLw*w*", &name, &given.times, &given.values, &given.begins, &given.ends,
                          &given.rows, &first, &step, &count, &length, &given.out, &given.present)) return NULL;
    while (asked.function < FUNCTIONS && strcmp(name, NAMES[asked.function])) asked.function++;
    asked.first = first;
    asked.step = step;
    asked.count = count;
    asked.length = length;
    int64_t samples = -2;
    if (asked.function < FUNCTIONS && step > 0 && fit(&given, &asked)) {
        Py_BEGIN_ALLOW_THREADS
        samples = apply_all(&given, &asked);
        Py_END_ALLOW_THREADS
    }
    Py_buffer *all[] = {&given.times, &given.values, &given.begins, &given.ends, &given.rows, &given.out, &given.present};
    for (size_t place = 0; place < sizeof all / sizeof *all; place++) PyBuffer_Release(all[place]);
    if (samples == -2) PyErr_Format(PyExc_ValueError, "%s: no such function, or arrays that do not fit", name);
    if (samples == -1) PyErr_NoMemory();
    return samples < 0 ? NULL : PyLong_FromLongLong(samples);
}

static PyMethodDef METHODS[] = {
    {"runs", runs, METH_VARARGS, "runs(series): how many series there are in a column that is sorted by them."},
    {"gather", gather, METH_VARARGS,
     "gather(series, times, numbers, divisors, base, runs, begins, out_times, out_values): how many samples there are."},
    {"apply", apply, METH_VARARGS,
     "apply(function, times, values, begins, ends, rows, first, step, count, length, out, present): how many samples."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_range_windows", "Range functions over the samples of many series.", -1, METHODS,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__range_windows(void) { return PyModule_Create(&MODULE); }
