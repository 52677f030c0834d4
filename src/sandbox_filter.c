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

/* Whether that one check is all of the rule: what ioctl() is asked for. */
static bool is_one_value(const struct sandbox_rule *rule, unsigned int argument)
{
	return rule->checks[0].test == SANDBOX_INT && rule->checks[0].argument == argument && !rule->checks[1].test;
}

/* Rules of one value each for the same argument: that is loaded once, and one of the values is enough. */
static void put_values(struct program *program, const struct sandbox_rule *rules, size_t count)
{
	load(program, LOW(rules->checks[0].argument));
	for (size_t left = count; left--; rules++)
		put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)rules->checks[0].value,
							   (uint8_t)left, left ? 0 : 1));
	end(program, SECCOMP_RET_ALLOW);
}

/* The rules of one system call, which is that of the first of them. */
static void put_call(struct program *program, const struct sandbox_rule *rule, const struct sandbox_rule *behind)
{
	uint32_t number = rule->number;

	while (rule < behind && rule->number == number) {
		size_t count = 0;

		while (&rule[count] < behind && rule[count].number == number && count < UINT8_MAX &&
		       is_one_value(&rule[count], rule->checks[0].argument))
			count++;
		if (count)
			put_values(program, rule, count);
		else
			put_rule(program, rule);
		rule += count ? count : 1;
	}
	end(program, SECCOMP_RET_KILL_PROCESS);
}

/* Goes on where the number is not as the condition says, and else from jump_here() on. Returns the jump. */
static size_t jump_if(struct program *program, uint16_t condition, uint32_t number)
{
	/* It may be further away than a conditional jump reaches. */
	put(program, (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | condition | BPF_K), number, 0, 1));
	put(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	return program->count - 1;
}

static void jump_here(struct program *program, size_t jump)
{
	if (jump < SANDBOX_FILTER_MAX)
		program->filter[jump].k = (uint32_t)(program->count - jump - 1);
}

/* Each call's first rule, by the calls' numbers but for the first: that is made more often than all others. */
static size_t find_calls(const struct sandbox_rule *calls[SANDBOX_RULES_MAX], const struct sandbox_rule *rules,
			 size_t count)
{
	size_t found = 0;

	for (size_t i = 0; i < count && i < SANDBOX_RULES_MAX; i++) {
		size_t at = found;

		if (i && rules[i].number == rules[i - 1].number)
			continue;
		for (; at > 1 && calls[at - 1]->number > rules[i].number; at--)
			calls[at] = calls[at - 1];
		calls[at] = &rules[i];
		found++;
	}
	return found;
}

/*
 * The calls in halves, each part of which begins with a jump to its upper half, until a part is one call: the kernel
 * runs the program once for every call that there is when it is installed.
 */
static void put_calls(struct program *program, const struct sandbox_rule *const *calls, size_t count,
		      const struct sandbox_rule *behind)
{
	struct {
		size_t first, count, jump;
	} waiting[8 * sizeof(count)] = {{0}};
	size_t depth = 0, first = 0;

	for (;;) {
		for (; count > 1; count /= 2) {
			size_t half = count / 2;

			waiting[depth].first = first + half;
			waiting[depth].count = count - half;
			waiting[depth++].jump = jump_if(program, BPF_JGE, calls[first + half]->number);
		}
		if (count) {
			put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, calls[first]->number, 1, 0));
			end(program, SECCOMP_RET_KILL_PROCESS);
			put_call(program, calls[first], behind);
		}
		if (!depth)
			return;
		depth--;
		jump_here(program, waiting[depth].jump);
		first = waiting[depth].first;
		count = waiting[depth].count;
	}
}

size_t sandbox_filter(struct sock_filter filter[SANDBOX_FILTER_MAX], const struct sandbox_rule *rules, size_t count)
{
	const struct sandbox_rule *calls[SANDBOX_RULES_MAX];
	struct program program = {.filter = filter};
	size_t call_count = find_calls(calls, rules, count), first;

	load(&program, offsetof(struct seccomp_data, arch));
	go_on_if(&program, BPF_JEQ, AUDIT_ARCH_X86_64, true, 2);
	load(&program, offsetof(struct seccomp_data, nr));
	put(&program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1));
	end(&program, SECCOMP_RET_KILL_PROCESS);
	if (call_count) {
		first = jump_if(&program, BPF_JEQ, calls[0]->number);
		put_calls(&program, calls + 1, call_count - 1, rules + count);
		jump_here(&program, first);
		put_call(&program, calls[0], rules + count);
	}
	end(&program, SECCOMP_RET_KILL_PROCESS);
	return program.count <= SANDBOX_FILTER_MAX ? program.count : 0;
}
