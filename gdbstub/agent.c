/* Agent expressions, the bytecode of conditions and commands: the manual's appendix F. */
#define _GNU_SOURCE
#include <string.h>

#include "internal.h"

#define STACK_MAX 100
#define STEPS_MAX 10000 /* of one evaluation, so that a loop ends */

enum {
	OP_FLOAT = 0x01,
	OP_ADD = 0x02,
	OP_SUB = 0x03,
	OP_MUL = 0x04,
	OP_DIV_SIGNED = 0x05,
	OP_DIV_UNSIGNED = 0x06,
	OP_REM_SIGNED = 0x07,
	OP_REM_UNSIGNED = 0x08,
	OP_LSH = 0x09,
	OP_RSH_SIGNED = 0x0a,
	OP_RSH_UNSIGNED = 0x0b,
	OP_TRACE = 0x0c,
	OP_TRACE_QUICK = 0x0d,
	OP_LOG_NOT = 0x0e,
	OP_BIT_AND = 0x0f,
	OP_BIT_OR = 0x10,
	OP_BIT_XOR = 0x11,
	OP_BIT_NOT = 0x12,
	OP_EQUAL = 0x13,
	OP_LESS_SIGNED = 0x14,
	OP_LESS_UNSIGNED = 0x15,
	OP_EXT = 0x16,
	OP_REF8 = 0x17,
	OP_REF16 = 0x18,
	OP_REF32 = 0x19,
	OP_REF64 = 0x1a,
	OP_REF_FLOAT = 0x1b,
	OP_REF_DOUBLE = 0x1c,
	OP_REF_LONG_DOUBLE = 0x1d,
	OP_L_TO_D = 0x1e,
	OP_D_TO_L = 0x1f,
	OP_IF_GOTO = 0x20,
	OP_GOTO = 0x21,
	OP_CONST8 = 0x22,
	OP_CONST16 = 0x23,
	OP_CONST32 = 0x24,
	OP_CONST64 = 0x25,
	OP_REG = 0x26,
	OP_END = 0x27,
	OP_DUP = 0x28,
	OP_POP = 0x29,
	OP_ZERO_EXT = 0x2a,
	OP_SWAP = 0x2b,
	OP_GETV = 0x2c,
	OP_SETV = 0x2d,
	OP_TRACEV = 0x2e,
	OP_TRACENZ = 0x2f,
	OP_TRACE16 = 0x30,
	OP_PICK = 0x32,
	OP_ROT = 0x33,
	OP_PRINTF = 0x34,
	OPS
};

