/* Multiboot 2 (GNU: Multiboot2 Specification version 2.0). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "e820.h"
#include "load/multiboot.h"
#include "machine.h"
#include "options.h"

#define SEARCH 32768
#define ENTRY_MAGIC 0x36d76289u
#define ARCHITECTURE_I386 0

struct header {
	uint32_t magic, architecture, len, checksum;
};

/* Tags stand at multiples of 8, in the header and in the information. */
#define TAG_ALIGN 8

struct header_tag {
	uint16_t type, flags;
	uint32_t size;
};

#define FLAG_OPTIONAL 1

struct relocation {
	bool given;
	uint32_t min, max, align, preference;
};

#define PREFER_HIGHEST 2

struct parse {
	struct multiboot *multiboot;
	struct relocation relocation;
};

/* What the kernel wants to be told: what there is of it, it is told in any case. */
static int parse_request(struct parse *parse, const uint8_t *data, size_t len, bool optional)
{
	struct kernel *kernel = &parse->multiboot->kernel;

	for (size_t at = 0; !optional && at + 4 <= len; at += 4) {
		uint32_t type;

		memcpy(&type, data + at, sizeof(type));
		if (type > 21)
			return kernel_refuse(kernel, "%s requests information of the unknown Multiboot 2 type %u",
					     kernel->image->path, type);
	}
	return 0;
}

static int parse_addresses(struct parse *parse, const uint8_t *data, size_t len, bool optional)
{
	struct multiboot *multiboot = parse->multiboot;
	struct multiboot_addresses *addresses = &multiboot->addresses;

	(void)len;
	(void)optional;
	memcpy(addresses, data, sizeof(*addresses));
	multiboot->has_addresses = true;
	/* From the beginning of the file. */
	if (addresses->load == UINT32_MAX)
		addresses->load = addresses->header - (uint32_t)multiboot->header;
	return 0;
}

static int parse_entry(struct parse *parse, const uint8_t *data, size_t len, bool optional)
{
	(void)len;
	(void)optional;
	memcpy(&parse->multiboot->entry, data, sizeof(parse->multiboot->entry));
	parse->multiboot->has_entry = true;
	return 0;
}

static int parse_nothing(struct parse *parse, const uint8_t *data, size_t len, bool optional)
{
	(void)parse;
	(void)data;
	(void)len;
	(void)optional;
	return 0;
}

static int parse_relocation(struct parse *parse, const uint8_t *data, size_t len, bool optional)
{
	uint32_t fields[4];

	(void)len;
	(void)optional;
	memcpy(fields, data, sizeof(fields));
	parse->relocation = (struct relocation){true, fields[0], fields[1], fields[2], fields[3]};
	if (fields[2] & (fields[2] - 1))
		return kernel_refuse(&parse->multiboot->kernel,
				     "the Multiboot 2 header of %s wants an alignment of 0x%x, which is no power of 2",
				     parse->multiboot->kernel.image->path, fields[2]);
	if (!fields[2])
		parse->relocation.align = 1;
	return 0;
}

static const struct {
	uint16_t type;
	uint16_t size; /* of what follows the tag's first 8 bytes, at least */
	int (*parse)(struct parse *parse, const uint8_t *data, size_t len, bool optional);
} header_tags[] = {
	{1, 0, parse_request},	  {2, 16, parse_addresses}, {3, 4, parse_entry},
	{4, 4, parse_nothing},	  /* the console: it is text, as on any PC */
	{5, 12, parse_nothing},	  /* the mode that it would like: it is told of the one that there is */
	{6, 0, parse_nothing},	  /* modules begin at pages in any case */
	{7, 0, parse_nothing},	  /* EFI, of which there is none */
	{8, 4, parse_nothing},	  {9, 4, parse_nothing},    {10, 16, parse_relocation},
};

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static int parse_tag(struct parse *parse, const struct header_tag *tag, const uint8_t *data, size_t len)
{
	struct kernel *kernel = &parse->multiboot->kernel;
	bool optional = tag->flags & FLAG_OPTIONAL;

	for (size_t i = 0; i < COUNT(header_tags); i++) {
		if (header_tags[i].type != tag->type)
			continue;
		if (len < header_tags[i].size)
			return kernel_refuse(kernel, "tag %u in the Multiboot 2 header of %s is too short", tag->type,
					     kernel->image->path);
		return header_tags[i].parse(parse, data, len, optional);
	}
	if (optional)
		return 0;
	return kernel_refuse(kernel, "the Multiboot 2 header of %s has a tag of the unknown type %u", kernel->image->path,
			     tag->type);
}

