/* See cgroup.h. */
#include "cgroup.h"
#include "processes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

/* ---- Where this process is ---- */

/* Whether `word` is in `list`, whose words end at a comma, space or line end. */
static bool has_word(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; *at;) {
        size_t span = strcspn(at, ", \n");
        if (span == length && strncmp(at, word, length) == 0)
            return true;
        at += span + (at[span] != '\0');
    }
    return false;
}

/* The name of this process's cgroup, as /proc/self/cgroup gives it: "4:memory:/name", "0::/name".
 * A controller on a hierarchy of version 1 is not on that of version 2. */
static int cgroup_name(const char *controller, char name[PATH_MAX])
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file)
        return 0;
    int version = 0;
    char *line = NULL;
    size_t room = 0;
    while (version != 1 && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        char *controllers = strchr(line, ':');
        char *path = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!path)
            continue;
        *controllers++ = '\0';
        *path++ = '\0';
        if (has_word(controllers, controller))
            version = 1;
        else if (strcmp(line, "0") == 0)
            version = 2;
        else
            continue;
        snprintf(name, PATH_MAX, "%s", path);
    }
    free(line);
    fclose(file);
    return version;
}

int cgroup_folder(const char *controller, char *folder, size_t folder_bytes)
{
    char name[PATH_MAX];
    int version = cgroup_name(controller, name);
    FILE *file = version ? fopen("/proc/self/mountinfo", "re") : NULL;
    if (!file)
        return 0;
    int found = 0;
    char *line = NULL;
    size_t room = 0;
    while (!found && getline(&line, &room, file) > 0) {
        /* "id parent device root mountpoint options ... - type source options" */
        char root[PATH_MAX], mountpoint[PATH_MAX], type[16], options[256];
        const char *rest = strstr(line, " - ");
        if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", root, mountpoint) != 2 ||
            sscanf(rest + 3, "%15s %*s %255s", type, options) != 2)
            continue;
        if (version == 1 ? strcmp(type, "cgroup") != 0 || !has_word(options, controller)
                         : strcmp(type, "cgroup2") != 0)
            continue;
        /* A container may see only a part of the hierarchy, from `root` on. */
        size_t outside = strcmp(root, "/") == 0 ? 0 : strlen(root);
        if (strncmp(name, root, outside) != 0 || strstr(name, "/.."))
            continue;
        const char *inside = strcmp(name + outside, "/") == 0 ? "" : name + outside;
        if ((size_t)snprintf(folder, folder_bytes, "%s%s", mountpoint, inside) < folder_bytes)
            found = version;
    }
    free(line);
    fclose(file);
    return found;
}

/* ---- Files and folders ---- */

static bool path_in(const char *folder, const char *name, char path[PATH_MAX])
{
    if (snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX)
        return true;
    errno = ENAMETOOLONG;
    return false;
}

static int open_in(const char *folder, const char *name, int flags)
{
    char path[PATH_MAX];
    return path_in(folder, name, path) ? open(path, flags | O_CLOEXEC) : -1;
}

static int write_in(const char *folder, const char *name, const char *text)
{
    int file = open_in(folder, name, O_WRONLY);
    if (file < 0)
        return -1;
    ssize_t written = write(file, text, strlen(text));
    int error = errno;
    close(file);
    errno = error;
    return written < 0 ? -1 : 0;
}

static bool read_in(const char *folder, const char *name, char *text, size_t text_bytes)
{
    int file = open_in(folder, name, O_RDONLY);
    ssize_t bytes = file < 0 ? -1 : read(file, text, text_bytes - 1);
    if (file >= 0)
        close(file);
    text[bytes > 0 ? bytes : 0] = '\0';
    return bytes > 0;
}

static bool file_has_word(const char *folder, const char *name, const char *word)
{
    char text[1024];
    return read_in(folder, name, text, sizeof text) && has_word(text, word);
}

/* rmdir() as soon as the kernel has let go of the dead processes. */
static void remove_folder(const char *folder)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    for (int tries = 0; tries < 3000 && rmdir(folder) != 0 && errno == EBUSY; tries++)
        nanosleep(&nap, NULL);
}

/* ---- Stepping aside ---- */

static const char aside[] = "overlap-supervisor";

/* Moves all that lives in cgroup `from` to `to`. The kernel lists what is left, so again until
 * nothing is, or nothing can be moved. */
static void move_all(const char *from, const char *to)
{
    bool moved = true;
    while (moved) {
        moved = false;
        int list = open_in(from, "cgroup.procs", O_RDONLY);
        FILE *file = list < 0 ? NULL : fdopen(list, "r");
        if (!file)
            return;
        char line[32];
        while (fgets(line, sizeof line, file))
            moved |= write_in(to, "cgroup.procs", line) == 0;
        fclose(file);
    }
}

/* Moves this process and its descendants (an origin server). */
static void move_own(const char *to)
{
    struct processes tree = processes_of_tree(getpid());
    for (size_t i = 0; i < tree.count; i++) {
        char pid[32];
        snprintf(pid, sizeof pid, "%d", tree.list[i].pid);
        write_in(to, "cgroup.procs", pid);
    }
    free(tree.list);
}