/* Bytes of operand, and what is taken from the stack and put there. PICK and PRINTF take more. */
static const struct opcode {
	bool exists;
	uint8_t operand, pops, pushes;
} opcodes[OPS] = {
	[OP_FLOAT] = {true, 0, 0, 0},
	[OP_ADD] = {true, 0, 2, 1},
	[OP_SUB] = {true, 0, 2, 1},
	[OP_MUL] = {true, 0, 2, 1},
	[OP_DIV_SIGNED] = {true, 0, 2, 1},
	[OP_DIV_UNSIGNED] = {true, 0, 2, 1},
	[OP_REM_SIGNED] = {true, 0, 2, 1},
	[OP_REM_UNSIGNED] = {true, 0, 2, 1},
	[OP_LSH] = {true, 0, 2, 1},
	[OP_RSH_SIGNED] = {true, 0, 2, 1},
	[OP_RSH_UNSIGNED] = {true, 0, 2, 1},
	[OP_TRACE] = {true, 0, 2, 0},
	[OP_TRACE_QUICK] = {true, 1, 1, 1},
	[OP_LOG_NOT] = {true, 0, 1, 1},
	[OP_BIT_AND] = {true, 0, 2, 1},
	[OP_BIT_OR] = {true, 0, 2, 1},
	[OP_BIT_XOR] = {true, 0, 2, 1},
	[OP_BIT_NOT] = {true, 0, 1, 1},
	[OP_EQUAL] = {true, 0, 2, 1},
	[OP_LESS_SIGNED] = {true, 0, 2, 1},
	[OP_LESS_UNSIGNED] = {true, 0, 2, 1},
	[OP_EXT] = {true, 1, 1, 1},
	[OP_REF8] = {true, 0, 1, 1},
	[OP_REF16] = {true, 0, 1, 1},
	[OP_REF32] = {true, 0, 1, 1},
	[OP_REF64] = {true, 0, 1, 1},
	[OP_REF_FLOAT] = {true, 0, 1, 1},
	[OP_REF_DOUBLE] = {true, 0, 1, 1},
	[OP_REF_LONG_DOUBLE] = {true, 0, 1, 1},
	[OP_L_TO_D] = {true, 0, 1, 1},
	[OP_D_TO_L] = {true, 0, 1, 1},
	[OP_IF_GOTO] = {true, 2, 1, 0},
	[OP_GOTO] = {true, 2, 0, 0},
	[OP_CONST8] = {true, 1, 0, 1},
	[OP_CONST16] = {true, 2, 0, 1},
	[OP_CONST32] = {true, 4, 0, 1},
	[OP_CONST64] = {true, 8, 0, 1},
	[OP_REG] = {true, 2, 0, 1},
	[OP_END] = {true, 0, 0, 0},
	[OP_DUP] = {true, 0, 1, 2},
	[OP_POP] = {true, 0, 1, 0},
	[OP_ZERO_EXT] = {true, 1, 1, 1},
	[OP_SWAP] = {true, 0, 2, 2},
	[OP_GETV] = {true, 2, 0, 1},
	[OP_SETV] = {true, 2, 1, 1},
	[OP_TRACEV] = {true, 2, 0, 1},
	[OP_TRACENZ] = {true, 0, 2, 0},
	[OP_TRACE16] = {true, 2, 1, 1},
	[OP_PICK] = {true, 1, 0, 1},
	[OP_ROT] = {true, 0, 3, 3},
	[OP_PRINTF] = {true, 3, 2, 0}, /* the number of arguments, the format's length in 2 bytes */
};

static const char underflow[] = "it takes more from the stack than there is";
static const char overflow[] = "it needs too much of the stack";

/* An operation as it stands in an expression. */
struct operation {
	uint8_t opcode;
	uint64_t operand; /* of PRINTF: the number of arguments */
	size_t pops, pushes;
	size_t needs; /* how much must be on the stack */
	const char *format; /* of PRINTF, with its 0 */
	size_t next; /* offset of the one behind it */
};

