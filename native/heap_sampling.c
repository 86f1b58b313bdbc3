/* Which stacks hold the memory of Python's objects, from a sample of the allocations.
 *
 * The two allocators that Python's objects come from (PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ) are wrapped. What is
 * allocated is counted down, and about once in `interval` bytes the block at hand is noted with the stack that asked
 * for it, until it is freed. Distances are exponential, so that a block of s bytes is noted with the probability
 * 1 - exp(-s / interval); it stands for as many as that one divided by it: sums are right on average, whatever the
 * sizes, as in Go's and tcmalloc's heap profiles (https://github.com/google/tcmalloc/blob/master/docs/sampling.md).
 *
 * Both allocators are only called with the GIL held (https://docs.python.org/3/c-api/memory.html), and nothing here
 * releases it. What is noted lies in memory of the C library, which is not counted. Looking at the stack makes frame
 * objects, so garbage collection, which would run other people's code in the middle of an allocation, is held off.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef Py_GIL_DISABLED
#error "without the GIL these allocators are called by several threads at once"
#endif
#if PY_VERSION_HEX < 0x030B0200
#error "before 3.11.2 frames can be seen while they are torn down (python/cpython issue 99729)"
#endif

#define MOST_FRAMES 64
#define SLOT_BITS 14
#define SLOTS (1 << SLOT_BITS)

typedef struct {
    PyCodeObject *code;
    int line;
} Frame;

/* Who asked for memory, leaf first, and what is held of it. */
typedef struct Stack {
    struct Stack *next;
    uint64_t hash;
    size_t notes;
    double blocks, bytes, new_blocks, new_bytes;
    int depth;
    Frame frames[];
} Stack;

/* A block that was noted, and the numbers that it stands for. */
typedef struct Note {
    struct Note *next;
    void *address;
    Stack *stack;
    double blocks, bytes;
} Note;

static Note *notes[SLOTS];
/* Whether a slot of `notes` has any: 16 KiB stay in the cache, where the pointers would not. */
static uint8_t noted[SLOTS];
static Stack *stacks[SLOTS];
static PyMemAllocatorEx inner_mem, inner_obj;
static int running, busy, taking;
static double interval = 512 * 1024;
static int64_t left = INT64_MAX;
static uint64_t dice = 0x9E3779B97F4A7C15u;

static inline size_t
slot_of(const void *address)
{
    /* Asked at each free: blocks are 16 bytes apart, and more would cost more than it would spread. */
    return ((uintptr_t)address >> 4) & (SLOTS - 1);
}

static int64_t
distance(void)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    double uniform = ((double)(dice >> 11) + 1.0) / 9007199254740993.0;
    double drawn = -log(uniform) * interval;
    return drawn < 1 ? 1 : (int64_t)drawn;
}

static __attribute__((noinline)) void
forget(void *address)
{
    size_t slot = slot_of(address);
    for (Note **place = &notes[slot]; *place; place = &(*place)->next) {
        Note *note = *place;
        if (note->address != address) {
            continue;
        }
        *place = note->next;
        noted[slot] = notes[slot] != NULL;
        note->stack->blocks -= note->blocks;
        note->stack->bytes -= note->bytes;
        note->stack->notes--;
        free(note);
        return;
    }
}

/* The frames of the thread that runs, leaf first; references to their code are the caller's. */
static int
frames_of(PyThreadState *thread, Frame *frames)
{
    int depth = 0;
    PyFrameObject *frame = PyThreadState_GetFrame(thread);
    while (frame != NULL && depth < MOST_FRAMES) {
        frames[depth].code = PyFrame_GetCode(frame);
        frames[depth++].line = PyFrame_GetLineNumber(frame);
        PyFrameObject *back = PyFrame_GetBack(frame);
        Py_DECREF(frame);
        frame = back;
    }
    Py_XDECREF(frame);
    return depth;
}

static Stack *
interned(const Frame *frames, int depth)
{
    uint64_t hash = (uint64_t)depth;
    for (int i = 0; i < depth; i++) {
        hash = (hash ^ (uint64_t)(uintptr_t)frames[i].code) * 0x9E3779B97F4A7C15u;
        hash = (hash ^ (hash >> 29) ^ (uint64_t)(uint32_t)frames[i].line) * 0xBF58476D1CE4E5B9u;
    }
    size_t slot = hash >> (64 - SLOT_BITS);
    for (Stack *stack = stacks[slot]; stack; stack = stack->next) {
        if (stack->hash != hash || stack->depth != depth) {
            continue;
        }
        int same = 1;
        for (int i = 0; same && i < depth; i++) {
            same = stack->frames[i].code == frames[i].code && stack->frames[i].line == frames[i].line;
        }
        if (same) {
            return stack;
        }
    }
    Stack *made = calloc(1, sizeof(Stack) + (size_t)depth * sizeof(Frame));
    if (made == NULL) {
        return NULL;
    }
    made->hash = hash;
    made->depth = depth;
    for (int i = 0; i < depth; i++) {
        made->frames[i] = frames[i];
        Py_INCREF(frames[i].code);
    }
    made->next = stacks[slot];
    stacks[slot] = made;
    return made;
}

