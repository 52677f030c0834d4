/*
 * The sandbox's filter, carried out here: it decides on every system call as its rules say, and soon, since the
 * kernel runs it once for each call that there is when it is installed.
 */
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "sandbox_filter.h"
#include "sealed.h"
#include "tap.h"

#define CALLS 1024	 /* more than there are */
#define X32 0x40000000u
#define SOON 26		/* instructions to what no rule has */
#define OFTEN 10	 /* to what is done most often: the first rule */

static struct sandbox_rule rules[SANDBOX_RULES_MAX];
static struct sock_filter filter[SANDBOX_FILTER_MAX];
static size_t rule_count, length;
static unsigned int taken; /* instructions of the last run */

/* What the kernel would: its program is checked to end, and so is this. */
static uint32_t run(const struct seccomp_data *data)
{
	uint32_t a = 0;

	taken = 0;
	for (size_t at = 0; at < length; at++) {
		const struct sock_filter *one = &filter[at];
		bool holds;

		taken++;
		switch (BPF_CLASS(one->code)) {
		case BPF_LD:
			memcpy(&a, (const char *)data + one->k, sizeof(a));
			break;
		case BPF_RET:
			return one->k;
		case BPF_JMP:
			if (BPF_OP(one->code) == BPF_JA) {
				at += one->k;
				break;
			}
			holds = BPF_OP(one->code) == BPF_JEQ   ? a == one->k
				: BPF_OP(one->code) == BPF_JGE ? a >= one->k
							       : (a & one->k) != 0;
			at += holds ? one->jt : one->jf;
			break;
		}
	}
	return 0;
}

static bool holds(const struct sandbox_check *check, const struct seccomp_data *data)
{
	uint64_t value = data->args[check->argument];

	switch (check->test) {
	case SANDBOX_EQUAL:
		return value == check->value;
	case SANDBOX_INT:
		return (uint32_t)value == (uint32_t)check->value;
	case SANDBOX_NONE_OF:
		return !((uint32_t)value & (uint32_t)check->value);
	case SANDBOX_ABOVE:
		return value >> 32;
	default:
		return true;
	}
}

static bool is_allowed(const struct seccomp_data *data)
{
	for (size_t i = 0; i < rule_count; i++) {
		bool all = rules[i].number == (uint32_t)data->nr;

		for (size_t k = 0; k < SANDBOX_CHECKS && rules[i].checks[k].test; k++)
			all &= holds(&rules[i].checks[k], data);
		if (all)
			return true;
	}
	return false;
}

static bool has_rule(uint32_t number)
{
	for (size_t i = 0; i < rule_count; i++) {
		if (rules[i].number == number)
			return true;
	}
	return false;
}

/* As the rules say, and nothing but "yes" or the end. */
static bool is_right(const struct seccomp_data *data)
{
	uint32_t action = run(data);

	return action == (is_allowed(data) ? SECCOMP_RET_ALLOW : SECCOMP_RET_KILL_PROCESS);
}

/* Arguments that a rule allows, and those that miss it by one of them. */
static bool is_rule_right(const struct sandbox_rule *rule)
{
	struct seccomp_data data = {.nr = (int)rule->number, .arch = AUDIT_ARCH_X86_64};
	bool right;

	for (size_t k = 0; k < SANDBOX_CHECKS && rule->checks[k].test; k++) {
		const struct sandbox_check *check = &rule->checks[k];

		data.args[check->argument] |= check->test == SANDBOX_ABOVE     ? 1ull << 32
					      : check->test == SANDBOX_NONE_OF ? ~check->value & 0xffffffff
									       : check->value;
	}
	right = is_allowed(&data) && is_right(&data);
	for (size_t k = 0; k < SANDBOX_CHECKS && rule->checks[k].test; k++) {
		struct seccomp_data other = data;
		__u64 *value = &other.args[rule->checks[k].argument];

		for (unsigned int bit = 0; bit < 64; bit++) {
			*value = data.args[rule->checks[k].argument] ^ 1ull << bit;
			right &= is_right(&other);
		}
	}
	return right;
}

int main(void)
{
	const struct sandbox_facts facts = {.self = getpid(), .command = getpid(), .owner = &rules, .screenshots = -1};
	bool right = true, foreign = true, late = false;
	struct seccomp_data data = {.arch = AUDIT_ARCH_X86_64};
	size_t wrong = 0;

	rule_count = sandbox_rules(rules, &facts);
	length = sandbox_filter(filter, rules, rule_count);
	result(rule_count > 0 && length > 0, "there are rules, and a filter of them");
	for (data.nr = 0; data.nr < CALLS; data.nr++) {
		right &= is_right(&data);
		late |= taken > SOON && !has_rule((uint32_t)data.nr);
	}
	comment("%zu rules in %zu instructions", rule_count, length);
	result(right, "each call without arguments");
	for (size_t i = 0; i < rule_count; i++)
		wrong += !is_rule_right(&rules[i]);
	result(!wrong, "each rule's arguments, and those with one bit otherwise");
	for (size_t i = 0; i < rule_count; i++) {
		data.nr = (int)(rules[i].number | X32);
		foreign &= run(&data) == SECCOMP_RET_KILL_PROCESS;
		data = (struct seccomp_data){.nr = (int)rules[i].number, .arch = AUDIT_ARCH_I386};
		foreign &= run(&data) == SECCOMP_RET_KILL_PROCESS;
		data.arch = AUDIT_ARCH_X86_64;
	}
	result(foreign, "nothing by another ABI");
	result(!late, "what no rule has is found out soon");
	data = (struct seccomp_data){.nr = (int)rules[0].number, .arch = AUDIT_ARCH_X86_64};
	data.args[rules[0].checks[0].argument] = rules[0].checks[0].value;
	result(run(&data) == SECCOMP_RET_ALLOW && taken <= OFTEN, "what is done most often, too");
	return finish();
}
