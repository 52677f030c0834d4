/* Agent expressions: every operation, what is refused before and what while they are evaluated; formats. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fake_target.h"
#include "internal.h"
#include "tap.h"

#define A 0x1234	   /* the registers of the fake target */
#define B 0xfffffffffffe8000
#define TEXT_AT 0x80	   /* "text" in its memory */
#define NUMBERS_AT 0x88	   /* 88 99 aa bb cc dd ee ff */

static struct fake_target fake;
static struct gdbstub *stub;

/* In hexadecimal digits, as packets have them; blanks are for the reader. */
static size_t parse(const char *text, uint8_t code[AGENT_SIZE_MAX])
{
	size_t len = 0;

	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		code[len++] = (uint8_t)(hex_value(text[0]) << 4 | hex_value(text[1]));
		text += 2;
	}
	return len;
}

/* What is on top of the stack in the end. */
static const struct {
	const char *name, *code;
	uint64_t value;
} values[] = {
	{"const8", "22ff 27", 0xff},
	{"const16", "23fedc 27", 0xfedc},
	{"const32", "24fedcba98 27", 0xfedcba98},
	{"const64", "25fedcba9876543210 27", 0xfedcba9876543210},
	{"reg, of 16 bits and not extended", "260001 27", 0x8000},
	{"add", "2205 25ffffffffffffffff 02 27", 4},
	{"sub", "2205 2207 03 27", -2ull},
	{"mul", "24ffffffff 24ffffffff 04 27", 0xfffffffe00000001},
	{"div_signed", "22f9 1608 2202 05 27", -3ull},
	{"div_signed, the smallest number by -1", "258000000000000000 22ff 1608 05 27", 0x8000000000000000},
	{"div_unsigned", "22f9 1608 2202 06 27", 0x7ffffffffffffffc},
	{"rem_signed", "22f9 1608 2202 07 27", -1ull},
	{"rem_signed, the smallest number by -1", "258000000000000000 22ff 1608 07 27", 0},
	{"rem_unsigned", "22f9 1608 220a 08 27", 9},
	{"lsh", "2281 2204 09 27", 0x810},
	{"lsh by 63 and 64", "2201 223f 09 2201 2240 09 02 27", 0x8000000000000000},
	{"rsh_signed", "2280 1608 2204 0a 27", 0xfffffffffffffff8},
	{"rsh_signed by more than there are", "2280 1608 2250 0a 27", -1ull},
	{"rsh_signed of what is positive by more", "227f 2250 0a 27", 0},
	{"rsh_unsigned", "2280 1608 2204 0b 27", 0x0ffffffffffffff8},
	{"rsh_unsigned by more than there are", "2280 1608 2240 0b 27", 0},
	{"trace", "2207 2280 2204 0c 27", 7},
	{"trace_quick", "2280 0d04 27", 0x80},
	{"trace16", "2280 300004 27", 0x80},
	{"tracenz", "2207 2280 2204 2f 27", 7},
	{"log_not of 0", "2200 0e 27", 1},
	{"log_not", "23ff00 0e 27", 0},
	{"bit_and", "22fc 223f 0f 27", 0x3c},
	{"bit_or", "22f0 220f 10 27", 0xff},
	{"bit_xor", "22ff 220f 11 27", 0xf0},
	{"bit_not", "22f0 12 27", ~0xf0ull},
	{"equal", "2205 2205 13 27", 1},
	{"equal, which is not", "2205 2206 13 27", 0},
	{"less_signed", "22ff 1608 2201 14 27", 1},
	{"less_signed of equals", "2201 2201 14 27", 0},
	{"less_unsigned", "22ff 1608 2201 15 27", 0},
	{"less_unsigned, which is", "2201 22ff 1608 15 27", 1},
	{"ext of a negative", "23ff80 1608 27", 0xffffffffffffff80},
	{"ext of a positive", "23ff7f 1608 27", 0x7f},
	{"ext from 1 bit", "2203 1601 27", -1ull},
	{"ext from 33 bits", "250000000100000000 1621 27", 0xffffffff00000000},
	{"ext from 64 bits", "258000000000000001 1640 27", 0x8000000000000001},
	{"ext from 0 bits", "22ff 1600 27", 0},
	{"zero_ext", "23ff80 2a08 27", 0x80},
	{"zero_ext from 32 bits", "25ffffffff80000000 2a20 27", 0x80000000},
	{"zero_ext from 64 bits", "258000000000000001 2a40 27", 0x8000000000000001},
	{"ref8", "2288 17 27", 0x88},
	{"ref16", "2288 18 27", 0x9988},
	{"ref32", "2288 19 27", 0xbbaa9988},
	{"ref64", "2288 1a 27", 0xffeeddccbbaa9988},
	{"if_goto, taken", "2201 200008 2263 27 2207 27", 7},
	{"if_goto, not taken", "2200 200008 2263 27 2207 27", 0x63},
	{"goto", "210006 2263 27 2207 27", 7},
	{"goto back: 5 + 4 + 3 + 2 + 1", "2200 2205 28 33 02 2b 2201 03 28 200004 29 27", 15},
	{"dup", "2207 28 02 27", 14},
	{"pop", "2207 2208 29 27", 7},
	{"swap", "220a 2203 2b 03 27", -7ull},
	{"pick", "2203 2205 2207 3202 27", 3},
	{"pick of the top", "2203 3200 02 27", 6},
	/* a b c becomes c a b: 1, 2, 4 becomes 4, 1, 2, and 4 - (1 - 2) is 5. */
	{"rot", "2201 2202 2204 33 03 03 27", 5},
	{"printf takes its arguments away", "2207 2201 2202 2200 2200 34020006 256420256400 27", 7},
	{"a condition of gdb's: $ax == 0x1234", "260000 2a10 231234 13 27", 1},
	{"100 values on the stack", NULL, 100},
};

