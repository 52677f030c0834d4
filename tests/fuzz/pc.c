#define _GNU_SOURCE
#include "pc.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bios/bios.h"
#include "bios/rom.h"
#include "devices/devices.h"
#include "disks/drives.h"
#include "irq.h"
#include "load/load.h"
#include "memory.h"
#include "options.h"
#include "screen.h"
#include "segment.h"
#include "trace.h"
#include "vcpu.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

#define STACK 0x7000u
/* Text and pictures of the screen, and keys, cost more than all else. */
#define DEAR_MAX 4

struct machine pc;
static const struct options options = {.memory = PC_MEMORY, .type = "auto", .rtc = 1700000000};

static struct kvm_run run_pages[4];
struct drives pc_drives;
static unsigned int dear;

int __wrap_ioctl(int fd, unsigned long request, ...);
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask);

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	(void)fd;
	(void)request;
	return 0;
}

/* A wait is over at once, and the host's clock has gone on for as long. */
int __wrap_ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
	(void)fds;
	(void)count;
	(void)mask;
	if (timeout)
		pc.clock.host -= (uint64_t)timeout->tv_sec * CLOCK_SECOND + (uint64_t)timeout->tv_nsec;
	return 0;
}

/* Disks */

/* Of bytes; the larger ones are all zeros but for what is in the input, and are not read at once. */
static const uint64_t disk_sizes[] = {512, 1440 * 1024, 3 << 20, 504ull << 20, 1, 513, 64 * 1024, 9ull << 30};
/* In bytes: where the records are that the input may write to, beside any other place. */
static const uint64_t places[] = {0, 0x1b8, 0x1be, 16 * 2048, 17 * 2048, 18 * 2048, 20 * 2048, 11};

/* A byte with the kind, access and size, then pieces of contents: a place, a length, and bytes. */
static void add_disk(struct input *input)
{
	struct disk_spec spec = {0};
	uint8_t how = take_byte(input);
	uint64_t size = disk_sizes[how & 7];
	char why[256];
	int fd = memfd_create("disk", MFD_CLOEXEC);

	spec.kind = (enum disk_kind)(how >> 3 & 3);
	spec.access = how >> 5 & 1 ? DISK_READ_WRITE : how >> 6 & 1 ? DISK_READ_ONLY : DISK_PRIVATE;
	if (fd < 0 || ftruncate(fd, (off_t)size))
		abort();
	for (uint8_t pieces = take_byte(input) & 7; pieces; pieces--) {
		uint8_t place = take_byte(input);
		uint64_t at = place & 0x80 ? take(input, 4) * (uint64_t)(place & 0x40 ? 2048 : 1) : places[place & 7];
		size_t len;
		const uint8_t *bytes = take_bytes(input, take_byte(input), &len);

		if (at < size && pwrite(fd, bytes, len < size - at ? len : (size_t)(size - at), (off_t)at) < 0)
			abort();
	}
	if (disk_open(&pc_drives.disks[pc_drives.count], "disk", fd, &spec, why, sizeof(why)))
		return;
	pc_drives.count++;
}

