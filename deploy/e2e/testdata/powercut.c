// A disk that can lose its power: preloaded into a program (LD_PRELOAD), it keeps
// in $OBBY_SYNCED, for every file of the directory $OBBY_DISK, the bytes that the
// program has synced, and nothing else. After the program was killed, that copy is
// what the disk would hold had the power failed at the same moment: whatever was
// written and not synced is gone. A kill in the middle of a sync leaves half of it,
// as a real disk may.
//
// Not modelled: names. A new, renamed or removed file counts as such at once.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// keep copies what the file holds now to its place in $OBBY_SYNCED.
static void keep(int fd) {
	const char *disk = getenv("OBBY_DISK"), *synced = getenv("OBBY_SYNCED");
	char link[64], path[PATH_MAX], copy[PATH_MAX], block[1 << 16];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t length = readlink(link, path, sizeof path - 1);
	if (!disk || !synced || length < 0) return;
	path[length] = 0;
	size_t prefix = strlen(disk);
	if (strncmp(path, disk, prefix) || path[prefix] != '/' || strchr(path + prefix + 1, '/')) return;
	struct stat now;
	if (fstat(fd, &now) || !S_ISREG(now.st_mode)) return;
	snprintf(copy, sizeof copy, "%s%s", synced, path + prefix);
	// Read through fd: to close another descriptor of the file would drop the locks
	// that the program holds on it (fcntl(2)).
	int out = open(copy, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	for (off_t at = 0; at < now.st_size;) {
		ssize_t n = pread(fd, block, sizeof block, at);
		if (n <= 0 || pwrite(out, block, n, at) != n) abort();
		at += n;
	}
	if (out < 0 || ftruncate(out, now.st_size)) abort();
	close(out);
}

typedef int sync_function(int);

static int synced(const char *name, int fd) {
	sync_function *real = (sync_function *)dlsym(RTLD_NEXT, name);
	int result = real(fd), saved = errno;
	if (result == 0) keep(fd);
	errno = saved;
	return result;
}

int fsync(int fd) { return synced("fsync", fd); }
int fdatasync(int fd) { return synced("fdatasync", fd); }