static void
note_block(void *address, size_t size, Stack *stack)
{
    Note *note = malloc(sizeof(Note));
    if (note == NULL) {
        return;
    }
    double odds = -expm1(-(double)size / interval);
    size_t slot = slot_of(address);
    *note = (Note){notes[slot], address, stack, 1 / odds, (double)size / odds};
    notes[slot] = note;
    noted[slot] = 1;
    stack->blocks += note->blocks;
    stack->bytes += note->bytes;
    stack->new_blocks += note->blocks;
    stack->new_bytes += note->bytes;
    stack->notes++;
}

static __attribute__((noinline)) void
sample(void *address, size_t size)
{
    if (!running) {
        left = INT64_MAX;
        return;
    }
    left = distance();
#if PY_VERSION_HEX >= 0x030D0000
    PyThreadState *thread = PyThreadState_GetUnchecked();
#else
    PyThreadState *thread = _PyThreadState_UncheckedGet();
#endif
    /* An interpreter beside the first may have a GIL of its own. */
    if (busy || size == 0 || thread == NULL || PyThreadState_GetInterpreter(thread) != PyInterpreterState_Main()) {
        return;
    }
    busy = 1;
    int collected = PyGC_Disable();
    Frame frames[MOST_FRAMES];
    int depth = frames_of(thread, frames);
    Stack *stack = depth ? interned(frames, depth) : NULL;
    if (stack) {
        note_block(address, size, stack);
    }
    /* The frames run, or the new stack has them: none of these is the last reference. */
    for (int i = 0; i < depth; i++) {
        Py_DECREF(frames[i].code);
    }
    if (collected) {
        PyGC_Enable();
    }
    busy = 0;
}

/* Whether the next block of this size is to be noted. Where it is not, the allocator is called last and returns for us. */
static inline int
due(size_t size)
{
    return (left -= (int64_t)size) <= 0;
}

static __attribute__((noinline)) void *
noted_malloc(PyMemAllocatorEx *inner, size_t size)
{
    void *address = inner->malloc(inner->ctx, size);
    if (address != NULL) {
        sample(address, size);
    }
    return address;
}

static __attribute__((noinline)) void *
noted_calloc(PyMemAllocatorEx *inner, size_t number, size_t each)
{
    void *address = inner->calloc(inner->ctx, number, each);
    if (address != NULL) {
        sample(address, number * each);
    }
    return address;
}

static void *
wrapped_malloc(void *context, size_t size)
{
    PyMemAllocatorEx *inner = context;
    return due(size) ? noted_malloc(inner, size) : inner->malloc(inner->ctx, size);
}

static void *
wrapped_calloc(void *context, size_t number, size_t each)
{
    PyMemAllocatorEx *inner = context;
    return due(number * each) ? noted_calloc(inner, number, each) : inner->calloc(inner->ctx, number, each);
}

static void *
wrapped_realloc(void *context, void *before, size_t size)
{
    PyMemAllocatorEx *inner = context;
    void *address = inner->realloc(inner->ctx, before, size);
    if (address == NULL) {
        return NULL;
    }
    if (before != NULL && noted[slot_of(before)]) {
        forget(before);
    }
    if (due(size)) {
        sample(address, size);
    }
    return address;
}

static __attribute__((noinline)) void
noted_free(PyMemAllocatorEx *inner, void *address)
{
    forget(address);
    inner->free(inner->ctx, address);
}

static void
wrapped_free(void *context, void *address)
{
    PyMemAllocatorEx *inner = context;
    if (noted[slot_of(address)]) {
        noted_free(inner, address);
        return;
    }
    inner->free(inner->ctx, address);
}

static void
wrap(PyMemAllocatorDomain domain, PyMemAllocatorEx *inner)
{
    PyMem_GetAllocator(domain, inner);
    PyMemAllocatorEx outer = {inner, wrapped_malloc, wrapped_calloc, wrapped_realloc, wrapped_free};
    PyMem_SetAllocator(domain, &outer);
}

static void
forget_all(void)
{
    for (size_t slot = 0; slot < SLOTS; slot++) {
        while (notes[slot]) {
            forget(notes[slot]->address);
        }
    }
}

/* Who wrapped the allocators before us and ends puts back what was there before him: we are out then, unasked. */
static void
ensure_wrapped(void)
{
    int64_t before = left = INT64_MAX;
    PyMem_Free(PyMem_Malloc(1));
    int in_mem = left != before;
    before = left;
    PyObject_Free(PyObject_Malloc(1));
    int in_obj = left != before;
    left = distance();
    if (in_mem && in_obj) {
        return;
    }
    /* What was freed meanwhile was not seen. */
    forget_all();
    if (!in_mem) {
        wrap(PYMEM_DOMAIN_MEM, &inner_mem);
    }
    if (!in_obj) {
        wrap(PYMEM_DOMAIN_OBJ, &inner_obj);
    }
}

/* Whether the wrap is the outermost: somebody else's over it must not lose what it calls. */
static int
outermost(PyMemAllocatorDomain domain, const PyMemAllocatorEx *inner)
{
    PyMemAllocatorEx now;
    PyMem_GetAllocator(domain, &now);
    return now.ctx == inner && now.malloc == wrapped_malloc;
}

