#include "fake_target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define HIGH_START (UINT64_MAX - FAKE_HIGH_SIZE + 1)

/* Rounds between two looks at the client, and how many looks are enough without signals. */
#define POLL_ROUNDS 256
#define PATIENCE 64

enum { NARROW, WIDE };
enum { REGISTER_A, REGISTER_B, REGISTER_PC, REGISTER_MODE };

void fake_reset(struct fake_target *fake)
{
	memset(fake->thread, 0, sizeof(fake->thread));
	if (!fake->rom) {
		memset(fake->low, 0, sizeof(fake->low));
		memset(fake->high, 0, sizeof(fake->high));
	}
	fake->thread[1].pc = 0x100;
}

static int thread_id(int index)
{
	return index ? FAKE_SECOND_THREAD : 1;
}

static struct fake_thread *find_thread(struct fake_target *fake, int id)
{
	return &fake->thread[id == FAKE_SECOND_THREAD];
}

static int thread_next(void *target, int after)
{
	const struct fake_target *fake = target;

	for (int i = 0; i < fake->threads; i++) {
		if (thread_id(i) > after)
			return thread_id(i);
	}
	return 0;
}

static void thread_info(void *target, int thread, char *text, size_t size)
{
	snprintf(text, size, "at %" PRIx64, find_thread(target, thread)->pc);
}

static int layout(void *target, int thread)
{
	return find_thread(target, thread)->layout;
}

static const char *layout_name(void *target, int number)
{
	(void)target;
	return number == WIDE ? "now wide" : "now narrow";
}

/* The comment has the characters that a reply must escape. */
static const char *description(void *target, int number, const char *annex)
{
	(void)target;
	if (strcmp(annex, "target.xml"))
		return NULL;
	return number == WIDE ? "<target><!-- wide }#$* --></target>"
			      : "<target><!-- narrow --></target>";
}

static const char *triple(void *target, int number)
{
	(void)target;
	return number == WIDE ? "wide-fake" : "narrow-fake";
}

static int register_count(int number)
{
	return number == WIDE ? 4 : 3;
}

static size_t register_size(int layout_number, int number)
{
	if (number == REGISTER_MODE)
		return 1;
	return layout_number == WIDE ? 8 : 2;
}

static void put(uint8_t *to, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static uint64_t get(const uint8_t *from, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)from[i] << 8 * i;
	return value;
}

static uint64_t *register_of(struct fake_thread *thread, int number)
{
	uint64_t *const all[] = { &thread->a, &thread->b, &thread->pc };

	return all[number];
}

static ssize_t register_read(void *target, int thread_number, int layout_number, int number,
			     void *buf, size_t size)
{
	struct fake_target *fake = target;
	struct fake_thread *thread = find_thread(fake, thread_number);
	size_t len = register_size(layout_number, number);

	if (number >= register_count(layout_number) || size < len)
		return gdbstub_error(fake->stub, -EINVAL, "there is no register %d", number);
	put(buf, number == REGISTER_MODE ? (uint64_t)thread->layout : *register_of(thread, number),
	    len);
	return (ssize_t)len;
}

static int register_write(void *target, int thread, int layout_number, int number, const void *buf,
			  size_t len)
{
	struct fake_target *fake = target;

	if (number >= register_count(layout_number))
		return gdbstub_error(fake->stub, -EINVAL, "there is no register %d", number);
	if (len != register_size(layout_number, number))
		return gdbstub_error(fake->stub, -EINVAL, "the register has not %zu bytes", len);
	if (number == REGISTER_MODE)
		return gdbstub_error(fake->stub, -EPERM, "mode cannot be written");
	*register_of(find_thread(fake, thread), number) = get(buf, len);
	return 0;
}

static ssize_t registers_read(void *target, int thread, int layout_number, void *buf, size_t size)
{
	size_t used = 0;

	for (int i = 0; i < register_count(layout_number); i++) {
		ssize_t len = register_read(target, thread, layout_number, i, (uint8_t *)buf + used,
					    size - used);

		if (len < 0)
			return len;
		used += (size_t)len;
	}
	return (ssize_t)used;
}

static int registers_write(void *target, int thread, int layout_number, const void *buf, size_t len)
{
	const uint8_t *from = buf;
	size_t size = register_size(layout_number, REGISTER_A);

	if (len != 3 * size + (layout_number == WIDE))
		return -EINVAL;
	for (int i = 0; i <= REGISTER_PC; i++)
		*register_of(find_thread(target, thread), i) = get(from + (size_t)i * size, size);
	return 0;
}

