/*
 * file: reads from a disk. Each task reads --bytes of one file, at a place of its own, in pieces of
 * --chunk. The file is made for the trial, in $TMPDIR or else in /var/tmp, and has no name, so that
 * nothing is left of it however the trial ends; or it is any --file. With --cache cold the kernel
 * is asked to forget the pages before the clock starts, and the note in the record says how many it
 * has kept (all, where a file system lives in memory). The digest is the Adler-32 of what was read.
 *
 * The catch: a file can't be asked whether it is ready, so a readiness loop stands still while one
 * of its tasks reads. Cold means that this kernel has to ask the disk; what the disk, or the host
 * of a virtual machine, keeps in a cache of its own is out of reach.
 */
#include "content.h"
#include "workload.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *path, *cache;
static uint64_t task_bytes, chunk_bytes;

static const struct setting settings[] = {
    {"bytes", 0, SETTING_BYTES, "256KiB", "BYTES", "what each task reads", &task_bytes, 1,
     1073741824},
    {"chunk", 0, SETTING_BYTES, "64KiB", "BYTES", "at most so much at a time", &chunk_bytes, 1,
     1073741824},
    {"file", 0, SETTING_TEXT, NULL, "PATH", "read this one, not one made for the trial", &path, 0,
     0},
    {"cache", 0, SETTING_TEXT, "cold", "STATE", "of the file when the clock starts: cold or warm",
     &cache, 0, 0},
    {0},
};

static int file = -1;
static char conditions[128]; /* the note; empty: not known yet */

struct reader {
    struct task task;
    uint64_t read_bytes;
    char *buffer;
};

/* ---- The task ---- */

static uint64_t next_bytes(const struct reader *reader)
{
    uint64_t left_bytes = task_bytes - reader->read_bytes;
    return left_bytes < chunk_bytes ? left_bytes : chunk_bytes;
}

static const struct op *file_body(struct task *task, int64_t result)
{
    struct reader *reader = (struct reader *)task;
    TASK_BEGIN(task);
    task->result->digest = 1; /* where Adler-32 starts */
    reader->buffer = malloc(next_bytes(reader));
    if (!reader->buffer)
        task->result->error = ENOMEM;
    while (!task->result->error && reader->read_bytes < task_bytes) {
        AWAIT(task, op_read(file, reader->buffer, next_bytes(reader),
                            task->id * task_bytes + reader->read_bytes));
        if (result <= 0) {
            task->result->error = result < 0 ? (int32_t)-result : EIO; /* it was cut off */
            break;
        }
        task->result->digest = adler32(task->result->digest, reader->buffer, (size_t)result);
        task->result->bytes_moved += (uint64_t)result;
        reader->read_bytes += (uint64_t)result;
    }
    TASK_END(task);
}

static void file_release(struct task *task)
{
    free(((struct reader *)task)->buffer);
}

/* ---- The file ---- */

static int open_given(char *why, size_t why_bytes)
{
    struct stat status;
    uint64_t wanted_bytes = params.tasks * task_bytes;
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) < 0) {
        snprintf(why, why_bytes, "cannot read --file %s: %s", path, strerror(errno));
        return -1;
    }
    if (!S_ISREG(status.st_mode)) {
        snprintf(why, why_bytes, "--file takes a regular file, which %s is not", path);
        return -1;
    }
    if ((uint64_t)status.st_size < wanted_bytes) {
        snprintf(why, why_bytes,
                 "--file %s has %jd bytes, but %u tasks of --bytes %" PRIu64 " need %" PRIu64, path,
                 (intmax_t)status.st_size, params.tasks, task_bytes, wanted_bytes);
        return -1;
    }
    return 0;
}

/* A file without a name; where the file system has no such thing, the name goes at once. */
static int open_nameless(char *why, size_t why_bytes)
{
    const char *folder = getenv("TMPDIR");
    if (!folder || !*folder)
        folder = "/var/tmp"; /* on a disk, where /tmp may be memory */
    file = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (file < 0) {
        char name[4096];
        snprintf(name, sizeof name, "%s/overlap-file.XXXXXX", folder);
        file = mkostemp(name, O_CLOEXEC);
        if (file >= 0)
            unlink(name);
    }
    if (file >= 0)
        return 0;
    snprintf(why, why_bytes, "cannot make a file in %s: %s; TMPDIR names another folder", folder,
             strerror(errno));
    return -1;
}

