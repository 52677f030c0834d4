#define _GNU_SOURCE
#include "agree.h"

#include <string.h>
#include <unistd.h>

#include "tap.h"
#include "trap.h"

#define RFLAGS_ZF 0x40u
#define RFLAGS_RF 0x10000u
#define RFLAGS_UNKNOWN RFLAGS_RF /* not the program's: set by a stop inside a REP */

struct program program;
struct machine machine;
struct kvm_sregs start_sregs[MODE_32 + 1];
struct visit *trace;
size_t steps;
bool written[PROGRAM_MEMORY], was_read[PROGRAM_MEMORY];
bool fragile[PROGRAM_MEMORY], unsure[PROGRAM_MEMORY];
bool bad;

static const char *run_name;
/* At the end of the free run: registers, memory, and what the console shows. */
static struct kvm_regs last;
static uint8_t memory[PROGRAM_MEMORY];
static char text[1 << 20], other_text[1 << 20];

bool fail(const char *format, ...)
{
	va_list args;
	char line[300];

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	comment("%s: %s", run_name, line);
	bad = true;
	return false;
}

static uint8_t *guest_memory(void)
{
	return vm_host(&machine.vm, 0, NULL);
}

/* The program's text is in a file, which is one run's. */
static size_t console_text(char *to, size_t size)
{
	ssize_t n = pread(machine.console.fd, to, size, 0);

	return n > 0 ? (size_t)n : 0;
}

bool reset(const char *name)
{
	struct kvm_sregs sregs = start_sregs[program.mode];

	run_name = name;
	points_clear(&machine.points);
	traps_remove(&machine.vm);
	memcpy(guest_memory(), program.memory, PROGRAM_MEMORY);
	if (program.mode == MODE_16) {
		for (enum segment s = SEGMENT_CS; s <= SEGMENT_GS; s++)
			segment_set_real(segment_of(&sregs, s), s, program.selectors[s]);
	} else {
		sregs.idt = (struct kvm_dtable){.base = PROGRAM_IDT, .limit = 7};
	}
	if (vcpu_set_sregs(&machine.vcpu, &sregs))
		return fail("the segment registers are refused");
	/* A STI that was the last step holds interrupts back, which IF = 0 contradicts. */
	if (vcpu_end_shadow(&machine.vcpu))
		return fail("the interrupt shadow cannot be cleared");
	*machine.vcpu.regs = program.regs;
	machine.vcpu.regs_dirty = true;
	machine.life = MACHINE_ALIVE;
	machine.inject = 0;
	machine.guest_tf = false;
	machine.told_of_stepping = true; /* not in the program's text */
	machine.console.in_line = false;
	if (ftruncate(machine.console.fd, 0) || lseek(machine.console.fd, 0, SEEK_SET))
		return fail("the console's file cannot be emptied");
	return true;
}

uint64_t pc(void)
{
	return vcpu_pc(&machine.vcpu);
}

bool same_registers(const struct kvm_regs *a, const struct kvm_regs *b)
{
	struct kvm_regs x = *a, y = *b;

	x.rflags &= ~(uint64_t)RFLAGS_UNKNOWN;
	y.rflags &= ~(uint64_t)RFLAGS_UNKNOWN;
	return !memcmp(&x, &y, sizeof(x));
}

void show_registers(const char *name, const struct kvm_regs *r)
{
	comment("%s ax %llx cx %llx dx %llx bx %llx sp %llx bp %llx si %llx di %llx ip %llx "
		"fl %llx",
		name, r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi, r->rip,
		r->rflags);
}

bool check_registers(const struct kvm_regs *expected)
{
	if (same_registers(expected, machine.vcpu.regs))
		return true;
	fail("registers differ");
	show_registers("expected", expected);
	show_registers("found   ", machine.vcpu.regs);
	return false;
}

