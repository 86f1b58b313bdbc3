/* Which stacks hold the memory of Python's objects, from a sample of the allocations.
 *
 * The two allocators that Python's objects come from (PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ) are wrapped. What is
 * allocated is counted down, and about once in `interval` bytes the block at hand is noted with the stack that asked
 * for it, until it is freed. Distances are exponential, so that a block of s bytes is noted with the probability
 * 1 - exp(-s / interval); it stands for as many as that one divided by it: sums are right on average, whatever the
 * sizes, as in Go's and tcmalloc's heap profiles (https://github.com/google/tcmalloc/blob/master/docs/sampling.md).
 *
 * Python's objects are freed as often as they are made, and looking at each release would be most of the cost. So a
 * block that is noted is asked for larger than Python's small ones (512 bytes): these come from the allocator below
 * (PYMEM_DOMAIN_RAW) and go back to it, and only there is each release looked at. Where that is not so, as under
 * PYTHONMALLOC=debug or malloc, a try at the start tells, and each release is looked at.
 *
 * The upper allocators are only called with the GIL held (https://docs.python.org/3/c-api/memory.html), and nothing
 * here releases it; the lower one is called without, so what was noted has a lock. What is noted lies in memory of the
 * C library, which is not counted. Looking at the stack makes frame objects, so garbage collection, which would run
 * other people's code in the middle of an allocation, is held off.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
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
/* More than Python's allocator of small blocks takes (512 in all versions up to 3.14): such blocks are not its own. */
#define LARGE 1024

/* Beside the way that is always taken: the compiler may prepare nothing for it there. */
#if defined(__GNUC__) && !defined(__clang__)
#define SELDOM __attribute__((noipa, cold))
#else
#define SELDOM __attribute__((noinline, cold))
#endif

/* A place in code, by its instruction: its line is looked for when it is told, which takes most of what a sample costs. */
typedef struct {
    PyCodeObject *code;
    int instruction;
    int line;
} Frame;

#define NOT_LOOKED_FOR (-2)

/* Who asked for memory, leaf first, and what is held of it. */
typedef struct Stack {
    struct Stack *next;
    uint64_t hash;
    size_t notes;
    double blocks, bytes, new_blocks, new_bytes;
    int depth;
    Frame frames[];
} Stack;

/* A block that was noted, and the numbers that it stands for; one without a stack is there to see whether it is missed. */
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
static PyMemAllocatorEx inner_mem, inner_obj, inner_raw;
/* Whether this domain's releases are looked at above, and whether the lower one's wrap was called just now. */
static int mem_watched, obj_watched, raw_called;
static char lock;
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

static void
acquire(void)
{
    while (__atomic_test_and_set(&lock, __ATOMIC_ACQUIRE)) {
        sched_yield();
    }
}