/* Operands come with the most significant byte first. */
static uint64_t number(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* NULL, or why there is none at `pc`. */
static const char *fetch(const uint8_t *code, size_t size, size_t pc, struct operation *op)
{
	const struct opcode *row;
	size_t len;

	if (pc >= size)
		return "it has no end";
	op->opcode = code[pc++];
	if (op->opcode >= OPS || !opcodes[op->opcode].exists)
		return "there is an unknown operation in it";
	row = &opcodes[op->opcode];
	if (size - pc < row->operand)
		return "an operand is cut off";
	op->pops = op->needs = row->pops;
	op->pushes = row->pushes;
	op->next = pc + row->operand;
	if (op->opcode != OP_PRINTF) {
		op->operand = number(code + pc, row->operand);
		if (op->opcode == OP_PICK)
			op->needs = op->operand + 1;
		return NULL;
	}
	op->operand = code[pc];
	op->pops = op->needs = row->pops + op->operand;
	op->format = (const char *)code + op->next;
	len = number(code + pc + 1, 2);
	if (size - op->next < len)
		return "a format is cut off";
	op->next += len;
	return !len || op->format[len - 1] ? "a format has no end" : NULL;
}

/* What is known of the stack where an operation begins: how much is on it, or one of these. */
enum { DEPTH_NOT_SEEN = STACK_MAX + 1, DEPTH_DIFFERS };

struct check {
	uint8_t depth[AGENT_SIZE_MAX];
	/* Offsets to be looked at; each gets here at most twice, as what is known of it changes. */
	uint16_t pending[2 * AGENT_SIZE_MAX];
	size_t count;
};

static void reach(struct check *check, size_t pc, uint8_t depth)
{
	uint8_t known = check->depth[pc];

	if (known == depth || known == DEPTH_DIFFERS)
		return;
	check->depth[pc] = known == DEPTH_NOT_SEEN ? depth : DEPTH_DIFFERS;
	check->pending[check->count++] = (uint16_t)pc;
}

const char *agent_check(const uint8_t *code, size_t size, bool has_value)
{
	struct check check = {.count = 0};
	struct operation op;

	if (size > AGENT_SIZE_MAX)
		return "it is too long";
	memset(check.depth, DEPTH_NOT_SEEN, sizeof(check.depth));
	if (size)
		reach(&check, 0, 0);
	else
		return "it has no end";
	while (check.count) {
		size_t pc = check.pending[--check.count];
		uint8_t depth = check.depth[pc];
		const char *why = fetch(code, size, pc, &op);

		if (!why && op.opcode == OP_PRINTF)
			why = format_check(op.format, op.operand);
		if (why)
			return why;
		if (depth != DEPTH_DIFFERS) {
			if (depth < op.needs || (op.opcode == OP_END && has_value && !depth))
				return underflow;
			if (depth - op.pops + op.pushes > STACK_MAX)
				return overflow;
			depth = (uint8_t)(depth - op.pops + op.pushes);
		}
		if (op.opcode == OP_END)
			continue;
		if (op.opcode == OP_GOTO || op.opcode == OP_IF_GOTO) {
			if (op.operand >= size)
				return "it jumps out of itself";
			reach(&check, op.operand, depth);
		}
		if (op.opcode != OP_GOTO && op.next >= size)
			return "it has no end";
		if (op.opcode != OP_GOTO)
			reach(&check, op.next, depth);
	}
	return NULL;
}

/* Two operands and one result. False: a division by zero. */
static bool calculate(uint8_t opcode, uint64_t a, uint64_t b, uint64_t *result)
{
	bool negative = (int64_t)a < 0;

	switch (opcode) {
	case OP_ADD:
		*result = a + b;
		break;
	case OP_SUB:
		*result = a - b;
		break;
	case OP_MUL:
		*result = a * b;
		break;
	case OP_DIV_SIGNED:
		if (!b)
			return false;
		/* The smallest number divided by -1 is a fault on x86. */
		*result = b == UINT64_MAX ? -a : (uint64_t)((int64_t)a / (int64_t)b);
		break;
	case OP_DIV_UNSIGNED:
		if (!b)
			return false;
		*result = a / b;
		break;
	case OP_REM_SIGNED:
		if (!b)
			return false;
		*result = b == UINT64_MAX ? 0 : (uint64_t)((int64_t)a % (int64_t)b);
		break;
	case OP_REM_UNSIGNED:
		if (!b)
			return false;
		*result = a % b;
		break;
	case OP_LSH:
		*result = b < 64 ? a << b : 0;
		break;
	case OP_RSH_SIGNED:
		*result = b < 64 ? (uint64_t)((int64_t)a >> b) : negative ? UINT64_MAX : 0;
		break;
	case OP_RSH_UNSIGNED:
		*result = b < 64 ? a >> b : 0;
		break;
	case OP_BIT_AND:
		*result = a & b;
		break;
	case OP_BIT_OR:
		*result = a | b;
		break;
	case OP_BIT_XOR:
		*result = a ^ b;
		break;
	case OP_EQUAL:
		*result = a == b;
		break;
	case OP_LESS_SIGNED:
		*result = (int64_t)a < (int64_t)b;
		break;
	case OP_LESS_UNSIGNED:
		*result = a < b;
		break;
	}
	return true;
}

/* The lowest `bits` of a value, with a sign or without. */
static uint64_t extend(uint64_t value, uint64_t bits, bool is_signed)
{
	if (bits >= 64)
		return value;
	value &= (1ull << bits) - 1;
	if (is_signed && bits && value >> (bits - 1) & 1)
		value |= ~0ull << bits;
	return value;
}

/* Registers and memory have the least significant byte first. */
static uint64_t from_target(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

static const char *read_register(struct gdbstub *stub, int thread, int number, uint64_t *value)
{
	uint8_t bytes[8];
	ssize_t size = stub->ops->register_read(stub->target, thread, stub->session.layout, number, bytes,
						sizeof(bytes));

	if (size <= 0)
		return "a register could not be read";
	*value = from_target(bytes, (size_t)size);
	return NULL;
}

static const char *read_memory(struct gdbstub *stub, int thread, uint64_t addr, size_t size, uint64_t *value)
{
	uint8_t bytes[8];

	if (stub->ops->memory_read(stub->target, thread, addr, bytes, size) != (ssize_t)size)
		return "memory could not be read";
	*value = from_target(bytes, size);
	return NULL;
}

/* Prints with the arguments below `top`, the first of them the highest. */
static const char *print(struct gdbstub *stub, int thread, const struct operation *op, const uint64_t *top)
{
	uint64_t args[STACK_MAX];
	char text[AGENT_TEXT_MAX];
	const char *why;
	size_t len;

	for (size_t i = 0; i < op->operand; i++)
		args[i] = top[-1 - (ssize_t)i];
	why = format_print(stub, thread, op->format, args, text, &len);
	gdbstub_write(stub, text, len);
	return why;
}

const char *agent_evaluate(struct gdbstub *stub, int thread, const uint8_t *code, size_t size, uint64_t *value)
{
	uint64_t stack[STACK_MAX + 1]; /* one more than an operation's result can need */
	size_t depth = 0, pc = 0;
	struct operation op;

	for (unsigned int steps = 0; steps < STEPS_MAX; steps++) {
		const char *why = fetch(code, size, pc, &op);
		uint64_t *top;

		if (why)
			return why;
		if (depth < op.needs)
			return underflow;
		if (depth - op.pops + op.pushes > STACK_MAX)
			return overflow;
		/* The place of the first that is taken, and so of the first that is put there. */
		top = stack + depth - op.pops;
		depth += op.pushes - op.pops;
		pc = op.next;
		switch (op.opcode) {
		case OP_END:
			if (value && !depth)
				return underflow;
			if (value)
				*value = stack[depth - 1];
			return NULL;
		case OP_LOG_NOT:
			*top = !*top;
			break;
		case OP_BIT_NOT:
			*top = ~*top;
			break;
		case OP_EXT:
		case OP_ZERO_EXT:
			*top = extend(*top, op.operand, op.opcode == OP_EXT);
			break;
		case OP_REF8:
		case OP_REF16:
		case OP_REF32:
		case OP_REF64:
			why = read_memory(stub, thread, *top, (size_t)1 << (op.opcode - OP_REF8), top);
			break;
		case OP_IF_GOTO:
			if (*top)
				pc = op.operand;
			break;
		case OP_GOTO:
			pc = op.operand;
			break;
		case OP_CONST8:
		case OP_CONST16:
		case OP_CONST32:
		case OP_CONST64:
			*top = op.operand;
			break;
		case OP_REG:
			why = read_register(stub, thread, (int)op.operand, top);
			break;
		case OP_DUP:
			top[1] = *top;
			break;
		case OP_SWAP:
			stack[STACK_MAX] = top[0];
			top[0] = top[1];
			top[1] = stack[STACK_MAX];
			break;
		case OP_PICK:
			*top = top[-1 - (ssize_t)op.operand];
			break;
		case OP_ROT:
			stack[STACK_MAX] = top[2];
			top[2] = top[1];
			top[1] = top[0];
			top[0] = stack[STACK_MAX];
			break;
		case OP_PRINTF:
			why = print(stub, thread, &op, top + op.operand);
			break;
		case OP_POP:
		case OP_TRACE:
		case OP_TRACE_QUICK:
		case OP_TRACE16:
		case OP_TRACENZ:
			break; /* nothing is recorded */
		case OP_FLOAT:
		case OP_REF_FLOAT:
		case OP_REF_DOUBLE:
		case OP_REF_LONG_DOUBLE:
		case OP_L_TO_D:
		case OP_D_TO_L:
			return "it calculates with floating point numbers";
		case OP_GETV:
		case OP_SETV:
		case OP_TRACEV:
			return "it uses a trace state variable, and there are none";
		default:
			if (!calculate(op.opcode, top[0], top[1], top))
				return "it divides by zero";
		}
		if (why)
			return why;
	}
	return "it does not come to an end";
}