/* Refused when they are set. */
static const struct {
	const char *name, *code, *why;
	bool is_command;
} refused[] = {
	{"nothing", "", "it has no end", false},
	{"no end", "2201", "it has no end", false},
	{"no end behind a jump", "2201 2201 200008 27 2201", "it has no end", false},
	{"operation 0", "00 27", "there is an unknown operation in it", false},
	{"operation 31", "2201 31 27", "there is an unknown operation in it", false},
	{"operation 35", "35 27", "there is an unknown operation in it", false},
	{"operation ff", "ff 27", "there is an unknown operation in it", false},
	{"a cut const8", "22", "an operand is cut off", false},
	{"a cut const64", "25 01020304050607", "an operand is cut off", false},
	{"a cut reg", "26 00", "an operand is cut off", false},
	{"a cut goto", "21 00", "an operand is cut off", false},
	{"a cut printf", "34 00 00", "an operand is cut off", false},
	{"a jump to its end", "2201 210005", "it jumps out of itself", false},
	{"a jump far away", "2201 20ffff 27", "it jumps out of itself", false},
	{"a jump into an operand that is no operation", "210004 22 ff 27", "there is an unknown operation in it", false},
	{"an empty stack at the end", "27", "it takes more from the stack than there is", false},
	{"underflow", "2201 02 27", "it takes more from the stack than there is", false},
	{"underflow on one of two ways", "2201 2201 200007 29 27", "it takes more from the stack than there is", false},
	{"underflow of pick", "2201 3201 27", "it takes more from the stack than there is", false},
	{"underflow of rot", "2201 2202 33 27", "it takes more from the stack than there is", false},
	{"underflow of printf", "2200 2200 34010004 25642000 27", "it takes more from the stack than there is", true},
	{"101 values on the stack", NULL, "it needs too much of the stack", false},
	{"a cut format", "2200 2200 34000005 41424300", "a format is cut off", true},
	{"an empty format", "2200 2200 34000000 27", "a format has no end", true},
	{"a format without its 0", "2200 2200 34000002 4142 27", "a format has no end", true},
	{"a conversion without its argument", "2200 2200 34000003 256400 27",
	 "its format has more conversions than there are arguments", true},
	{"%n", "2201 2200 2200 34010003 256e00 27", "its format has a conversion that is not supported", true},
	{"too long", NULL, "it is too long", false},
};

