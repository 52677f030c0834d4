/* Raw binaries: the bytes as they are, at --load, entered at --entry in the mode of --mode. */
#include <errno.h>
#include <stdio.h>

#include "load/load.h"
#include "machine.h"
#include "options.h"

static int matches(const struct options *options, const struct image *image)
{
	(void)options;
	(void)image;
	return 1;
}

static int load(struct machine *machine, const struct image *image, char *why, size_t size)
{
	const struct options *options = machine->options;
	struct load_entry entry = {
		.mode = options->mode,
		.linear = options->entry ? options->entry_offset : options->load,
		.image_end = options->load < machine->vm.low_size ? options->load + image->size : 0,
	};
	int result;

	if (image->truncated) {
		snprintf(why, size,
			 "%s is larger than the guest's memory of %llu bytes: give it more with "
			 "--memory",
			 image->path, (unsigned long long)machine->vm.size);
		return -EFBIG;
	}
	result = load_copy(machine, options->load, image->data, image->size, why, size);
	if (result)
		return result;
	if (options->mode == 16)
		return options->entry && options->entry_has_segment
			       ? load_real_mode(machine, options->entry_segment,
						(uint16_t)options->entry_offset, options->load, why, size)
			       : load_real_mode_at(machine, entry.linear, options->load, why, size);
	if (options->entry && options->entry_has_segment) {
		snprintf(why, size, "the entry of %d-bit code is a linear address", options->mode);
		return -EINVAL;
	}
	if (!vm_host(&machine->vm, entry.linear, NULL)) {
		snprintf(why, size, "there is no memory at the entry 0x%llx",
			 (unsigned long long)entry.linear);
		return -EINVAL;
	}
	return load_flat_mode(machine, &entry, why, size);
}

const struct image_type image_raw = {
	.name = "raw", .help = "any bytes, at --load, from --entry on", .matches = matches, .load = load, .is_bare = true};
