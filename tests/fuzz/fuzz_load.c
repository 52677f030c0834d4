/*
 * Images of all types but disks, without KVM. The first byte of the input says in which mode the file begins, whether
 * it is the beginning of a larger one, and of which type it is; the rest is the file. What is loaded must begin in
 * memory, and have a stack where the type gives it one.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "load/load.h"
#include "machine.h"
#include "memory.h"
#include "options.h"

#define MEMORY_SIZE 0x400000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int __wrap_ioctl(int fd, unsigned long request, ...);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	return 0;
}

/* By the upper four bits of the first byte. */
static const struct image_type *const types[] = {&image_elf,  &image_multiboot, &image_multiboot2, &image_pvh,
						 &image_linux, &image_linux16,	 &image_ihex,	    &image_com,
						 &image_rom};

static void check_begin(const struct machine *machine)
{
	const struct vcpu *vcpu = &machine->vcpu;
	uint64_t gpa;

	if (memory_translate(vcpu, vcpu_pc(vcpu), &gpa) || !vm_host(&machine->vm, gpa, NULL))
		abort();
	/* HEX has no notion of one, and the stack of a ROM is its own. */
	if (machine->image->type == &image_ihex || machine->image->type == &image_rom)
		return;
	if (memory_translate(vcpu, (vcpu_is_real(vcpu) ? (uint16_t)(vcpu_sp(vcpu) - 1) : vcpu_sp(vcpu) - 1), &gpa) ||
	    !vm_host(&machine->vm, gpa, NULL))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int modes[] = {16, 32, 64, 64};
	static struct kvm_run run;
	uint8_t file[] = "a module";
	struct load_file files[] = {{"--module", (char *)"one", "arguments", file, sizeof(file)},
				    {"--module", (char *)"two", "", file, sizeof(file)}};
	struct options options = {.memory = MEMORY_SIZE, .append = "text"};
	struct machine machine = {.options = &options};
	struct image image = {.path = "file", .files = files, .file_count = 2, .fd = -1};
	uint8_t *memory;
	char why[256];

	if (size < 2 || *data >> 4 >= sizeof(types) / sizeof(*types)) /* there are no empty images */
		return 0;
	image.type = types[*data >> 4];
	options.type = image.type->name;
	options.mode = modes[*data & 3];
	options.mode_given = *data & 4;
	image.truncated = *data & 8;
	/* Of just that size, so that what is read behind it is found. */
	image.size = size - 1;
	image.data = malloc(image.size);
	/* What is written around it is found, too. */
	memory = mmap(NULL, 3ul * MEMORY_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (!image.data || memory == MAP_FAILED ||
	    mprotect(memory + MEMORY_SIZE, MEMORY_SIZE, PROT_READ | PROT_WRITE))
		abort();
	memcpy(image.data, data + 1, image.size);
	machine.image = &image;
	machine.vm.memory = memory + MEMORY_SIZE;
	machine.vm.size = machine.vm.low_size = MEMORY_SIZE;
	machine.vcpu = (struct vcpu){.vm = &machine.vm, .fd = -1, .has_features = true, .run = &run,
				     .regs = &machine.vcpu.own_regs, .sregs = &machine.vcpu.own_sregs};
	if (image.type->matches)
		image.type->matches(&(struct options){0}, &image);
	if (!load_image(&machine, &image, why, sizeof(why)))
		check_begin(&machine);
	else if (!memchr(why, 0, sizeof(why)) || !*why)
		abort();
	if (machine.vm.rom)
		munmap(machine.vm.rom, machine.vm.rom_size);
	munmap(memory, 3ul * MEMORY_SIZE);
	free(image.data);
	return 0;
}
