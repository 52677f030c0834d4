#define _GNU_SOURCE
#include "sandbox_filter.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>

/* Calls by the x32 ABI have this bit, and the same architecture: other numbers with other arguments. */
#define X32_BIT 0x40000000u

/* An argument's halves; the machine is little-endian. */
#define LOW(argument) ((uint32_t)offsetof(struct seccomp_data, args) + 8u * (argument))
#define HIGH(argument) (LOW(argument) + 4u)

struct program {
	struct sock_filter *filter;
	size_t count;
};

static void put(struct program *program, struct sock_filter instruction)
{
	if (program->count < SANDBOX_FILTER_MAX)
		program->filter[program->count] = instruction;
	program->count++;
}

static void load(struct program *program, uint32_t offset)
{
	put(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void end(struct program *program, uint32_t action)
{
	put(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

/* The program goes on where the condition is as wanted, and else `skip` instructions further on. */
static void go_on_if(struct program *program, uint16_t condition, uint32_t value, bool wanted, unsigned int skip)
{
	put(program, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | condition | BPF_K), value,
						   (uint8_t)(wanted ? 0 : skip), (uint8_t)(wanted ? skip : 0)));
}

static unsigned int check_length(const struct sandbox_check *check)
{
	return check->test == SANDBOX_EQUAL ? 4 : 2;
}

/* `left`: instructions of the rule behind this check. */
static void put_check(struct program *program, const struct sandbox_check *check, unsigned int left)
{
	switch (check->test) {
	case SANDBOX_ANY:
		break;
	case SANDBOX_EQUAL:
		load(program, LOW(check->argument));
		go_on_if(program, BPF_JEQ, (uint32_t)check->value, true, left + 2);
		load(program, HIGH(check->argument));
		go_on_if(program, BPF_JEQ, (uint32_t)(check->value >> 32), true, left);
		break;
	case SANDBOX_INT:
		load(program, LOW(check->argument));
		go_on_if(program, BPF_JEQ, (uint32_t)check->value, true, left);
		break;
	case SANDBOX_NONE_OF:
		load(program, LOW(check->argument));
		go_on_if(program, BPF_JSET, (uint32_t)check->value, false, left);
		break;
	case SANDBOX_ABOVE:
		load(program, HIGH(check->argument));
		go_on_if(program, BPF_JEQ, 0, false, left);
		break;
	}
}

static void put_rule(struct program *program, const struct sandbox_rule *rule)
{
	unsigned int left = 1;

	for (size_t i = 0; i < SANDBOX_CHECKS && rule->checks[i].test; i++)
		left += check_length(&rule->checks[i]);
	for (size_t i = 0; i < SANDBOX_CHECKS && rule->checks[i].test; i++) {
		left -= check_length(&rule->checks[i]);
		put_check(program, &rule->checks[i], left);
	}
	end(program, SECCOMP_RET_ALLOW);
}

size_t sandbox_filter(struct sock_filter filter[SANDBOX_FILTER_MAX], const struct sandbox_rule *rules, size_t count)
{
	struct program program = {.filter = filter};

	load(&program, offsetof(struct seccomp_data, arch));
	go_on_if(&program, BPF_JEQ, AUDIT_ARCH_X86_64, true, 2);
	load(&program, offsetof(struct seccomp_data, nr));
	put(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	end(&program, SECCOMP_RET_KILL_PROCESS);
	for (size_t i = 0, next; i < count; i = next) {
		size_t jump;

		/* A call's rules may be more than a conditional jump can pass over. */
		put(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, rules[i].number, 1, 0));
		jump = program.count;
		put(&program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
		for (next = i; next < count && rules[next].number == rules[i].number; next++)
			put_rule(&program, &rules[next]);
		end(&program, SECCOMP_RET_KILL_PROCESS);
		if (jump < SANDBOX_FILTER_MAX)
			filter[jump].k = (uint32_t)(program.count - jump - 1);
	}
	end(&program, SECCOMP_RET_KILL_PROCESS);
	return program.count <= SANDBOX_FILTER_MAX ? program.count : 0;
}