static void
release(void)
{
    __atomic_clear(&lock, __ATOMIC_RELEASE);
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

static inline int
may_be_noted(const void *address)
{
    return __atomic_load_n(&noted[slot_of(address)], __ATOMIC_RELAXED);
}

/* Whether there was one; with the lock held. */
static int
unlink_note(void *address)
{
    size_t slot = slot_of(address);
    for (Note **place = &notes[slot]; *place; place = &(*place)->next) {
        Note *note = *place;
        if (note->address != address) {
            continue;
        }
        *place = note->next;
        __atomic_store_n(&noted[slot], notes[slot] != NULL, __ATOMIC_RELAXED);
        if (note->stack) {
            note->stack->blocks -= note->blocks;
            note->stack->bytes -= note->bytes;
            note->stack->notes--;
        }
        free(note);
        return 1;
    }
    return 0;
}

/* With the lock held. */
static void
link_note(Note *note)
{
    size_t slot = slot_of(note->address);
    note->next = notes[slot];
    notes[slot] = note;
    __atomic_store_n(&noted[slot], 1, __ATOMIC_RELAXED);
}

static SELDOM void
forget(void *address)
{
    acquire();
    unlink_note(address);
    release();
}

/* The frames of the thread that runs, leaf first; references to their code are the caller's. */
static int
frames_of(PyThreadState *thread, Frame *frames)
{
    int depth = 0;
    PyFrameObject *frame = PyThreadState_GetFrame(thread);
    while (frame != NULL && depth < MOST_FRAMES) {
        frames[depth].code = PyFrame_GetCode(frame);
        frames[depth].line = NOT_LOOKED_FOR;
        frames[depth++].instruction = PyFrame_GetLasti(frame);
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
        hash = (hash ^ (hash >> 29) ^ (uint64_t)(uint32_t)frames[i].instruction) * 0xBF58476D1CE4E5B9u;
    }
    size_t slot = hash >> (64 - SLOT_BITS);
    for (Stack *stack = stacks[slot]; stack; stack = stack->next) {
        if (stack->hash != hash || stack->depth != depth) {
            continue;
        }
        int same = 1;
        for (int i = 0; same && i < depth; i++) {
            same = stack->frames[i].code == frames[i].code && stack->frames[i].instruction == frames[i].instruction;
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
    *note = (Note){NULL, address, stack, 1 / odds, (double)size / odds};
    acquire();
    /* One whose end was missed, as somebody else's allocator stood in between. */
    unlink_note(address);
    link_note(note);
    stack->blocks += note->blocks;
    stack->bytes += note->bytes;
    stack->new_blocks += note->blocks;
    stack->new_bytes += note->bytes;
    stack->notes++;
    release();
}

static SELDOM void
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
    return __builtin_expect((left -= (int64_t)size) < 0, 0);
}

static inline size_t
large(size_t size)
{
    return size < LARGE ? LARGE : size;
}

static SELDOM void *
noted_malloc(const PyMemAllocatorEx *inner, void *context, size_t size)
{
    void *address = inner->malloc(context, large(size));
    if (address != NULL) {
        sample(address, size);
    }
    return address;
}

static SELDOM void *
noted_calloc(const PyMemAllocatorEx *inner, void *context, size_t number, size_t each)
{
    if (each != 0 && number > (size_t)PY_SSIZE_T_MAX / each) {
        return inner->calloc(context, number, each);
    }
    void *address = inner->calloc(context, 1, large(number * each));
    if (address != NULL) {
        sample(address, number * each);
    }
    return address;
}

static SELDOM void *
noted_realloc(const PyMemAllocatorEx *inner, void *context, void *before, size_t size)
{
    void *address = inner->realloc(context, before, large(size));
    if (address != NULL) {
        sample(address, size);
    }
    return address;
}

/* A wrap keeps the context of what it wraps: a thread that reads the one before and the other after is right, too. */
#define WRAPS(domain)                                                                                                  \
    static void *domain##_malloc(void *context, size_t size)                                                           \
    {                                                                                                                  \
        return due(size) ? noted_malloc(&inner_##domain, context, size) : inner_##domain.malloc(context, size);        \
    }                                                                                                                  \
    static void *domain##_calloc(void *context, size_t number, size_t each)                                            \
    {                                                                                                                  \
        return due(number * each) ? noted_calloc(&inner_##domain, context, number, each)                               \
                                  : inner_##domain.calloc(context, number, each);                                      \
    }                                                                                                                  \
    static void *domain##_realloc(void *context, void *before, size_t size)                                            \
    {                                                                                                                  \
        return due(size) ? noted_realloc(&inner_##domain, context, before, size)                                       \
                         : inner_##domain.realloc(context, before, size);                                              \
    }

/* Where blocks go: below, or above where that does not tell. What is to move is forgotten before, since its place may be
 * another thread's at once; where there was no memory to move it to, it is told no more. */
#define WATCHES(domain, reallocate)                                                                                    \
    static void domain##_watched_free(void *context, void *address)                                                    \
    {                                                                                                                  \
        if (may_be_noted(address)) {                                                                                   \
            forget(address);                                                                                           \
        }                                                                                                              \
        inner_##domain.free(context, address);                                                                         \
    }                                                                                                                  \
    static void *domain##_watched_realloc(void *context, void *before, size_t size)                                    \
    {                                                                                                                  \
        if (may_be_noted(before)) {                                                                                    \
            forget(before);                                                                                            \
        }                                                                                                              \
        return reallocate(context, before, size);                                                                      \
    }

WRAPS(mem)
WRAPS(obj)
WATCHES(mem, mem_realloc)
WATCHES(obj, obj_realloc)
WATCHES(raw, inner_raw.realloc)

static void
raw_free(void *context, void *address)
{
    raw_called = 1;
    raw_watched_free(context, address);
}

static void
forget_all(void)
{
    acquire();
    for (size_t slot = 0; slot < SLOTS; slot++) {
        while (notes[slot]) {
            unlink_note(notes[slot]->address);
        }
    }
    release();
}

/* Whether the end of a large block of this allocator is seen below. */
static int
seen_below(const PyMemAllocatorEx *inner)
{
    Note *probe = malloc(sizeof(Note));
    void *address = inner->malloc(inner->ctx, LARGE);
    if (probe == NULL || address == NULL) {
        free(probe);
        inner->free(inner->ctx, address);
        return 0;
    }
    *probe = (Note){NULL, address, NULL, 0, 0};
    acquire();
    unlink_note(address);
    link_note(probe);
    release();
    inner->free(inner->ctx, address);
    acquire();
    int missed = unlink_note(address);
    release();
    return !missed;
}

static void
wrap_raw(void)
{
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &inner_raw);
    PyMemAllocatorEx outer = {inner_raw.ctx, inner_raw.malloc, inner_raw.calloc, raw_watched_realloc, raw_free};
    PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &outer);
}

static void
wrap_mem(void)
{
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &inner_mem);
    mem_watched = !seen_below(&inner_mem);
    PyMemAllocatorEx outer = {inner_mem.ctx, mem_malloc, mem_calloc, mem_realloc, inner_mem.free};
    PyMemAllocatorEx watching = {inner_mem.ctx, mem_malloc, mem_calloc, mem_watched_realloc, mem_watched_free};
    PyMem_SetAllocator(PYMEM_DOMAIN_MEM, mem_watched ? &watching : &outer);
}

static void
wrap_obj(void)
{
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &inner_obj);
    obj_watched = !seen_below(&inner_obj);
    PyMemAllocatorEx outer = {inner_obj.ctx, obj_malloc, obj_calloc, obj_realloc, inner_obj.free};
    PyMemAllocatorEx watching = {inner_obj.ctx, obj_malloc, obj_calloc, obj_watched_realloc, obj_watched_free};
    PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, obj_watched ? &watching : &outer);
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
    raw_called = 0;
    PyMem_RawFree(PyMem_RawMalloc(1));
    int in_raw = raw_called;
    int seen = in_mem && in_obj && in_raw && (mem_watched || seen_below(&inner_mem)) &&
               (obj_watched || seen_below(&inner_obj));
    if (!seen) {
        /* What was freed meanwhile was not seen. */
        forget_all();
        if (!in_raw) {
            wrap_raw();
        }
        if (!in_mem) {
            wrap_mem();
        }
        if (!in_obj) {
            wrap_obj();
        }
    }
    left = distance();
}

