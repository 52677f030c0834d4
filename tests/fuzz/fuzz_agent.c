/*
 * Agent expressions: what passes the check is evaluated, and must come to an end without touching anything but
 * its own stack. The first byte says whether it is a condition.
 */
#include <stdlib.h>
#include <string.h>

#include "fake_target.h"
#include "internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_target fake;
	static struct gdbstub *stub;
	bool has_value = size && *data & 1;
	uint64_t value = 0;
	uint8_t *code;

	if (!size)
		return 0;
	if (!stub) {
		fake_reset(&fake);
		fake.threads = 1;
		stub = fake.stub = gdbstub_new(&fake_ops, &fake);
		memset(fake.low + 0x1000, 'x', 0x2000);
		memcpy(fake.low + 0x80, "text", 5);
	}
	if (!stub)
		return 0;
	/* Of just its size, so that a sanitizer sees what is read behind it. */
	code = malloc(size - 1 ? size - 1 : 1);
	if (!code)
		return 0;
	memcpy(code, data + 1, size - 1);
	stub->session.layout = *data >> 1 & 1;
	if (!agent_check(code, size - 1, has_value))
		agent_evaluate(stub, 1, code, size - 1, has_value ? &value : NULL);
	free(code);
	return 0;
}
