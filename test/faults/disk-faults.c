/*
 * Makes the disk fail, for a process that is started with this in LD_PRELOAD: what is written to files whose path has
 * "tsbroker.db" in it goes wrong in the way that the file named by DISK_FAULT says, while it is there:
 *
 *     sync EIO        fsync and fdatasync fail
 *     sync 500        they take so many milliseconds
 *     write EROFS     writes fail as on a file system that has become read-only
 *     write EIO       writes fail as on a disk that is broken
 *     read 4096:2     the first two reads of the place 4096 in tsbroker.db itself fail with EIO
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* What the path of the file has from the name of the data file on; empty when it is another file. */
static const char *data_name(int fd, char *path, size_t room) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, room - 1);
  path[size < 0 ? 0 : size] = 0;
  const char *name = strstr(path, "tsbroker.db");
  return name == NULL ? "" : name;
}

static int is_data(int fd) {
  char path[4096];
  return data_name(fd, path, sizeof path)[0] != 0;
}

/* Not its log, nor its index. */
static int is_data_itself(int fd) {
  char path[4096];
  return strcmp(data_name(fd, path, sizeof path), "tsbroker.db") == 0;
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

/* Whether a read that takes in a place in the data file itself fails: the first ones in this process do. */
static int read_fails(int fd, off64_t at, size_t size) {
  static atomic_long failed;
  char fault[32];
  long long place;
  long times;
  if (!is_data(fd)) return 0;
  fault_of("read", fault, sizeof fault);
  if (sscanf(fault, "%lld:%ld", &place, &times) != 2 || at > place || at + (off64_t)size <= place) return 0;
  if (!is_data_itself(fd) || atomic_fetch_add(&failed, 1) >= times) return 0;
  errno = EIO;
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

ssize_t pread(int fd, void *bytes, size_t size, off_t at) {
  return read_fails(fd, at, size) ? -1 : REAL(ssize_t, "pread", int, void *, size_t, off_t)(fd, bytes, size, at);
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t at) {
  return read_fails(fd, at, size) ? -1 : REAL(ssize_t, "pread64", int, void *, size_t, off64_t)(fd, bytes, size, at);
}
