/* For a unit test that needs /dev/kvm. */
#ifndef NEED_KVM_H
#define NEED_KVM_H

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* False where it is not to be had and is not required: that the whole test is skipped has been printed. */
static inline bool need_kvm(void)
{
	const char *required = getenv("KVMGDB_REQUIRE_KVM");
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (fd < 0 && !(required && !strcmp(required, "1"))) {
		printf("1..0 # SKIP /dev/kvm can't be opened: %s\n", strerror(errno));
		return false;
	}
	if (fd >= 0)
		close(fd);
	return true;
}

#endif