static bool find(const struct image *image, size_t *at, struct header *header)
{
	*at = multiboot_find(image, MULTIBOOT2_MAGIC, SEARCH, TAG_ALIGN, 4);
	if (*at == image->size)
		return false;
	memcpy(header, image->data + *at, sizeof(*header));
	return true;
}

static int parse_header(struct parse *parse, const struct header *header)
{
	struct multiboot *multiboot = parse->multiboot;
	struct kernel *kernel = &multiboot->kernel;
	const struct image *image = kernel->image;
	const uint8_t *data = image->data + multiboot->header;
	size_t len = header->len, at = sizeof(*header);

	if (header->architecture != ARCHITECTURE_I386)
		return kernel_refuse(kernel, "the Multiboot 2 header of %s is for the architecture %u, and not for x86",
				     image->path, header->architecture);
	if (len > image->size - multiboot->header)
		return kernel_refuse(kernel, "%s is cut off: its Multiboot 2 header reaches beyond its end", image->path);
	while (at + sizeof(struct header_tag) <= len) {
		struct header_tag tag;
		int result;

		memcpy(&tag, data + at, sizeof(tag));
		if (!tag.type)
			return 0;
		if (tag.size < sizeof(tag) || tag.size > len - at)
			return kernel_refuse(kernel, "tag %u in the Multiboot 2 header of %s has a size of %u", tag.type,
					     image->path, tag.size);
		result = parse_tag(parse, &tag, data + at + sizeof(tag), tag.size - sizeof(tag));
		if (result)
			return result;
		at += ((size_t)tag.size + TAG_ALIGN - 1) & ~(size_t)(TAG_ALIGN - 1);
	}
	return 0;
}

static int matches(const struct options *options, const struct image *image)
{
	struct multiboot multiboot = {.kernel = {.image = image}};
	char why[256];
	struct parse parse = {.multiboot = &multiboot};
	struct header header;

	multiboot.kernel.why = why;
	multiboot.kernel.size = sizeof(why);
	if (!find(image, &multiboot.header, &header))
		return false;
	/* With a mistake in the header, whoever made the kernel wants to know. */
	return multiboot_suits(options, image, !parse_header(&parse, &header) && multiboot.has_addresses);
}

/* Where it is linked there may be no memory: then it goes to where the header lets it. */
static int relocate(struct multiboot *multiboot, const struct relocation *relocation)
{
	struct kernel *kernel = &multiboot->kernel;
	struct elf *elf = &kernel->elf;
	struct load_space space = {0};
	uint64_t start, last, max = kernel_memory_end(kernel), to;
	int result = 0;

	if (!relocation->given || !multiboot->loads_elf)
		return 0;
	start = elf->segments[0].physical;
	last = elf->segments[elf->count - 1].physical + (elf->segments[elf->count - 1].size - 1);
	if (last < max)
		return 0;
	if (max > (uint64_t)relocation->max + 1)
		max = (uint64_t)relocation->max + 1;
	/* The rest of the information is below. */
	if (last - start == UINT64_MAX ||
	    load_space_find(&space, relocation->min < HIGH_MEMORY_START ? HIGH_MEMORY_START : relocation->min, max,
			    last - start + 1, relocation->align, relocation->preference == PREFER_HIGHEST, &to))
		result = kernel_refuse(kernel, "there is no room for %s where it may be moved to: give the guest more with "
					       "--memory",
				       kernel->image->path);
	load_space_free(&space);
	for (size_t i = 0; !result && i < elf->count; i++)
		elf->segments[i].physical += to - start;
	/* It is an address as the kernel was linked, too. */
	if (!result && multiboot->has_entry)
		multiboot->entry += (uint32_t)(to - start);
	return result;
}

enum info_tag {
	INFO_END,
	INFO_COMMAND_LINE,
	INFO_LOADER,
	INFO_MODULE,
	INFO_MEMORY,
	INFO_MAP = 6,
	INFO_FRAMEBUFFER = 8,
	INFO_SECTIONS,
	INFO_BASE = 21,
};

/* A tag with its size still to come; returns its offset for end_tag(). */
static size_t begin_tag(struct bytes *bytes, enum info_tag type)
{
	uint32_t head[2] = {type, 0};

	bytes_align(bytes, TAG_ALIGN);
	return bytes_add(bytes, head, sizeof(head));
}

static void end_tag(struct bytes *bytes, size_t at)
{
	uint32_t len = (uint32_t)(bytes->size - at);

	if (!bytes->failed)
		memcpy(bytes->data + at + 4, &len, sizeof(len));
}

static void add_tag(struct bytes *bytes, enum info_tag type, const void *data, size_t len)
{
	size_t at = begin_tag(bytes, type);

	bytes_add(bytes, data, len);
	end_tag(bytes, at);
}

