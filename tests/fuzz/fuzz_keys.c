/* Text that is typed: --keys, and what a terminal sends, in pieces, to the keyboard of a PC. See pc.h. */
#include <stdlib.h>

#include "pc.h"
#include "terminal_keys.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_strokes(const struct strokes *strokes)
{
	for (size_t i = 0; i < strokes->count; i++) {
		if (!(strokes->stroke[i].how & (STROKE_WAIT | STROKE_CODE)) && !strokes->stroke[i].code)
			abort();
	}
}

static void parse(const uint8_t *data, size_t size)
{
	struct strokes strokes = {0};
	char why[KEYS_WHY] = "";
	char *text = malloc(size + 1);

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	if (keys_parse(&strokes, text, why, sizeof(why)) ? !*why || strokes.count : strokes.count > size)
		abort();
	check_strokes(&strokes);
	strokes_free(&strokes);
	free(text);
}

static void type(const uint8_t *data, size_t size)
{
	struct terminal_keys keys = {0};
	struct input input = {data, size}, none = {data, 0};

	pc_start(&none);
	while (input.left) {
		size_t len;
		const uint8_t *bytes = take_bytes(&input, take_byte(&input), &len);

		terminal_keys(&keys, &pc, (const char *)bytes, len);
		if (keys.count > TERMINAL_KEYS_MAX)
			abort();
	}
	terminal_keys(&keys, &pc, NULL, 0);
	check_strokes(&pc.typist.strokes);
	pc_end();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (*data & 1)
		type(data + 1, size - 1);
	else
		parse(data + 1, size - 1);
	return 0;
}
