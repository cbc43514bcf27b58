/* See shared.h. */
#include "shared.h"
#include "array.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

FILE *shared_open(const char *name, char **path)
{
    static const char *const folders[] = {"../share/overlap", "../harness"};
    char self[4096];
    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    self[length > 0 ? length : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++) {
        if (asprintf(path, "%s/%s/%s", self, folders[i], name) < 0)
            err(EXIT_UNABLE, "cannot name a file");
        FILE *file = fopen(*path, "re");
        if (file)
            return file;
        free(*path);
    }
    *path = NULL;
    errno = ENOENT;
    return NULL;
}