bool check_end(void)
{
	const uint8_t *now = guest_memory();
	size_t n;

	if (machine.life != MACHINE_HALTED)
		return fail("did not halt, but is at 0x%llx", (unsigned long long)pc());
	/* Off with the planted bytes. */
	traps_remove(&machine.vm);
	for (size_t i = 0; i < PROGRAM_MEMORY; i++) {
		if (now[i] != memory[i])
			return fail("memory at 0x%zx is 0x%02x, expected 0x%02x", i, now[i],
				    memory[i]);
	}
	n = console_text(other_text, sizeof(other_text));
	if (n != strlen(text) || memcmp(text, other_text, n))
		return fail("the accesses to ports differ");
	return check_registers(&last);
}

bool run_free(void)
{
	struct gdbstub_stop stop = {0};
	size_t n;

	if (!reset("free"))
		return false;
	machine_run(&machine, GDBSTUB_CONTINUE, &stop);
	if (machine.life != MACHINE_HALTED)
		return fail("did not halt, but is at 0x%llx: %s", (unsigned long long)pc(),
			    machine.epitaph);
	last = *machine.vcpu.regs;
	memcpy(memory, guest_memory(), PROGRAM_MEMORY);
	n = console_text(text, sizeof(text) - 1);
	text[n] = 0;
	return true;
}

/* Where the program's text says that the instruction can have led. */
static bool flow_allows(const struct visit *visit, const struct program_instruction *at)
{
	uint64_t now = pc(), mask = at->address_size == 4 ? 0xffffffff : 0xffff;
	const struct kvm_regs *regs = machine.vcpu.regs;
	uint64_t count = visit->regs.rcx & mask, behind = visit->pc + at->length;
	bool zf = regs->rflags & RFLAGS_ZF, ends;

	switch (at->flow) {
	case FLOW_NEXT:
	case FLOW_HALT:
		return now == behind;
	case FLOW_BRANCH:
		return now == behind || now == at->target;
	case FLOW_JUMP:
		return now == at->target;
	case FLOW_INDIRECT:
		return program_at(&program, now);
	case FLOW_DIVIDE:
		return now == behind || now == program.divide_handler;
	case FLOW_REPEAT:
		if (!count)
			return now == behind && regs->rcx == visit->regs.rcx;
		ends = count == 1 || (at->repeat == 0xf3 && !zf) || (at->repeat == 0xf2 && zf);
		return now == (ends ? behind : visit->pc) &&
		       regs->rcx == ((visit->regs.rcx & ~mask) | (count - 1));
	default:
		return false;
	}
}

static bool foreseen(const struct visit *visit, uint64_t linear)
{
	for (int i = 0; i < visit->accesses; i++) {
		const struct data_access *access = &visit->access[i];

		if (access->write && linear - access->linear < access->len)
			return true;
	}
	return false;
}

/* Compares memory with what it was, `before`, which is then brought up to date. */
static bool check_writes(const struct visit *visit, uint8_t *before)
{
	const uint8_t *now = guest_memory();

	if (!memcmp(now, before, PROGRAM_MEMORY))
		return true;
	for (size_t i = 0; i < PROGRAM_MEMORY; i++) {
		if (now[i] != before[i] && !foreseen(visit, i))
			return fail("the instruction at 0x%llx wrote to 0x%zx, unforeseen",
				    (unsigned long long)visit->pc, i);
	}
	memcpy(before, now, PROGRAM_MEMORY);
	return true;
}

static uint64_t stack_flags(unsigned int offset)
{
	uint16_t flags;

	memcpy(&flags, guest_memory() + vcpu_sp(&machine.vcpu) + offset, sizeof(flags));
	return flags;
}

static bool check_step(struct visit *visit, const struct instruction *instruction, uint8_t *before)
{
	const struct program_instruction *at = program_at(&program, visit->pc);
	bool divided;

	if (!at)
		return fail("no instruction begins at 0x%llx", (unsigned long long)visit->pc);
	if (instruction->length != at->length)
		return fail("decoded %u bytes at 0x%llx, expected %u", instruction->length,
			    (unsigned long long)visit->pc, at->length);
	if (!flow_allows(visit, at)) {
		fail("a step at 0x%llx led to 0x%llx", (unsigned long long)visit->pc,
		     (unsigned long long)pc());
		show_registers("before", &visit->regs);
		show_registers("after ", machine.vcpu.regs);
		return false;
	}
	divided = at->flow == FLOW_DIVIDE && pc() == program.divide_handler;
	if (divided) {
		visit->accesses = 0;
		visit->access[visit->accesses++] = (struct data_access){
			.linear = vcpu_sp(&machine.vcpu),
			.len = program.mode == MODE_16 ? 6 : 12,
			.write = true,
		};
	}
	visit->entered = divided || (instruction->class == CLASS_INT && instruction->accesses);
	if ((visit->entered && stack_flags(program.mode == MODE_16 ? 4 : 8) & RFLAGS_TF) ||
	    (instruction->class == CLASS_PUSHF && stack_flags(0) & RFLAGS_TF))
		return fail("the flags pushed at 0x%llx have TF", (unsigned long long)visit->pc);
	return check_writes(visit, before);
}