/* systemd marks the cgroups whose inside is left to their owner (Delegate=yes). */
static bool is_delegated(const char *folder)
{
    char value[8] = "";
    return (getxattr(folder, "user.delegate", value, sizeof value) > 0 ||
            getxattr(folder, "trusted.delegate", value, sizeof value) > 0) &&
           value[0] == '1';
}

/* Who lives where is changed by one program at a time. It takes milliseconds, so whoever holds the
 * lock for longer is stopped and not waited for. Returns what unlocks when it is closed, or -1. */
static int lock(const char *folder)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int tries = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0; tries++) {
        if (tries == 3000) {
            close(fd);
            errno = EBUSY;
            return -1;
        }
        nanosleep(&nap, NULL);
    }
    return fd;
}

/* Whether there is a child besides the one to step aside into. */
static bool has_children(const char *parent)
{
    bool found = false;
    DIR *folder = opendir(parent);
    for (struct dirent *entry; folder && !found && (entry = readdir(folder));)
        found =
            entry->d_type == DT_DIR && entry->d_name[0] != '.' && strcmp(entry->d_name, aside) != 0;
    if (folder)
        closedir(folder);
    return found;
}

static bool change(const struct cgroup *cgroup, char sign)
{
    char text[64];
    snprintf(text, sizeof text, "%c%s", sign, cgroup->controller);
    return write_in(cgroup->parent, "cgroup.subtree_control", text) == 0;
}

static void come_back(const struct cgroup *cgroup, const char *mark)
{
    move_all(mark, cgroup->parent);
    remove_folder(mark);
}

/* The mark tells that the controller is ours to disable; another child, of whomever, may use it. */
static void put_back(const struct cgroup *cgroup)
{
    char mark[PATH_MAX];
    if (!path_in(cgroup->parent, aside, mark) || access(mark, F_OK) != 0 ||
        has_children(cgroup->parent))
        return;
    if (change(cgroup, '-'))
        come_back(cgroup, mark);
}

static int enable(const struct cgroup *cgroup)
{
    char mark[PATH_MAX];
    if (file_has_word(cgroup->parent, "cgroup.subtree_control", cgroup->controller))
        return 0;
    char type[32];
    bool is_root = !read_in(cgroup->parent, "cgroup.type", type, sizeof type);
    if (is_root) /* nobody need move, and that it stays enabled is in nobody's way */
        return change(cgroup, '+') ? 0 : -1;
    if (!path_in(cgroup->parent, aside, mark) || (mkdir(mark, 0755) != 0 && errno != EEXIST))
        return -1;
    if (is_delegated(cgroup->parent))
        move_all(cgroup->parent, mark);
    else
        move_own(mark);
    if (change(cgroup, '+'))
        return 0;
    int error = errno;
    come_back(cgroup, mark);
    errno = error;
    return -1;
}

/* Removes what a killed run left behind. */
static void sweep(const char *parent)
{
    DIR *folder = opendir(parent);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        int pid;
        if (sscanf(entry->d_name, "overlap-%d-", &pid) == 1 && kill(pid, 0) != 0 && errno == ESRCH)
            unlinkat(dirfd(folder), entry->d_name, AT_REMOVEDIR);
    }
    closedir(folder);
}

/* ---- Its life ---- */

static int make_child(struct cgroup *cgroup)
{
    char name[64];
    sweep(cgroup->parent);
    if (cgroup->version == 2 && enable(cgroup) != 0)
        return -1;
    /* The pid tells later whether its owner still lives. */
    snprintf(name, sizeof name, "overlap-%d-trial", getpid());
    if (path_in(cgroup->parent, name, cgroup->folder) && mkdir(cgroup->folder, 0755) == 0)
        return 0;
    int error = errno;
    cgroup->folder[0] = '\0';
    if (cgroup->version == 2)
        put_back(cgroup);
    errno = error;
    return -1;
}

int cgroup_open(struct cgroup *cgroup, const char *controller)
{
    *cgroup = (struct cgroup){.controller = controller};
    cgroup->version = cgroup_folder(controller, cgroup->parent, sizeof cgroup->parent);
    /* Another run of this program may have us step aside, or was killed before we came back. */
    char *last = strrchr(cgroup->parent, '/');
    if (cgroup->version == 2 && last && strcmp(last + 1, aside) == 0)
        *last = '\0';
    if (cgroup->version == 0 ||
        (cgroup->version == 2 &&
         !file_has_word(cgroup->parent, "cgroup.controllers", controller))) {
        errno = ENOTSUP;
        return -1;
    }
    int held = lock(cgroup->parent);
    if (held < 0)
        return -1;
    int status = make_child(cgroup), error = errno;
    close(held);
    errno = error;
    return status;
}

int cgroup_procs(const struct cgroup *cgroup)
{
    return open_in(cgroup->folder, "cgroup.procs", O_WRONLY);
}

bool cgroup_number(const struct cgroup *cgroup, const char *name, uint64_t *number)
{
    char text[32];
    if (!read_in(cgroup->folder, name, text, sizeof text))
        return false;
    *number = strtoull(text, NULL, 10);
    return true;
}

void cgroup_close(struct cgroup *cgroup)
{
    if (!cgroup->folder[0])
        return;
    remove_folder(cgroup->folder);
    cgroup->folder[0] = '\0';
    int held = cgroup->version == 2 ? lock(cgroup->parent) : -1;
    if (held < 0)
        return;
    put_back(cgroup);
    close(held);
}