/* Whether the wraps are the outermost: somebody else's over them must not lose what it calls. */
static int
outermost(void)
{
    PyMemAllocatorEx mem, obj, raw;
    PyMem_GetAllocator(PYMEM_DOMAIN_MEM, &mem);
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &obj);
    PyMem_GetAllocator(PYMEM_DOMAIN_RAW, &raw);
    return mem.malloc == mem_malloc && obj.malloc == obj_malloc && raw.free == raw_free;
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
    acquire();
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
    release();
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
    if (outermost()) {
        PyMem_SetAllocator(PYMEM_DOMAIN_MEM, &inner_mem);
        PyMem_SetAllocator(PYMEM_DOMAIN_OBJ, &inner_obj);
        PyMem_SetAllocator(PYMEM_DOMAIN_RAW, &inner_raw);
    }
    Py_RETURN_NONE;
}

static PyObject *
told(Stack *stack)
{
    PyObject *frames = PyTuple_New(stack->depth);
    for (int i = 0; frames != NULL && i < stack->depth; i++) {
        Frame *place = &stack->frames[i];
        if (place->line == NOT_LOOKED_FOR) {
            place->line = PyCode_Addr2Line(place->code, place->instruction);
        }
        PyObject *frame = Py_BuildValue("(Oi)", (PyObject *)place->code, place->line);
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
    acquire();
    for (size_t slot = 0; rows && slot < SLOTS; slot++) {
        for (Stack *stack = stacks[slot]; stack; stack = stack->next) {
            rows[(*length)++] = (Row){stack, stack->blocks, stack->bytes, stack->new_blocks, stack->new_bytes};
            stack->new_blocks = stack->new_bytes = 0;
        }
    }
    release();
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
    /* The lock may be another thread's when this one forks. */
    static int once;
    if (!once && pthread_atfork(acquire, release, release) == 0) {
        once = 1;
    }
    return PyModule_Create(&definition);
}