static void start_memory(void)
{
	static uint8_t *memory;

	if (!memory) {
		memory = mmap(NULL, 3ul * PC_MEMORY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (memory == MAP_FAILED || mprotect(memory + PC_MEMORY, PC_MEMORY, PROT_READ | PROT_WRITE))
			abort();
	}
	pc.vm.memory = memory + PC_MEMORY;
	pc.vm.size = pc.vm.low_size = PC_MEMORY;
	memset(pc.vm.memory, 0, PC_MEMORY);
}

void pc_start(struct input *input)
{
	static const uint8_t nothing[SECTOR_SIZE];
	static struct image image = {.path = "image", .data = (uint8_t *)nothing, .size = sizeof(nothing), .fd = -1,
				     .type = &image_boot};
	static int nowhere = -1;
	uint8_t how = take_byte(input);
	const uint8_t *bytes;
	size_t len;

	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	memset(&pc, 0, sizeof(pc));
	memset(run_pages, 0, sizeof(run_pages));
	pc.options = &options;
	pc.image = &image;
	pc.console.fd = nowhere;
	pc.interrupt = -1;
	pc.is_pc = true;
	pc.serial = (struct serial){.in = -1, .out = -1, .listener = -1, .kept = -1, .to_console = true};
	pc.trace = how >> 6 & (TRACE_BIOS | TRACE_IO);
	/* What somebody sends by the serial line. */
	bytes = take_bytes(input, how >> 2 & 15, &len);
	if (len)
		memcpy(pc.serial.buffer, bytes, len);
	pc.serial.end = (unsigned int)len;
	start_memory();
	pc_drives = (struct drives){.boots = true};
	for (uint8_t disks = how & 3; disks; disks--)
		add_disk(input);
	drives_assign(&pc_drives);
	pc.drives = &pc_drives;
	pc.vcpu = (struct vcpu){.vm = &pc.vm, .fd = -1, .has_features = true, .run = run_pages, .regs = &pc.vcpu.own_regs,
				.sregs = &pc.vcpu.own_sregs};
	pc.vcpu.own_sregs.cr0 = CR0_ET;
	pc.vcpu.own_regs.rflags = 2;
	pc.vcpu.own_regs.rsp = STACK;
	for (enum segment segment = SEGMENT_CS; segment <= SEGMENT_GS; segment++)
		segment_set_real(segment_of(&pc.vcpu.own_sregs, segment), segment, 0);
	drives_reset(pc.drives, false);
	devices_reset(&pc);
	bios_power_on(&pc);
	dear = 0;
}

void pc_end(void)
{
	if (pc.vm.window.size)
		vm_close_window(&pc.vm);
	typist_free(&pc);
	drives_close(&pc_drives);
}

/* Actions */

/* A port of a device's more often than any. */
static uint16_t take_port(struct input *input)
{
	static const uint16_t bases[] = {PORT_DMA1, PORT_PIC1, PORT_PIT, PORT_KEYBOARD, PORT_RTC, PORT_CODE, PORT_PIC2,
					 PORT_DMA2, IDE_SECONDARY, IDE_PRIMARY, PORT_VGA_MONO, PORT_VGA, PORT_VGA_COLOUR,
					 IDE_PRIMARY + IDE_CONTROL, UART_COM1};
	uint8_t which = take_byte(input);

	if (which >> 4 >= (int)COUNT(bases))
		return (uint16_t)take(input, 2);
	return (uint16_t)(bases[which >> 4] + (which & 15));
}

/* An I/O exit as KVM makes it. */
static void do_port(struct input *input, bool write)
{
	static const uint8_t sizes[] = {1, 2, 4, 1};
	struct kvm_run *run = pc.vcpu.run;
	uint8_t how = take_byte(input), *data = (uint8_t *)run_pages + VM_PAGE;

	run->io.port = take_port(input);
	run->io.size = sizes[how & 3];
	run->io.direction = write ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	run->io.data_offset = VM_PAGE;
	run->io.count = how >> 2 & 1 ? take(input, 2) % (VM_PAGE / run->io.size) + 1 : 1;
	for (uint32_t i = 0; i < run->io.count && write; i++) {
		uint64_t value = take(input, run->io.size);

		memcpy(data + i * run->io.size, &value, run->io.size);
	}
	devices_serve(&pc);
	/* What a service's OUT begins is done by do_service(). */
	pc.bios.trapped = false;
}

/* A vector, AX, and others of the registers that have a bit in a byte. */
static void do_service(struct input *input)
{
	struct kvm_regs *regs = pc.vcpu.regs;
	__u64 *const others[] = {&regs->rbx, &regs->rcx, &regs->rdx, &regs->rsi, &regs->rdi, &regs->rbp};
	uint8_t trap = take_byte(input), how;
	uint16_t frame[3] = {0x100, 0x1000, 0x202};
	struct gdbstub_stop stop = {0};

	regs->rax = (regs->rax & ~0xffffull) | take(input, 2);
	how = take_byte(input);
	for (unsigned int i = 0; i < COUNT(others); i++) {
		if (how >> i & 1)
			*others[i] = (*others[i] & ~0xffffull) | take(input, 2);
	}
	if (how & 0x40)
		frame[2] = (uint16_t)take(input, 2);
	if (how & 0x80)
		frame[1] = (uint16_t)take(input, 2);
	trap %= ROM_TRAPS;
	segment_set_real(&pc.vcpu.own_sregs.cs, SEGMENT_CS, ROM_SEGMENT);
	memory_write(&pc.vcpu, vcpu_sp(&pc.vcpu), frame, sizeof(frame));
	for (int again = 0; again < 4; again++) {
		regs->rip = rom_stub(trap) + ROM_STUB_DONE;
		if (bios_serve(&pc, &stop) == STOPPED && stop.reason == GDBSTUB_EXITED && (stop.status < 0 || stop.status > 255))
			abort();
		if (!pc.bios.waits)
			break;
		clock_advance(&pc, CLOCK_BIOS_POLL);
	}
}

static void do_register(struct input *input)
{
	struct kvm_regs *regs = pc.vcpu.regs;
	__u64 *const general[] = {&regs->rax, &regs->rbx, &regs->rcx, &regs->rdx, &regs->rsi, &regs->rdi, &regs->rbp,
				     &regs->rsp};
	uint8_t which = take_byte(input);

	if (which < 0x80)
		*general[which & 7] = take(input, 1u << (which >> 3 & 3));
	else
		segment_set_real(segment_of(&pc.vcpu.own_sregs, (enum segment)(SEGMENT_CS + which % 6)),
				 (enum segment)(SEGMENT_CS + which % 6), (uint16_t)take(input, 2));
}

static void do_memory(struct input *input)
{
	static const uint32_t bases[] = {0, 0x400, STACK, 0x10000, 0x9fc00, 0xa0000, 0xb8000, 0xf0000};
	uint8_t where = take_byte(input);
	uint64_t at = bases[where & 7] + take(input, where & 8 ? 1 : 2);
	size_t len;
	const uint8_t *bytes = take_bytes(input, where >> 4, &len);

	memory_write_physical(&pc.vcpu, at, bytes, len);
}

static void do_mmio(struct input *input)
{
	uint8_t how = take_byte(input), data[8];
	uint64_t at = 0xa0000 + take(input, 2), left;
	uint64_t value = how & 0x80 ? take(input, 8) : 0;
	size_t len = (how & 7) + 1;

	memcpy(data, &value, sizeof(data));
	if (vm_in_window(&pc.vm, at, &left) && len <= left)
		vm_access_window(&pc.vm, at, data, len, how & 0x80 ? WINDOW_WRITE : how & 0x40 ? WINDOW_PEEK : WINDOW_READ);
}

/* As a HLT, or code that takes its time, lets it go by. */
static void do_time(struct input *input)
{
	uint8_t how = take_byte(input);

	if (how & 1 && pc.clock.next != CLOCK_NEVER && pc.clock.next > pc.clock.now)
		clock_advance(&pc, pc.clock.next - pc.clock.now);
	else
		clock_advance(&pc, (uint64_t)how << (how >> 3));
}

static void do_interrupt(struct input *input)
{
	(void)input;
	if (irq_vector(&pc) > 255)
		abort();
	if (irq_vector(&pc) >= 0)
		irq_taken(&pc);
	pc.interrupt = -1;
}

static void do_screen(struct input *input)
{
	static struct screen screen;
	size_t len;
	char *text;

	(void)input;
	if (dear++ >= DEAR_MAX)
		return;
	screen_read(&pc, &screen);
	text = screen_text(&screen, &len);
	if (!text || screen.columns > SCREEN_COLUMNS_MAX || screen.rows > SCREEN_ROWS_MAX)
		abort();
	free(text);
}

static void do_keys(struct input *input)
{
	char text[32] = "", why[KEYS_WHY];
	size_t len;
	const uint8_t *bytes = take_bytes(input, take_byte(input) % sizeof(text), &len);

	if (dear++ >= DEAR_MAX)
		return;
	if (len)
		memcpy(text, bytes, len);
	typist_add(&pc, text, why, sizeof(why));
}

/* The guest has asked for a reset, or gives the disks back what it has written to them. */
static void do_reset(struct input *input)
{
	uint8_t how = take_byte(input);

	if (pc.request == MACHINE_GO_ON && !(how & 1))
		return;
	pc.request = MACHINE_GO_ON;
	drives_reset(pc.drives, how & 2);
	if (pc.vm.window.size)
		vm_close_window(&pc.vm);
	devices_reset(&pc);
	bios_power_on(&pc);
}

static void do_write(struct input *input)
{
	do_port(input, true);
}

static void do_read(struct input *input)
{
	do_port(input, false);
}

static void check(void)
{
	if (pc.keyboard.count > KEYBOARD_BUFFER || pc.keyboard.reply_count > KEYBOARD_REPLIES ||
	    pc_drives.drive_count > DRIVES_MAX || pc.serial.start > pc.serial.end || pc.serial.end > SERIAL_BUFFER)
		abort();
	for (unsigned int i = 0; i < IDE_CHANNELS; i++) {
		const struct ide_channel *channel = &pc.ide.channel[i];

		if (channel->at > channel->filled || channel->filled > sizeof(channel->buffer) || channel->active > 1)
			abort();
	}
}

void pc_use_ports(struct input *input)
{
	static void (*const actions[])(struct input *) = {do_write, do_read,  do_write,	   do_read,   do_write, do_mmio,  do_time,
							  do_time,  do_keys,  do_interrupt, do_screen, do_reset, do_write, do_read,
							  do_write, do_memory};

	while (input->left) {
		actions[take_byte(input) % COUNT(actions)](input);
		check();
	}
}

void pc_call_bios(struct input *input)
{
	static void (*const actions[])(struct input *) = {do_service, do_register, do_service, do_register, do_service,
							  do_register, do_memory, do_memory, do_time, do_keys, do_screen,
							  do_reset, do_write, do_read, do_interrupt, do_register};

	while (input->left) {
		actions[take_byte(input) % COUNT(actions)](input);
		check();
	}
}