static const int *expedited(void *target, int number)
{
	static const int pc[] = { REGISTER_PC, -1 };

	(void)target;
	(void)number;
	return pc;
}

static uint64_t pc(void *target, int thread)
{
	return find_thread(target, thread)->pc;
}

static int set_pc(void *target, int thread, uint64_t addr)
{
	struct fake_target *fake = target;

	if (addr >= FAKE_LOW_SIZE)
		return gdbstub_error(fake->stub, -EFAULT, "pc has 16 bits");
	find_thread(fake, thread)->pc = addr;
	return 0;
}

/* The memory at `addr` and how much of it there is from there on. */
static uint8_t *locate(struct fake_target *fake, uint64_t addr, size_t *left)
{
	if (addr < FAKE_LOW_SIZE) {
		*left = (size_t)(FAKE_LOW_SIZE - addr);
		return fake->low + addr;
	}
	if (addr >= HIGH_START) {
		*left = (size_t)(UINT64_MAX - addr) + 1;
		return fake->high + (addr - HIGH_START);
	}
	return NULL;
}

static ssize_t memory_read(void *target, int thread, uint64_t addr, void *buf, size_t len)
{
	struct fake_target *fake = target;
	size_t left;
	const uint8_t *from = locate(fake, addr, &left);

	(void)thread;
	if (!from)
		return gdbstub_error(fake->stub, -EFAULT, "no memory at 0x%" PRIx64, addr);
	if (len > left)
		len = left;
	memcpy(buf, from, len);
	return (ssize_t)len;
}

static int memory_write(void *target, int thread, uint64_t addr, const void *buf, size_t len)
{
	struct fake_target *fake = target;
	size_t left;
	uint8_t *to = locate(fake, addr, &left);

	(void)thread;
	if (!to || len > left)
		return gdbstub_error(fake->stub, -EFAULT, "no memory at 0x%" PRIx64,
				     to ? addr + left : addr);
	memcpy(to, buf, len);
	return 0;
}

static int memory_region(void *target, int thread, uint64_t addr, struct gdbstub_region *region)
{
	struct fake_target *fake = target;

	(void)thread;
	if (addr < FAKE_LOW_SIZE)
		*region = (struct gdbstub_region){ 0, FAKE_LOW_SIZE, true, true, true };
	else if (addr < HIGH_START)
		*region = (struct gdbstub_region){ .start = FAKE_LOW_SIZE,
						   .size = HIGH_START - FAKE_LOW_SIZE };
	else
		*region = (struct gdbstub_region){ HIGH_START, FAKE_HIGH_SIZE, true,
						   false, false };
	if (fake->low[0] == 'E')
		return gdbstub_error(fake->stub, -EIO, "no regions");
	return 0;
}

static int find_point(const struct fake_target *fake, enum gdbstub_point kind, uint64_t addr,
		      uint64_t len)
{
	for (int i = 0; i < fake->points; i++) {
		const struct fake_point *point = &fake->point[i];

		if (point->kind == kind && point->addr == addr && point->len == len)
			return i;
	}
	return -1;
}

static int point_insert(void *target, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct fake_target *fake = target;

	if (kind == GDBSTUB_POINT_HARDWARE && len == 3)
		return 1;
	if (len < 1 || len > 8)
		return gdbstub_error(fake->stub, -EINVAL, "a point has 1 to 8 bytes");
	if (find_point(fake, kind, addr, len) >= 0)
		return 0;
	if (fake->points == FAKE_POINTS)
		return -ENOSPC;
	fake->point[fake->points++] = (struct fake_point){ kind, addr, len };
	return 0;
}

static int point_remove(void *target, enum gdbstub_point kind, uint64_t addr, uint64_t len)
{
	struct fake_target *fake = target;
	int i = find_point(fake, kind, addr, len);

	if (i >= 0)
		fake->point[i] = fake->point[--fake->points];
	return 0;
}

static void points_clear(void *target)
{
	struct fake_target *fake = target;

	fake->points = 0;
}

static enum gdbstub_reason point_here(void *target, int thread)
{
	struct fake_target *fake = target;

	for (int i = 0; i < fake->points; i++) {
		if (fake->point[i].addr != find_thread(fake, thread)->pc)
			continue;
		if (fake->point[i].kind == GDBSTUB_POINT_SOFTWARE)
			return GDBSTUB_SWBREAK;
		if (fake->point[i].kind == GDBSTUB_POINT_HARDWARE)
			return GDBSTUB_HWBREAK;
	}
	return GDBSTUB_STOPPED;
}

