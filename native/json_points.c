/* Range queries' answers as Prometheus' JSON: a matrix of numbers and the time of each step become `[time,"number"]`.
   The shortest digits that give a number back come from outside (orjson makes them in Rust); here they are told apart,
   written as Go writes them, without an exponent, and put between the times. For CPython 3.11 and newer. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A number takes so many bytes at most: 1e-323 has 323 zeros and 17 digits. */
#define LONGEST 400

typedef struct { char *at; size_t used, room; } Text;
typedef struct { const char *at; Py_ssize_t length; } Piece;

static bool has_room(Text *text, size_t more) {
    if (text->used + more <= text->room) return true;
    size_t room = (text->used + more) * 2;
    char *at = realloc(text->at, room);
    if (!at) return false;
    text->at = at;
    text->room = room;
    return true;
}

static inline void put(Text *text, const char *from, size_t length) {
    memcpy(text->at + text->used, from, length);
    text->used += length;
}

/* `digits` with a point somewhere, times ten to the power of `exponent`. */
static void put_expanded(Text *text, const char *from, const char *end, int exponent) {
    char digits[32];
    int count = 0, whole = 0;
    bool after = false;
    for (; from < end; from++) {
        if (*from == '.') after = true;
        else if (count < (int)sizeof digits) {
            digits[count++] = *from;
            whole += !after;
        }
    }
    while (count > 1 && digits[count - 1] == '0' && count > whole) count--;
    int point = whole + exponent;
    char *to = text->at + text->used;
    if (point <= 0) {
        *to++ = '0';
        *to++ = '.';
        for (int place = point; place < 0; place++) *to++ = '0';
        memcpy(to, digits, (size_t)count);
        to += count;
    } else {
        for (int place = 0; place < point || place < count; place++) {
            if (place == point) *to++ = '.';
            *to++ = place < count ? digits[place] : '0';
        }
    }
    text->used = (size_t)(to - text->at);
}

static void put_number(Text *text, const char *from, const char *end, double value) {
    if (isnan(value)) { put(text, "NaN", 3); return; }
    if (isinf(value)) { put(text, value > 0 ? "+Inf" : "-Inf", 4); return; }
    const char *exponent = memchr(from, 'e', (size_t)(end - from));
    if (!exponent) {
        if (end - from > 2 && end[-1] == '0' && end[-2] == '.') end -= 2;
        put(text, from, (size_t)(end - from));
        return;
    }
    if (*from == '-') {
        put(text, from, 1);
        from++;
    }
    put_expanded(text, from, exponent, atoi(exponent + 1));
}

typedef struct {
    Piece *heads, *times;
    Py_ssize_t rows, steps;
    const double *values;
    const uint8_t *present;
    const char *numbers, *end;
} Asked;

/* False when memory is short or the numbers are fewer than those present. */
static bool write_row(const Asked *asked, Py_ssize_t row, const char **number, Text *text) {
    const double *values = asked->values + row * asked->steps;
    const uint8_t *present = asked->present + row * asked->steps;
    if (!has_room(text, (size_t)asked->heads[row].length + 8)) return false;
    if (row) put(text, ",", 1);
    put(text, asked->heads[row].at, (size_t)asked->heads[row].length);
    bool begun = false;
    for (Py_ssize_t step = 0; step < asked->steps; step++) {
        if (!present[step]) continue;
        const char *end = memchr(*number, ',', (size_t)(asked->end - *number));
        if (!end) end = asked->end;
        if (end == *number || end - *number > 40) return false;
        if (!has_room(text, (size_t)asked->times[step].length + LONGEST)) return false;
        if (begun) put(text, ",", 1);
        begun = true;
        put(text, asked->times[step].at, (size_t)asked->times[step].length);
        put_number(text, *number, end, values[step]);
        put(text, "\"]", 2);
        *number = end < asked->end ? end + 1 : end;
    }
    put(text, "]}", 2);
    return true;
}

static bool write_all(const Asked *asked, Text *text) {
    const char *number = asked->numbers;
    for (Py_ssize_t row = 0; row < asked->rows; row++)
        if (!write_row(asked, row, &number, text)) return false;
    return number == asked->end;
}

static Piece *pieces_of(PyObject *list, Py_ssize_t *count) {
    *count = PyList_GET_SIZE(list);
    Piece *pieces = malloc(((size_t)*count + 1) * sizeof *pieces);
    if (!pieces) return (Piece *)PyErr_NoMemory();
    for (Py_ssize_t place = 0; place < *count; place++) {
        char *at;
        if (PyBytes_AsStringAndSize(PyList_GET_ITEM(list, place), &at, &pieces[place].length)) {
            free(pieces);
            return NULL;
        }
        pieces[place].at = at;
    }
    return pieces;
}

static PyObject *written(Asked *asked, PyObject *numbers, Py_buffer *values, Py_buffer *present) {
    char *text;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(numbers, &text, &length)) return NULL;
    if (values->len != asked->rows * asked->steps * 8 || present->len != asked->rows * asked->steps || length < 2)
        return PyErr_Format(PyExc_ValueError, "arrays that do not fit");
    asked->numbers = text + 1;
    asked->end = text + length - 1;
    asked->values = values->buf;
    asked->present = present->buf;
    Text result = {0};
    bool good;
    Py_BEGIN_ALLOW_THREADS
    good = has_room(&result, (size_t)length + (size_t)length / 2 + 64) && write_all(asked, &result);
    Py_END_ALLOW_THREADS
    PyObject *bytes = good ? PyBytes_FromStringAndSize(result.at, (Py_ssize_t)result.used) : NULL;
    free(result.at);
    if (!good) PyErr_SetString(PyExc_ValueError, "the numbers are not as many as are present");
    return bytes;
}

/* Lists and bytes are held by the caller's arguments, and nobody changes them while the lock is let go. */
static PyObject *rows(PyObject *module, PyObject *args) {
    PyObject *heads, *times, *numbers, *result = NULL;
    Py_buffer values, present;
    Asked asked = {0};
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!Oy*y*", &PyList_Type, &heads, &PyList_Type, &times, &numbers, &values, &present))
        return NULL;
    asked.heads = pieces_of(heads, &asked.rows);
    asked.times = asked.heads ? pieces_of(times, &asked.steps) : NULL;
    if (asked.times) result = written(&asked, numbers, &values, &present);
    free(asked.heads);
    free(asked.times);
    PyBuffer_Release(&values);
    PyBuffer_Release(&present);
    return result;
}

static PyMethodDef METHODS[] = {
    {"rows", rows, METH_VARARGS,
     "rows(heads, times, numbers, values, present): series as JSON with commas between them; `heads` ends with the "
     "bracket of the values, `times` are `[time,\"`, `numbers` is a JSON list of the values that are present."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, "_json_points", "Matrices as Prometheus' JSON.", -1, METHODS, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__json_points(void) { return PyModule_Create(&MODULE); }