static int file_prepare(char *why, size_t why_bytes)
{
    if (file >= 0)
        close(file);
    file = -1;
    *conditions = '\0';
    if (strcmp(cache, "cold") != 0 && strcmp(cache, "warm") != 0) {
        snprintf(why, why_bytes, "--cache is cold or warm, not '%s'", cache);
        return -1;
    }
    return path ? open_given(why, why_bytes) : open_nameless(why, why_bytes);
}

/* Writes what task `id` will read, or has it read once. Returns 0 or -errno. */
static int pass_over(uint32_t id)
{
    static char buffer[64 * 1024];
    uint64_t at = id * task_bytes, end = at + task_bytes;
    for (ssize_t bytes; at < end; at += (uint64_t)bytes) {
        size_t now = end - at < sizeof buffer ? end - at : sizeof buffer;
        if (path) {
            bytes = pread(file, buffer, now, (off_t)at);
        } else {
            content_fill(buffer, now, workload_random(params.seed, id, (uint32_t)(at / 4096)));
            bytes = pwrite(file, buffer, now, (off_t)at);
        }
        if (bytes <= 0)
            return bytes < 0 ? -errno : -EIO;
    }
    return 0;
}

/* How much of what the tasks will read is in memory, from 0 to 1; negative when the kernel does not
 * say, as of a file that is somebody else's. */
static double cached_share(void)
{
    size_t bytes = params.tasks * task_bytes, page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    size_t pages = (bytes + page_bytes - 1) / page_bytes, cached = 0;
    struct stat status;
    if (fstat(file, &status) < 0 || (geteuid() != 0 && geteuid() != status.st_uid))
        return -1;
    unsigned char *residence = malloc(pages);
    void *mapping = mmap(NULL, bytes, PROT_READ, MAP_SHARED, file, 0);
    bool known = residence && mapping != MAP_FAILED && mincore(mapping, bytes, residence) == 0;
    for (size_t page = 0; known && page < pages; page++)
        cached += residence[page] & 1;
    if (mapping != MAP_FAILED)
        munmap(mapping, bytes);
    free(residence);
    return known ? (double)cached / (double)pages : -1;
}

/* Brings about the state of the cache, and says which came of it. */
static void settle_cache(bool cold)
{
    if (cold) {
        fsync(file); /* pages that are not written yet cannot be dropped */
        posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
    }
    /* Else a task would find what the kernel read ahead for its neighbour. */
    posix_fadvise(file, 0, 0, POSIX_FADV_RANDOM);
    double share = cached_share();
    if (share < 0)
        snprintf(conditions, sizeof conditions,
                 "asked for a %s cache; the kernel does not say what came of it", cache);
    else
        snprintf(conditions, sizeof conditions, "%.3g%% of the file cached before the clock%s",
                 100 * share, cold && share > 0 ? ", though cold was asked for" : "");
}

static int file_provide(uint32_t id)
{
    bool cold = strcmp(cache, "cold") == 0;
    int error = path && cold ? 0 : pass_over(id);
    if (!error && id + 1 == params.tasks)
        settle_cache(cold);
    return error;
}

static const char *file_note(void)
{
    return conditions;
}

/* How long a disk takes is not known. */
static unsigned file_plan(uint32_t id, struct step *steps)
{
    (void)id, (void)steps;
    return 0;
}

WORKLOAD(file) = {
    .name = "file",
    .summary = "reads 256 KiB from a disk, 64 KiB at a time",
    .task_bytes = sizeof(struct reader),
    .settings = settings,
    .prepare = file_prepare,
    .provide = file_provide,
    .note = file_note,
    .body = file_body,
    .release = file_release,
    .plan = file_plan,
};