/* Each breakpoint at the thread's pc has its own say. */
static enum gdbstub_reason point_hit(void *target, int thread)
{
	struct fake_target *fake = target;
	uint64_t at = find_thread(fake, thread)->pc;
	enum gdbstub_reason reason = GDBSTUB_STOPPED;
	bool seen[2] = { false, false };

	for (int i = 0; i < fake->points; i++) {
		const struct fake_point *point = &fake->point[i];

		if (point->addr != at || point->kind > GDBSTUB_POINT_HARDWARE || seen[point->kind])
			continue;
		seen[point->kind] = true;
		if (gdbstub_point_hit(fake->stub, point->kind, at, thread) == GDBSTUB_STOP && reason == GDBSTUB_STOPPED)
			reason = point->kind == GDBSTUB_POINT_SOFTWARE ? GDBSTUB_SWBREAK : GDBSTUB_HWBREAK;
	}
	return reason;
}

enum outcome { MOVED, STAYED, STOPPED };

static enum outcome stop_with(struct gdbstub_stop *stop, enum gdbstub_signal signal)
{
	stop->reason = GDBSTUB_STOPPED;
	stop->signal = signal;
	return STOPPED;
}

static void print_many(struct fake_target *fake, size_t len)
{
	char text[0x10000];

	memset(text, 'x', len);
	gdbstub_write(fake->stub, text, len);
}

/* An access to one byte of memory. */
static enum outcome access_byte(struct fake_target *fake, uint8_t addr, bool write,
				struct gdbstub_stop *stop)
{
	stop->addr = addr;
	for (int i = 0; i < fake->points; i++) {
		const struct fake_point *point = &fake->point[i];

		if (addr < point->addr || addr - point->addr >= point->len)
			continue;
		if (point->kind == GDBSTUB_POINT_WRITE && write)
			stop->reason = GDBSTUB_WATCH;
		else if (point->kind == GDBSTUB_POINT_READ && !write)
			stop->reason = GDBSTUB_RWATCH;
		else if (point->kind == GDBSTUB_POINT_ACCESS)
			stop->reason = GDBSTUB_AWATCH;
		else
			continue;
		return STOPPED;
	}
	return MOVED;
}

/* One instruction; *stop has the thread already. */
static enum outcome execute(struct fake_target *fake, struct fake_thread *thread,
			    struct gdbstub_stop *stop)
{
	uint8_t code[2] = { 0 };

	if (memory_read(fake, stop->thread, thread->pc, code, sizeof(code)) < 1)
		return stop_with(stop, GDBSTUB_SIGNAL_SEGV);
	switch (code[0]) {
	case 0:
		return STAYED;
	case '.':
		break;
	case 'a':
		thread->a++;
		break;
	case 'j':
		thread->pc = code[1];
		return MOVED;
	case 'R':
		thread->a = fake->low[code[1]];
		thread->pc += 2;
		return access_byte(fake, code[1], false, stop);
	case 'W':
		fake->low[code[1]] = (uint8_t)thread->a;
		thread->pc += 2;
		return access_byte(fake, code[1], true, stop);
	case 'p':
		gdbstub_write(fake->stub, code + 1, 1);
		thread->pc++;
		break;
	case 'P':
		print_many(fake, 256 * (size_t)code[1]);
		thread->pc++;
		break;
	case 'n':
		thread->layout = NARROW;
		break;
	case 'w':
		thread->layout = WIDE;
		break;
	case 'h':
		gdbstub_printf(fake->stub, "halted\n");
		return stop_with(stop, GDBSTUB_SIGNAL_TERM);
	case 'f':
		return stop_with(stop, GDBSTUB_SIGNAL_SEGV);
	case 'e':
		stop->reason = GDBSTUB_EXITED;
		stop->status = code[1];
		return STOPPED;
	default:
		return stop_with(stop, GDBSTUB_SIGNAL_ILL);
	}
	thread->pc++;
	return MOVED;
}

/* Whether to stop; `idle` counts how often nothing had happened. */
static bool look(struct fake_target *fake, bool moved, int *idle, struct gdbstub_stop *stop)
{
	sigset_t io, before;

	fake->kicked = 0;
	if (gdbstub_poll(fake->stub)) {
		stop->reason = GDBSTUB_INTERRUPTED;
		return true;
	}
	if (!fake->waits && ++*idle > PATIENCE) {
		stop->reason = GDBSTUB_EXITED;
		stop->status = 0xff;
		return true;
	}
	if (moved || !fake->waits)
		return false;
	/* A kick since then has set `kicked`, one from here on ends sigsuspend(). */
	sigemptyset(&io);
	sigaddset(&io, SIGIO);
	sigprocmask(SIG_BLOCK, &io, &before);
	while (!fake->kicked)
		sigsuspend(&before);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return false;
}

