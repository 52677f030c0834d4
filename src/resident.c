#define _GNU_SOURCE
#include "resident.h"

#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* `data` points to whether the libraries are meant, or the loader and the tables of all. */
static int drop(struct dl_phdr_info *object, size_t size, void *data)
{
	uintptr_t loader = getauxval(AT_BASE), page = getauxval(AT_PAGESZ);
	bool libraries = *(bool *)data, is_whole = libraries || (loader && object->dlpi_addr == loader);

	(void)size;
	/* The program itself has no name; nor does the sandbox let go of what is below 4 GiB, where one may be. */
	if (libraries && (!*object->dlpi_name || !(object->dlpi_addr >> 32)))
		return 0;
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &object->dlpi_phdr[i];
		uintptr_t start = (object->dlpi_addr + part->p_vaddr) & ~(page - 1);
		uintptr_t end = object->dlpi_addr + part->p_vaddr + part->p_filesz;
		bool is_tables = !part->p_offset && !(part->p_flags & PF_X);

		/* What is not written to is as it is in the file. */
		if (part->p_type == PT_LOAD && !(part->p_flags & PF_W) && (is_tables || is_whole))
			madvise((void *)start, end - start, MADV_DONTNEED);
	}
	return 0;
}

void resident_drop_loader(void)
{
	bool libraries = false;

	dl_iterate_phdr(drop, &libraries);
}

void resident_drop_libraries(void)
{
	bool libraries = true;

	dl_iterate_phdr(drop, &libraries);
}
