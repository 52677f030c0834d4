/*
 * Whole sessions with the fake target: the input is what its clients send (tests/fake_transport.h).
 * What the library sends must be well-formed, and it must come to an end.
 */
#include <stdlib.h>

#include "fake_target.h"
#include "fake_transport.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fake_target fake;
	struct gdbstub_stop stop;
	enum gdbstub_end end;

	/* The byte that is the size of a read has a say in these, too. */
	fake.threads = size && *data & 0x80 ? 2 : 1;
	fake.has_file = size && *data & 0x20;
	fake.points = 0;
	fake_reset(&fake);
	fake.stub = gdbstub_new(&fake_ops, &fake);
	if (!fake.stub)
		return 0;
	gdbstub_set_created(fake.stub, size & 1);
	fake_transport_start(data, size);
	end = gdbstub_serve(fake.stub, size && *data & 0x40, &stop);
	/* However it ended, nothing is left in the target. */
	if (fake.points || (end == GDBSTUB_END_EXITED && stop.reason != GDBSTUB_EXITED))
		abort();
	gdbstub_free(fake.stub);
	return 0;
}