static void run(void *target, enum gdbstub_resume (*action)(const struct gdbstub *stub, int thread),
		struct gdbstub_stop *stop)
{
	struct fake_target *fake = target;
	bool came[FAKE_THREADS] = { false }; /* to its pc, since it runs */
	int idle = 0;

	for (unsigned int round = 0;; round++) {
		bool moved = false;

		for (int i = 0; i < fake->threads; i++) {
			enum gdbstub_resume what = action(fake->stub, thread_id(i));

			if (what == GDBSTUB_HOLD)
				continue;
			stop->thread = thread_id(i);
			stop->reason = came[i] ? point_hit(fake, stop->thread) : GDBSTUB_STOPPED;
			stop->signal = GDBSTUB_SIGNAL_TRAP;
			if (stop->reason != GDBSTUB_STOPPED)
				return;
			switch (execute(fake, &fake->thread[i], stop)) {
			case STOPPED:
				return;
			case MOVED:
				moved = came[i] = true;
				break;
			case STAYED:
				came[i] = false;
				break;
			}
			if (what == GDBSTUB_STEP)
				return;
		}
		if (moved && round % POLL_ROUNDS)
			continue;
		if (look(fake, moved, &idle, stop))
			return;
	}
}

static void kick(void *target)
{
	struct fake_target *fake = target;

	fake->kicked = 1;
}

static int restart(void *target)
{
	const struct fake_target *fake = target;

	if (fake->low[FAKE_LOW_SIZE - 1])
		return -ENOMEM;
	fake_reset(target);
	return 0;
}

static const struct gdbstub_file *file(void *target)
{
	static const struct gdbstub_file the = { "/fake#$*", FAKE_FILE_SIZE, 0x01020304 };
	const struct fake_target *fake = target;

	return fake->has_file ? &the : NULL;
}

static ssize_t file_read(void *target, uint64_t offset, void *buf, size_t size)
{
	uint8_t *to = buf;

	(void)target;
	if (offset >= FAKE_FILE_SIZE) {
		memset(to, 'x', size);
		return (ssize_t)size;
	}
	if (offset >= FAKE_FILE_READABLE)
		return -EIO;
	if (size > FAKE_FILE_READABLE - offset)
		size = FAKE_FILE_READABLE - offset;
	for (size_t i = 0; i < size; i++)
		to[i] = (uint8_t)((offset + i) % FAKE_FILE_MODULUS);
	return (ssize_t)size;
}

static uint64_t load_offset(void *target)
{
	const struct fake_target *fake = target;

	return fake->has_file ? 0x7c00 : 0;
}

static int monitor_echo(struct gdbstub *stub, void *target, const char *args)
{
	(void)target;
	if (!*args)
		return gdbstub_error(stub, -EINVAL, "nothing to echo\n");
	gdbstub_printf(stub, "%s\n", args);
	return 0;
}

static int monitor_points(struct gdbstub *stub, void *target, const char *args)
{
	const struct fake_target *fake = target;

	(void)args;
	gdbstub_printf(stub, "%d points\n", fake->points);
	return 0;
}

static const struct gdbstub_monitor monitor[] = {
	{ "echo", "TEXT", "prints TEXT", monitor_echo },
	{ "points", "", "how many points are set", monitor_points },
	{ 0 },
};

const struct gdbstub_ops fake_ops = {
	.thread_next = thread_next,
	.thread_info = thread_info,
	.layout = layout,
	.layout_name = layout_name,
	.description = description,
	.triple = triple,
	.registers_read = registers_read,
	.registers_write = registers_write,
	.register_read = register_read,
	.register_write = register_write,
	.expedited = expedited,
	.pc = pc,
	.set_pc = set_pc,
	.memory_read = memory_read,
	.memory_write = memory_write,
	.memory_region = memory_region,
	.point_insert = point_insert,
	.point_remove = point_remove,
	.points_clear = points_clear,
	.point_here = point_here,
	.point_hit = point_hit,
	.run = run,
	.kick = kick,
	.restart = restart,
	.file = file,
	.file_read = file_read,
	.load_offset = load_offset,
	.monitor = monitor,
};