static PyObject *
start(PyObject *module, PyObject *arguments)
{
    Py_ssize_t bytes = 512 * 1024;
    if (!PyArg_ParseTuple(arguments, "|n:start", &bytes)) {
        return NULL;
    }
    if (bytes < 1) {
        PyErr_SetString(PyExc_ValueError, "interval: at least 1 byte");
        return NULL;
    }
    interval = (double)bytes;
    ensure_wrapped();
    running = 1;
    Py_RETURN_NONE;
}

/* Takes the stacks that hold nothing and have nothing to tell out of the table. */
static Stack *
unused(void)
{
    Stack *out = NULL;
    for (size_t slot = 0; slot < SLOTS; slot++) {
        for (Stack **place = &stacks[slot]; *place;) {
            Stack *stack = *place;
            if (stack->notes == 0 && stack->new_blocks == 0) {
                *place = stack->next;
                stack->next = out;
                out = stack;
            } else {
                place = &stack->next;
            }
        }
    }
    return out;
}

/* Dropping a reference to code may run anything: never while a table is walked. */
static void
drop(Stack *stack)
{
    while (stack) {
        Stack *next = stack->next;
        for (int i = 0; i < stack->depth; i++) {
            Py_DECREF(stack->frames[i].code);
        }
        free(stack);
        stack = next;
    }
}

static PyObject *
stop(PyObject *module, PyObject *nothing)
{
    running = 0;
    left = INT64_MAX;
    if (taking) {
        Py_RETURN_NONE;
    }
    forget_all();
    for (size_t slot = 0; slot < SLOTS; slot++) {
        for (Stack *stack = stacks[slot]; stack; stack = stack->next) {
            stack->new_blocks = stack->new_bytes = 0;
        }
    }
    drop(unused());
    if (outermost(PYMEM_DOMAIN_MEM, &inner_mem) && outermost(PYMEM_DOMAIN_OBJ, &inner_obj)) {
        PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &inner_mem);
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &inner_obj);
    }
    Py_RETURN_NONE;
}

static PyObject *
told(const Stack *stack)
{
    PyObject *frames = PyTuple_New(stack->depth);
    for (int i = 0; frames != NULL && i < stack->depth; i++) {
        PyObject *frame = Py_BuildValue("(Oi)", (PyObject *)stack->frames[i].code, stack->frames[i].line);
        if (frame == NULL) {
            Py_CLEAR(frames);
            break;
        }
        PyTuple_SET_ITEM(frames, i, frame);
    }
    return frames;
}

typedef struct {
    Stack *stack;
    double blocks, bytes, new_blocks, new_bytes;
} Row;

/* The table as it is now: making Python objects of it would change it on the way. */
static Row *
copied(size_t *length)
{
    size_t number = 0;
    for (size_t slot = 0; slot < SLOTS; slot++) {
        for (Stack *stack = stacks[slot]; stack; stack = stack->next) {
            number++;
        }
    }
    Row *rows = malloc((number + 1) * sizeof(Row));
    *length = 0;
    for (size_t slot = 0; rows && slot < SLOTS; slot++) {
        for (Stack *stack = stacks[slot]; stack; stack = stack->next) {
            rows[(*length)++] = (Row){stack, stack->blocks, stack->bytes, stack->new_blocks, stack->new_bytes};
            stack->new_blocks = stack->new_bytes = 0;
        }
    }
    return rows;
}

static PyObject *
take(PyObject *module, PyObject *nothing)
{
    if (taking) {
        PyErr_SetString(PyExc_RuntimeError, "somebody else takes it now");
        return NULL;
    }
    if (running) {
        ensure_wrapped();
    }
    Stack *gone = unused();
    size_t length = 0;
    Row *rows = copied(&length);
    if (rows == NULL) {
        drop(gone);
        return PyErr_NoMemory();
    }
    taking = 1;
    drop(gone);
    PyObject *found = PyList_New(0);
    for (size_t i = 0; found != NULL && i < length; i++) {
        Row *row = &rows[i];
        PyObject *frames = told(row->stack);
        PyObject *one = frames == NULL ? NULL
                                       : Py_BuildValue("(Ndddd)", frames, row->blocks, row->bytes, row->new_blocks,
                                                       row->new_bytes);
        if (one == NULL || PyList_Append(found, one) < 0) {
            Py_CLEAR(found);
        }
        Py_XDECREF(one);
    }
    taking = 0;
    free(rows);
    return found;
}

static PyMethodDef methods[] = {
    {"start", start, METH_VARARGS, "start(interval=524288): note about one block in so many bytes from now on."},
    {"stop", stop, METH_NOARGS, "stop(): note nothing, and forget what was noted."},
    {"take", take, METH_NOARGS,
     "take(): (((code, line), ...), blocks, bytes, blocks since the last, bytes since the last) for each stack."},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_heap_sampling", "Stacks that hold memory, from a sample of allocations.", -1, methods,
    NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC
PyInit__heap_sampling(void)
{
    return PyModule_Create(&definition);
}
