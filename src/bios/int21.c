/* INT 20h and INT 21h: of DOS what a COM program needs to print something and to end. Others have none of it. */
#include "bios/bios.h"
#include "bios/video.h"
#include "load/load.h"
#include "machine.h"
#include "memory.h"
#include "options.h"

#define GREY 0x07
#define STRING_END '$'
#define STRING_MAX 0x10000 /* then the offset is where it began */

static bool is_dos(const struct bios_call *call)
{
	return call->machine->image->type == &image_com;
}

static enum bios_result end(struct bios_call *call, unsigned int code)
{
	struct machine *machine = call->machine;
	char where[32];

	bios_pop_frame(call, true);
	machine_say(machine, "the program has ended with code %u, at %s", code,
		    vcpu_where(&machine->vcpu, where, sizeof(where)));
	machine->life = MACHINE_HALTED;
	machine->halted_at = vcpu_pc(&machine->vcpu);
	*call->stop = (struct gdbstub_stop){.reason = GDBSTUB_EXITED, .status = (int)code, .thread = 1};
	return BIOS_STOP;
}

static enum bios_result end_20(struct bios_call *call)
{
	return is_dos(call) ? end(call, 0) : BIOS_UNKNOWN;
}

static enum bios_result end_00(struct bios_call *call)
{
	return is_dos(call) ? end(call, 0) : BIOS_UNKNOWN;
}

static enum bios_result end_4c(struct bios_call *call)
{
	return is_dos(call) ? end(call, call->a.l) : BIOS_UNKNOWN;
}

/* On the screen, as INT 29h has it. */
static void print(struct machine *machine, uint8_t character)
{
	video_teletype(machine, *bios_byte(machine, VIDEO_PAGE), character, GREY, false);
}

static enum bios_result print_character(struct bios_call *call)
{
	if (!is_dos(call))
		return BIOS_UNKNOWN;
	print(call->machine, call->d.l);
	call->a.l = call->d.l;
	return BIOS_DONE;
}

static enum bios_result print_string(struct bios_call *call)
{
	uint8_t character;

	if (!is_dos(call))
		return BIOS_UNKNOWN;
	for (uint32_t i = 0; i < STRING_MAX; i++) {
		if (memory_read(&call->machine->vcpu, call->ds_base + (uint16_t)(call->d.x + i), &character, 1) != 1 ||
		    character == STRING_END)
			break;
		print(call->machine, character);
	}
	call->a.l = STRING_END;
	return BIOS_DONE;
}

const struct bios_service int20_services[] = {
	{BIOS_ANY, "end the program", end_20},
	{0},
};

const struct bios_service int21_services[] = {
	{0x00, "end the program", end_00},
	{0x02, "print a character", print_character},
	{0x09, "print a string", print_string},
	{0x4c, "end the program with a code", end_4c},
	{0},
};