/* Cannot be evaluated to the end. */
static const struct {
	const char *name, *code, *why;
} failing[] = {
	{"div_signed by 0", "2201 2200 05 27", "it divides by zero"},
	{"div_unsigned by 0", "2201 2200 06 27", "it divides by zero"},
	{"rem_signed by 0", "2201 2200 07 27", "it divides by zero"},
	{"rem_unsigned by 0", "2201 2200 08 27", "it divides by zero"},
	{"no memory", "24 00010000 17 27", "memory could not be read"},
	{"memory that ends", "23fffe 19 27", "memory could not be read"},
	{"no register", "260003 27", "a register could not be read"},
	{"register ffff", "26ffff 27", "a register could not be read"},
	{"an endless loop", "210000", "it does not come to an end"},
	{"a loop that fills the stack", "2201 210000", "it needs too much of the stack"},
	{"a loop that empties it", "2201 2201 2201 29 210006", "it takes more from the stack than there is"},
	{"nothing on one of two ways", "2201 2200 200008 29 27", "it takes more from the stack than there is"},
	{"float", "2201 01 27", "it calculates with floating point numbers"},
	{"ref_float", "2280 1b 27", "it calculates with floating point numbers"},
	{"ref_double", "2280 1c 27", "it calculates with floating point numbers"},
	{"ref_long_double", "2280 1d 27", "it calculates with floating point numbers"},
	{"l_to_d", "2280 1e 27", "it calculates with floating point numbers"},
	{"d_to_l", "2280 1f 27", "it calculates with floating point numbers"},
	{"getv", "2c0001 27", "it uses a trace state variable, and there are none"},
	{"setv", "2201 2d0001 27", "it uses a trace state variable, and there are none"},
	{"tracev", "2e0001 27", "it uses a trace state variable, and there are none"},
	{"an unreadable string", "24 00010000 2200 2200 34010003 257300 2201 27", "a string could not be read"},
};

static const struct {
	const char *format;
	uint64_t args[4];
	const char *text;
} formats[] = {
	{"plain 100%%", {0}, "plain 100%"},
	{"%d %i", {-5ull, 0xffffffff80000000}, "-5 -2147483648"},
	{"%d", {0x1ffffffff}, "-1"},
	{"%u %x %X %o", {-1ull, 0xabcd, 0xabcd, 8}, "4294967295 abcd ABCD 10"},
	{"%hhd %hd %hhu %hx", {0x180, 0x18000, 0x1ff, 0x12345}, "-128 -32768 255 2345"},
	{"%ld %lld %lx %llu", {-5ull, -6ull, -1ull, -1ull}, "-5 -6 ffffffffffffffff 18446744073709551615"},
	{"%jd %zu %tx %qd", {-1ull, 1, 2, -3ull}, "-1 1 2 -3"},
	{"[%5d][%-5d][%05d][%+d]", {42, 42, 42, 42}, "[   42][42   ][00042][+42]"},
	{"[%#x][% d][%.3d][%8.3x]", {255, 7, 7, 10}, "[0xff][ 7][007][     00a]"},
	{"%c%c", {'o', 0x16b}, "ok"},
	{"%p %p", {0x7c00, 0}, "0x7c00 (nil)"},
	{"<%s> <%s>", {TEXT_AT, 0}, "<text> <(null)>"},
	{"<%6s> <%-6s> <%.2s>", {TEXT_AT, TEXT_AT, TEXT_AT}, "<  text> <text  > <te>"},
	{"\\a\\b\\e\\f\\n\\r\\t\\v\\\\\\\"\\'", {0}, "\a\b\033\f\n\r\t\v\\\"'"},
	{"\\101\\1018\\7", {0}, "AA8\a"},
};

static const struct {
	const char *format, *why;
} bad_formats[] = {
	{"%f", "its format has a conversion that is not supported"},
	{"%*d", "its format has a conversion that is not supported"},
	{"%1000d", "its format has a conversion that is not supported"},
	{"%.1000d", "its format has a conversion that is not supported"},
	{"%n", "its format has a conversion that is not supported"},
	{"%ls", "its format has a conversion that is not supported"},
	{"%lc", "its format has a conversion that is not supported"},
	{"%", "its format has a conversion that is not supported"},
	{"%l", "its format has a conversion that is not supported"},
	{"%5.", "its format has a conversion that is not supported"},
	{"%......d", "its format has a conversion that is not supported"},
	{"%-+ #0-+ #0d", "its format has a conversion that is not supported"},
	{"\\q", "its format has an unknown escape sequence"},
	{"\\", "its format has an unknown escape sequence"},
	{"%d %d %d %d %d", "its format has more conversions than there are arguments"},
};

/* `count` constants and the end. */
static size_t fill_stack(uint8_t code[AGENT_SIZE_MAX], unsigned int count)
{
	size_t len = 0;

	for (unsigned int i = 1; i <= count; i++) {
		code[len++] = 0x22;
		code[len++] = (uint8_t)i;
	}
	code[len++] = 0x27;
	return len;
}

static void test_values(void)
{
	uint8_t code[AGENT_SIZE_MAX];

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		size_t len = values[i].code ? parse(values[i].code, code) : fill_stack(code, 100);
		const char *why = agent_check(code, len, true);
		uint64_t value = ~values[i].value;

		if (!why)
			why = agent_evaluate(stub, 1, code, len, &value);
		if (!result(!why && value == values[i].value, "%s", values[i].name))
			comment("%s, 0x%" PRIx64, why ? why : "evaluated", value);
	}
}

