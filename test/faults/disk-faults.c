/*
 * Makes the disk fail, for a process that is started with this in LD_PRELOAD: what is written to files whose path has
 * "tsbroker.db" in it goes wrong in the way that the file named by DISK_FAULT says, while it is there:
 *
 *     sync EIO        fsync and fdatasync fail
 *     sync 500        they take so many milliseconds
 *     write EROFS     writes fail as on a file system that has become read-only
 *     write EIO       writes fail as on a disk that is broken
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

static int is_data(int fd) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, sizeof path - 1);
  if (size < 0) return 0;
  path[size] = 0;
  return strstr(path, "tsbroker.db") != NULL;
}

/* The argument of the fault if it is of this kind; empty for no fault. */
static void fault_of(const char *kind, char *argument, size_t room) {
  argument[0] = 0;
  const char *name = getenv("DISK_FAULT");
  FILE *file = name == NULL ? NULL : fopen(name, "r");
  if (file == NULL) return;
  char found[32], text[32];
  if (fscanf(file, "%31s %31s", found, text) == 2 && strcmp(found, kind) == 0) snprintf(argument, room, "%s", text);
  fclose(file);
}

static int fails(const char *kind, int fd) {
  char fault[32];
  if (!is_data(fd)) return 0;
  fault_of(kind, fault, sizeof fault);
  if (fault[0] == 0) return 0;
  if (fault[0] >= '0' && fault[0] <= '9') {
    long ms = atol(fault);
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
    return 0;
  }
  errno = strcmp(fault, "EROFS") == 0 ? EROFS : EIO;
  return 1;
}

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

int fsync(int fd) { return fails("sync", fd) ? -1 : REAL(int, "fsync", int)(fd); }
int fdatasync(int fd) { return fails("sync", fd) ? -1 : REAL(int, "fdatasync", int)(fd); }

ssize_t write(int fd, const void *bytes, size_t size) {
  return fails("write", fd) ? -1 : REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at) {
  return fails("write", fd) ? -1 : REAL(ssize_t, "pwrite", int, const void *, size_t, off_t)(fd, bytes, size, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  return fails("write", fd) ? -1 : REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)(fd, bytes, size, at);
}