/* Behind the prefixes. */
static const uint8_t *opcode(uint64_t at)
{
	const uint8_t *code = program.memory + at;

	while (memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", *code, 11))
		code++;
	return code;
}

/*
 * QEMU's emulation of a processor loses the flags when a debug register is hit, so that the
 * instruction works with wrong ones; and when it is hit by the frame of an interrupt QEMU itself ends.
 */
static bool uses_flags(uint64_t at)
{
	const uint8_t *code = opcode(at);
	unsigned int reg = code[1] >> 3 & 7;

	if (*code == 0x0f)
		return (code[1] & 0xf0) == 0x90 || (code[1] & 0xf0) == 0x40; /* SETcc, CMOVcc */
	if ((*code & 0xfc) == 0x80 || (*code & 0xfe) == 0xc0 || (*code & 0xfc) == 0xd0)
		return reg == 2 || reg == 3; /* ADC, SBB, RCL, RCR */
	return (*code & 0xf0) == 0x10 || *code == 0x9c; /* ADC, SBB, PUSHF */
}

bool run_stepped(void)
{
	static uint8_t before[PROGRAM_MEMORY];

	if (!reset("stepped"))
		return false;
	memcpy(before, program.memory, sizeof(before));
	memset(written, 0, sizeof(written));
	memset(was_read, 0, sizeof(was_read));
	memset(fragile, 0, sizeof(fragile));
	memset(unsure, 0, sizeof(unsure));
	for (steps = 0; machine.life == MACHINE_ALIVE; steps++) {
		struct gdbstub_stop stop = {0};
		struct visit *visit = &trace[steps];
		struct instruction instruction;

		if (steps == STEPS_MAX)
			return fail("more than %d steps", STEPS_MAX);
		decode_next(&machine.vcpu, &instruction);
		visit->regs = *machine.vcpu.regs;
		visit->pc = pc();
		visit->repeated = instruction.repeated;
		visit->port = instruction.port;
		visit->loads_ss = instruction.class == CLASS_LOAD_SS ||
				  instruction.class == CLASS_POP_SS;
		visit->accesses = instruction.accesses;
		memcpy(visit->access, instruction.access, sizeof(instruction.access));
		machine_run(&machine, GDBSTUB_STEP, &stop);
		if (stop.reason != GDBSTUB_STOPPED || stop.signal != GDBSTUB_SIGNAL_TRAP)
			return fail("a step at 0x%llx: reason %d, signal %d",
				    (unsigned long long)visit->pc, stop.reason, stop.signal);
		if (!check_step(visit, &instruction, before))
			return false;
		/* An interrupt right behind a MOV SS takes the trap of its operand's register away. */
		if (visit->entered && steps && visit[-1].loads_ss && visit[-1].accesses)
			memset(unsure + visit[-1].access[0].linear, true, 4);
		/* Whether POPA reads what it does not want is the processor's affair. */
		if (*opcode(visit->pc) == 0x61)
			memset(unsure + visit->access[0].linear, true, 8 * sizeof(uint32_t));
		for (int i = 0; i < visit->accesses; i++) {
			const struct data_access *access = &visit->access[i];

			for (uint64_t n = access->linear; n < access->linear + access->len; n++) {
				if (n < PROGRAM_MEMORY) {
					written[n] |= access->write;
					fragile[n] |= visit->entered || uses_flags(visit->pc);
					was_read[n] |= access->read;
				}
			}
		}
	}
	return check_end();
}
