/* Intel HEX (Intel: Hexadecimal Object File Format Specification, revision A, 1988). */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "load/load.h"
#include "machine.h"
#include "options.h"

enum record_type { DATA, END, SEGMENT, START_SEGMENT, LINEAR, START_LINEAR };

#define RECORD_MAX (5 + 255) /* bytes: length, offset, type, data, checksum */
#define DATA_AT 4

struct reader {
	const struct image *image;
	size_t at;	   /* of the next character */
	unsigned int line; /* of the last record, from 1 */
	char *why;
	size_t size;
};

struct record {
	uint8_t bytes[RECORD_MAX];
	uint8_t len; /* of the data */
	uint16_t offset;
	uint8_t type;
};

static int refuse(const struct reader *reader, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(const struct reader *reader, const char *format, ...)
{
	char what[160];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	snprintf(reader->why, reader->size, "%s, line %u: %s", reader->image->path, reader->line, what);
	return -ENOEXEC;
}

static int digit(uint8_t character)
{
	static const char digits[] = "0123456789abcdef";
	const char *found;

	if (character >= 'A' && character <= 'F')
		character += 'a' - 'A';
	found = character ? strchr(digits, character) : NULL;
	return found ? (int)(found - digits) : -1;
}

/* Two digits, or -1. */
static int read_byte(struct reader *reader)
{
	const struct image *image = reader->image;
	int high, low;

	if (image->size - reader->at < 2)
		return -1;
	high = digit(image->data[reader->at]);
	low = digit(image->data[reader->at + 1]);
	if (high < 0 || low < 0)
		return -1;
	reader->at += 2;
	return high << 4 | low;
}

/* The ends of lines, of which there are three kinds, and blanks. */
static void skip_space(struct reader *reader)
{
	const struct image *image = reader->image;

	for (; reader->at < image->size && strchr(" \t\r\n", image->data[reader->at]) && image->data[reader->at];
	     reader->at++) {
		if (image->data[reader->at] == '\n')
			reader->line++;
	}
}

/* 1, or 0 at the end of the file, or a negative errno and why. */
static int read_record(struct reader *reader, struct record *record)
{
	const struct image *image = reader->image;
	uint8_t sum = 0;
	size_t count = DATA_AT + 1;

	skip_space(reader);
	if (reader->at == image->size)
		return 0;
	if (image->data[reader->at] != ':')
		return refuse(reader, "a record begins with a colon");
	reader->at++;
	for (size_t i = 0; i < count; i++) {
		int byte = read_byte(reader);

		if (byte < 0)
			return refuse(reader, "there are not the digits of %zu bytes", count);
		record->bytes[i] = (uint8_t)byte;
		sum += (uint8_t)byte;
		if (!i)
			count += (size_t)byte;
	}
	if (sum)
		return refuse(reader, "the checksum is %02x and should be %02x", record->bytes[count - 1],
			      (uint8_t)(record->bytes[count - 1] - sum));
	record->len = record->bytes[0];
	record->offset = (uint16_t)(record->bytes[1] << 8 | record->bytes[2]);
	record->type = record->bytes[3];
	return 1;
}

static int matches(const struct options *options, const struct image *image)
{
	char why[64];
	struct reader reader = {.image = image, .line = 1, .why = why, .size = sizeof(why)};
	struct record record;

	return !options->load_given && image->data[0] == ':' && read_record(&reader, &record) == 1;
}

struct place {
	uint64_t base;
	bool is_segment;    /* offsets then stay in its 64 KiB */
	uint64_t first, end; /* of all that was loaded in low memory */
	bool loaded;
	enum record_type start; /* START_*, or DATA: there was none */
	uint32_t start_value;
};

static int load_data(struct machine *machine, struct place *place, const struct record *record,
		     struct reader *reader)
{
	for (unsigned int i = 0; i < record->len; i++) {
		uint64_t offset = (uint64_t)record->offset + i;
		uint64_t to = place->base + (place->is_segment ? offset & 0xffff : offset);
		uint8_t *host;

		to &= UINT32_MAX;
		host = vm_host(&machine->vm, to, NULL);
		if (!host)
			return refuse(reader, "there is no memory at 0x%llx: give the guest more with --memory",
				      (unsigned long long)to);
		*host = record->bytes[DATA_AT + i];
		if (!place->loaded || to < place->first)
			place->first = to;
		if (!place->loaded || to >= place->end)
			place->end = to + 1;
		place->loaded = true;
	}
	return 0;
}

static int load_record(struct machine *machine, struct place *place, const struct record *record,
		       struct reader *reader)
{
	static const int lengths[] = {[DATA] = -1, [END] = 0, [SEGMENT] = 2, [START_SEGMENT] = 4,
				      [LINEAR] = 2, [START_LINEAR] = 4};
	const uint8_t *data = record->bytes + DATA_AT;

	if (record->type > START_LINEAR)
		return refuse(reader, "a record of the unknown type %02x", record->type);
	if (lengths[record->type] >= 0 && record->len != lengths[record->type])
		return refuse(reader, "a record of type %02x has %u bytes, and not %d", record->type, record->len,
			      lengths[record->type]);
	switch (record->type) {
	case DATA:
		return load_data(machine, place, record, reader);
	case SEGMENT:
	case LINEAR:
		place->is_segment = record->type == SEGMENT;
		place->base = (uint64_t)(data[0] << 8 | data[1]) << (place->is_segment ? 4 : 16);
		return 0;
	case START_SEGMENT:
	case START_LINEAR:
		place->start = record->type;
		place->start_value = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
		return 0;
	default:
		return 0;
	}
}

static int enter(struct machine *machine, const struct place *place, char *why, size_t size)
{
	const struct options *options = machine->options;
	struct load_entry entry = {
		.mode = options->mode_given || place->start != START_LINEAR ? options->mode : 32,
		.linear = options->entry ? options->entry_offset : place->start ? place->start_value : place->first,
		.image_end = place->first < machine->vm.low_size ? place->end : 0,
	};
	uint16_t segment = options->entry ? options->entry_segment : (uint16_t)(place->start_value >> 16);
	bool has_segment = options->entry ? options->entry_has_segment : place->start == START_SEGMENT;

	if (has_segment && entry.mode != 16) {
		snprintf(why, size, "the entry of %d-bit code is a linear address", entry.mode);
		return -EINVAL;
	}
	if (has_segment)
		return load_real_mode(machine, segment, (uint16_t)entry.linear, place->first, why, size);
	if (entry.mode == 16)
		return load_real_mode_at(machine, entry.linear, place->first, why, size);
	if (!vm_host(&machine->vm, entry.linear, NULL)) {
		snprintf(why, size, "there is no memory at the entry 0x%llx", (unsigned long long)entry.linear);
		return -EINVAL;
	}
	return load_flat_mode(machine, &entry, why, size);
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	struct reader reader = {.image = image, .line = 1, .why = why, .size = size};
	struct place place = {0};
	struct record record = {.type = DATA};
	int result;

	if (machine->options->load_given) {
		snprintf(why, size, "--load is for raw images: %s says itself where it goes", image->path);
		return -EINVAL;
	}
	do {
		result = read_record(&reader, &record);
		if (result > 0)
			result = load_record(machine, &place, &record, &reader) ? -ENOEXEC : 1;
	} while (result > 0 && record.type != END);
	if (result < 0)
		return result;
	if (!result)
		return refuse(&reader, "the file ends without a record of its end (:00000001FF)");
	if (!place.loaded) {
		snprintf(why, size, "%s has no data", image->path);
		return -ENOEXEC;
	}
	return enter(machine, &place, why, size);
}

const struct image_type image_ihex = {
	.name = "ihex", .help = "Intel HEX", .matches = matches, .load = load, .is_bare = true};
