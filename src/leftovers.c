#define _GNU_SOURCE
#include "leftovers.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static struct {
	struct sealed_file file;
	bool is_directory;
} leftovers[LEFTOVERS_MAX];

static volatile sig_atomic_t count;

int leftovers_add(const char *path, bool is_directory)
{
	int result;

	if (count == LEFTOVERS_MAX)
		return -ENOSPC;
	result = sealed_file_open(&leftovers[count].file, path);
	if (result)
		return result;
	leftovers[count].is_directory = is_directory;
	count++;
	return 0;
}

int leftovers_give_to(uid_t uid, gid_t gid)
{
	for (int i = 0; i < count; i++) {
		if (fchownat(leftovers[i].file.directory, leftovers[i].file.name, uid, gid, AT_SYMLINK_NOFOLLOW))
			return -1;
	}
	return 0;
}

void leftovers_remove(void)
{
	while (count) {
		int last = --count;

		/* One that somebody else has removed, or that this user may not, is no matter. */
		unlinkat(leftovers[last].file.directory, leftovers[last].file.name,
			 leftovers[last].is_directory ? AT_REMOVEDIR : 0);
	}
}

const struct sealed_file *leftovers_get(size_t number, int *flags)
{
	if (number >= (size_t)count)
		return NULL;
	*flags = leftovers[number].is_directory ? AT_REMOVEDIR : 0;
	return &leftovers[number].file;
}
