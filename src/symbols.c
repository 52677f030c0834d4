#define _GNU_SOURCE
#include "symbols.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

union header {
	unsigned char ident[EI_NIDENT];
	Elf32_Ehdr elf32;
	Elf64_Ehdr elf64;
};

/* gdb puts the sections of one that is not linked where it likes. */
static bool is_fit(unsigned int type, unsigned int machine)
{
	return (type == ET_EXEC || type == ET_DYN) &&
	       (machine == EM_386 || machine == EM_X86_64 || machine == EM_NONE);
}

/*
 * gdb does with the file what suits boot code badly, so it gets another header. A machine of i386 makes
 * it take all code for 32-bit code, whatever the target's description says: the machine of a 32-bit file is
 * "none". That of a 64-bit file stays, for gdb's sight of addresses and of how functions begin. And of a
 * program with more than two segments it would move only .text, .data and .bss: one that is moved has a
 * single segment that holds everything, and stands behind the end of the file.
 */
static bool make_header(struct symbols *symbols, union header *header, bool moved)
{
	const uint64_t size = symbols->size;

	if (header->ident[EI_CLASS] == ELFCLASS32) {
		Elf32_Phdr segment = {.p_type = PT_LOAD, .p_filesz = (Elf32_Word)size,
				      .p_memsz = UINT32_MAX, .p_flags = PF_R | PF_W | PF_X};

		symbols->header_len = sizeof(header->elf32);
		if (!is_fit(header->elf32.e_type, header->elf32.e_machine) || size > UINT32_MAX)
			return false;
		header->elf32.e_machine = EM_NONE;
		if (moved) {
			header->elf32.e_phoff = (Elf32_Off)size;
			header->elf32.e_phentsize = sizeof(segment);
			header->elf32.e_phnum = 1;
			symbols->segment_len = sizeof(segment);
			memcpy(symbols->segment, &segment, sizeof(segment));
		}
	} else {
		Elf64_Phdr segment = {.p_type = PT_LOAD, .p_filesz = size, .p_memsz = UINT64_MAX,
				      .p_flags = PF_R | PF_W | PF_X};

		symbols->header_len = sizeof(header->elf64);
		if (!is_fit(header->elf64.e_type, header->elf64.e_machine))
			return false;
		if (moved) {
			header->elf64.e_phoff = size;
			header->elf64.e_phentsize = sizeof(segment);
			header->elf64.e_phnum = 1;
			symbols->segment_len = sizeof(segment);
			memcpy(symbols->segment, &segment, sizeof(segment));
		}
	}
	memcpy(symbols->header, header, symbols->header_len);
	return true;
}

static int look(struct symbols *symbols, const char *path, bool moved, char *why, size_t size)
{
	union header header = {0};
	struct stat status;
	ssize_t n;

	if (fstat(symbols->fd, &status)) {
		snprintf(why, size, "cannot read %s: %s", path, strerror(errno));
		return -errno;
	}
	if (!S_ISREG(status.st_mode)) {
		snprintf(why, size, "%s: not a regular file", path);
		return -EINVAL;
	}
	symbols->size = (uint64_t)status.st_size;
	n = pread(symbols->fd, &header, sizeof(header), 0);
	if (n < (ssize_t)sizeof(header.elf32) || memcmp(header.ident, ELFMAG, SELFMAG) ||
	    (header.ident[EI_CLASS] != ELFCLASS32 &&
	     (header.ident[EI_CLASS] != ELFCLASS64 || n < (ssize_t)sizeof(header.elf64))) ||
	    header.ident[EI_DATA] != ELFDATA2LSB || !make_header(symbols, &header, moved)) {
		snprintf(why, size, "%s: not a linked ELF file for x86", path);
		return -ENOEXEC;
	}
	symbols->path = realpath(path, NULL);
	if (!symbols->path) {
		snprintf(why, size, "cannot find out the full path of %s: %s", path, strerror(errno));
		return -errno;
	}
	symbols->file = (struct gdbstub_file){.name = symbols->path,
					      .size = symbols->size + symbols->segment_len,
					      .modified = status.st_mtime};
	return 0;
}

int symbols_open(struct symbols *symbols, const char *path, uint64_t offset, char *why, size_t size)
{
	int result;

	/* A FIFO is to be refused, not to be waited for. */
	*symbols = (struct symbols){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
	if (symbols->fd < 0) {
		snprintf(why, size, "cannot open %s: %s", path, strerror(errno));
		return -errno;
	}
	result = look(symbols, path, offset != 0, why, size);
	if (result)
		symbols_close(symbols);
	return result;
}

bool symbols_are_64(const struct symbols *symbols)
{
	return symbols->header[EI_CLASS] == ELFCLASS64;
}

void symbols_close(struct symbols *symbols)
{
	close(symbols->fd);
	free(symbols->path);
	symbols->path = NULL;
}

/* Puts `part`, which belongs at `at`, over what of it is among the n bytes from `offset` on. */
static void overlay(uint8_t *buf, uint64_t offset, size_t n, uint64_t at, const uint8_t *part, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (at + i >= offset && at + i - offset < n)
			buf[at + i - offset] = part[i];
	}
}

ssize_t symbols_read(const struct symbols *symbols, uint64_t offset, void *buf, size_t size)
{
	ssize_t n;

	if (offset >= symbols->file.size)
		return 0;
	if (offset >= symbols->size) {
		if (size > symbols->file.size - offset)
			size = symbols->file.size - offset;
		n = (ssize_t)size;
	} else {
		if (size > symbols->size - offset)
			size = symbols->size - offset;
		do
			n = pread(symbols->fd, buf, size, (off_t)offset);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			return -errno;
	}
	overlay(buf, offset, (size_t)n, 0, symbols->header, symbols->header_len);
	overlay(buf, offset, (size_t)n, symbols->size, symbols->segment, symbols->segment_len);
	return n;
}