static void add_map(const struct vm *vm, struct bytes *bytes)
{
	const uint32_t head[] = {sizeof(struct e820_entry) + 4, 0}; /* size of an entry, version */
	struct e820_entry map[E820_MAX];
	size_t count = e820_map(vm, map), at = begin_tag(bytes, INFO_MAP);

	bytes_add(bytes, head, sizeof(head));
	for (size_t i = 0; i < count; i++) {
		bytes_add(bytes, &map[i], sizeof(map[i]));
		bytes_add(bytes, NULL, 4);
	}
	end_tag(bytes, at);
}

static void make_info(const struct multiboot *multiboot, bool relocated, struct bytes *bytes)
{
	/* Text: address, pitch, columns and rows, bits, type and a reserved field. */
	static const struct {
		uint64_t address;
		uint32_t pitch, width, height;
		uint8_t bits, type;
		uint16_t reserved;
	} __attribute__((packed)) framebuffer = {0xb8000, 160, 80, 25, 16, 2, 0};
	const struct kernel *kernel = &multiboot->kernel;
	const struct vm *vm = &kernel->machine->vm;
	uint32_t memory[] = {EBDA_START >> 10, 0}, base = (uint32_t)kernel->start, total;
	const char *text = load_append(kernel->machine);

	bytes_add(bytes, NULL, 8);
	add_tag(bytes, INFO_COMMAND_LINE, text, strlen(text) + 1);
	add_tag(bytes, INFO_LOADER, MULTIBOOT_LOADER, sizeof(MULTIBOOT_LOADER));
	for (size_t i = 0; i < kernel->module_count; i++) {
		const struct kernel_module *module = &kernel->modules[i];
		size_t at = begin_tag(bytes, INFO_MODULE);

		bytes_add(bytes, &module->start, sizeof(module->start));
		bytes_add(bytes, &module->end, sizeof(module->end));
		bytes_add_text(bytes, module->arguments);
		end_tag(bytes, at);
	}
	if (multiboot->sections) {
		const uint32_t head[] = {kernel->elf.section_count, kernel->elf.section_size,
					 kernel->elf.section_names};
		size_t at = begin_tag(bytes, INFO_SECTIONS);

		bytes_add(bytes, head, sizeof(head));
		bytes_add(bytes, multiboot->sections, multiboot->sections_size);
		end_tag(bytes, at);
	}
	if (vm->low_size > HIGH_MEMORY_START)
		memory[1] = (uint32_t)((vm->low_size - HIGH_MEMORY_START) >> 10);
	add_tag(bytes, INFO_MEMORY, memory, sizeof(memory));
	add_map(vm, bytes);
	add_tag(bytes, INFO_FRAMEBUFFER, &framebuffer, sizeof(framebuffer));
	if (relocated)
		add_tag(bytes, INFO_BASE, &base, sizeof(base));
	add_tag(bytes, INFO_END, NULL, 0);
	total = (uint32_t)bytes->size;
	if (!bytes->failed)
		memcpy(bytes->data, &total, sizeof(total));
}

static int begin(struct multiboot *multiboot, bool relocated)
{
	struct bytes bytes = {0};
	uint32_t at = 0;
	int result;

	make_info(multiboot, relocated, &bytes);
	if (bytes.failed)
		result = kernel_refuse(&multiboot->kernel, "no memory to load %s", multiboot->kernel.image->path);
	else
		result = kernel_find_room(&multiboot->kernel, bytes.size, &at);
	if (!result)
		result = multiboot_enter(multiboot, &bytes, at, ENTRY_MAGIC);
	free(bytes.data);
	return result;
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	struct multiboot multiboot = {.kernel = {.machine = machine, .image = image, .why = why, .size = size}};
	struct parse parse = {.multiboot = &multiboot};
	struct header header;
	int result;

	if (options_reject_raw(machine->options, false, why, size))
		return -EINVAL;
	if (!find(image, &multiboot.header, &header))
		return kernel_refuse(&multiboot.kernel, "%s has no Multiboot 2 header in its first %u bytes", image->path,
				     SEARCH);
	result = parse_header(&parse, &header);
	if (!result)
		result = multiboot_begin(&multiboot);
	if (!result)
		result = relocate(&multiboot, &parse.relocation);
	if (!result)
		result = multiboot_load(&multiboot);
	if (!result)
		result = begin(&multiboot, parse.relocation.given);
	multiboot_free(&multiboot);
	return result;
}

const struct image_type image_multiboot2 = {
	.name = "multiboot2",
	.help = "a kernel with a Multiboot 2 header",
	.matches = matches,
	.load = load,
	.takes = TAKES_APPEND | TAKES_MODULES,
	.has_symbols = true,
};