static void test_refusals(void)
{
	static uint8_t code[AGENT_SIZE_MAX + 1];

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		bool is_long = !strcmp(refused[i].name, "too long");
		size_t len = is_long		? AGENT_SIZE_MAX + 1
			     : refused[i].code	? parse(refused[i].code, code)
						: fill_stack(code, 101);
		const char *why = agent_check(code, len, !refused[i].is_command);

		if (!result(why && !strcmp(why, refused[i].why), "refused: %s", refused[i].name))
			comment("%s", why ? why : "taken");
	}
}

static void test_failures(void)
{
	uint8_t code[AGENT_SIZE_MAX];
	uint64_t value;

	for (size_t i = 0; i < sizeof(failing) / sizeof(*failing); i++) {
		size_t len = parse(failing[i].code, code);
		const char *check = agent_check(code, len, true);
		const char *why = check ? NULL : agent_evaluate(stub, 1, code, len, &value);

		if (!result(why && !strcmp(why, failing[i].why), "fails: %s", failing[i].name))
			comment("%s", check ? check : why ? why : "evaluated");
	}
}

static void test_layouts(void)
{
	uint8_t code[AGENT_SIZE_MAX];
	size_t len = parse("260001 27", code);
	uint64_t value = 0;

	stub->session.layout = 1;
	result(!agent_evaluate(stub, 1, code, len, &value) && value == B, "a register of the layout that is served");
	stub->session.layout = 0;
	/* Nothing is left on the stack. */
	len = parse("2201 29 27", code);
	result(!agent_check(code, len, false) && !agent_evaluate(stub, 1, code, len, NULL), "a command has no value");
	len = parse("2101f4 27", code);
	memset(code + len, 0x22, AGENT_SIZE_MAX - len);
	code[500] = 0x22;
	code[502] = 0x27;
	result(!agent_check(code, AGENT_SIZE_MAX, true), "the longest expression");
}

static void test_formats(void)
{
	char text[AGENT_TEXT_MAX];
	size_t len;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		const char *why = format_check(formats[i].format, 4);

		len = 0;
		if (!why)
			why = format_print(stub, 1, formats[i].format, formats[i].args, text, &len);
		if (!result(!why && len == strlen(formats[i].text) && !memcmp(text, formats[i].text, len),
			    "format %zu", i + 1))
			comment("%s: %s, '%.*s'", formats[i].format, why ? why : "printed", (int)len, text);
	}
	for (size_t i = 0; i < sizeof(bad_formats) / sizeof(*bad_formats); i++) {
		const char *why = format_check(bad_formats[i].format, 4);

		if (!result(why && !strcmp(why, bad_formats[i].why), "refused format %s", bad_formats[i].format))
			comment("%s", why ? why : "taken");
	}
}

static void test_long_texts(void)
{
	static const uint64_t string[] = {0x1000, 0x1000, 0x1000, 0x1000, 0x1000};
	static const uint64_t edge[] = {FAKE_LOW_SIZE - 3};
	char text[AGENT_TEXT_MAX];
	const char *why;
	size_t len;

	memset(fake.low + 0x1000, 'x', 0x2000);
	result(!format_print(stub, 1, "%s", string, text, &len) && len == 1000 && text[999] == 'x',
	       "a string without an end is cut");
	result(!format_print(stub, 1, "%s%s%s%s%s.", string, text, &len) && len == AGENT_TEXT_MAX,
	       "so is all that is printed");
	memset(fake.low + FAKE_LOW_SIZE - 3, 'y', 3);
	why = format_print(stub, 1, "<%s>", edge, text, &len);
	result(why && len == 4 && !memcmp(text, "<yyy", 4), "what can be read of a string is printed");
}

int main(void)
{
	fake_reset(&fake);
	stub = gdbstub_new(&fake_ops, &fake);
	if (!stub)
		return 1;
	fake.stub = stub;
	fake.threads = 1;
	fake.thread[0].a = A;
	fake.thread[0].b = B;
	memcpy(fake.low + TEXT_AT, "text", 5);
	memcpy(fake.low + NUMBERS_AT, "\x88\x99\xaa\xbb\xcc\xdd\xee\xff", 8);
	test_values();
	test_refusals();
	test_failures();
	test_layouts();
	test_formats();
	test_long_texts();
	gdbstub_free(stub);
	return finish();
}
