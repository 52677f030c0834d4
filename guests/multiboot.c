/*
 * A 32-bit kernel for Multiboot 1 (with MULTIBOOT=1), Multiboot 2 (2) or PVH (3) that prints to port 0xe9, and on the
 * text screen, what it is told: its command line, its modules and the map of memory. With RELOCATABLE it prints
 * whether it was moved.
 *
 * A debugger should see the magic number in $eax and the information's address in $ebx at `start`, both again as the
 * arguments of main, source lines and local variables from there on, and the halt behind main.
 */
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#if MULTIBOOT == 1
__asm__(".section .header, \"a\"\n"
	"	.balign 4\n"
	"	.long 0x1badb002, 7, -(0x1badb002 + 7)\n"
	"	.long 0, 0, 0, 0, 0, 1, 80, 25, 0\n");
#elif MULTIBOOT == 2
__asm__(".section .header, \"a\"\n"
	"	.balign 8\n"
	"header: .long 0xe85250d6, 0, end - header, -(0xe85250d6 + end - header)\n"
	"	.short 1, 0\n" /* the information that it wants */
	"	.long 16, 1, 6\n"
	"	.short 6, 0\n" /* modules at pages */
	"	.long 8\n"
	"	.short 0x1234, 1\n" /* an optional one of an unknown type */
	"	.long 12, 0, 0\n"
#ifdef RELOCATABLE
	"	.short 10, 0\n" /* 4 MiB up to 1 GiB, at multiples of 64 KiB, as low as can be */
	"	.long 24, 0x400000, 0x3fffffff, 0x10000, 1\n"
#endif
	"	.short 0, 0\n"
	"	.long 8\n"
	"end:\n");
#else
__asm__(".section .note.pvh, \"a\", @note\n"
	"	.long 4, 4, 18\n"
	"	.asciz \"Xen\"\n"
	"	.long start\n");
#endif

__asm__(".text\n"
	".globl start\n"
	"start:	push %ebx\n"
	"	push %eax\n"
#ifdef RELOCATABLE
	"	call 1f\n"
	"1:	pop %ecx\n"
	"	mov $'0', %al\n"
	"	cmp $1b, %ecx\n"
	"	je 2f\n"
	"	mov $'1', %al\n"
	"2:	out %al, $0xe9\n"
	"	hlt\n"
#else
	"	call main\n"
#endif
	"halt:	hlt\n"
	"	jmp halt\n");

#define COLUMNS 80
#define ROWS 25

static void put(char c)
{
	static u32 column, row;
	volatile u16 *screen = (volatile u16 *)0xb8000;

	__asm__ volatile("outb %0, $0xe9" : : "a"(c));
	if (c != '\n' && row < ROWS)
		screen[row * COLUMNS + column++] = (u16)(0x0700 | (unsigned char)c);
	if (c == '\n' || column == COLUMNS) {
		column = 0;
		row++;
	}
}

static void print(const char *text)
{
	while (*text)
		put(*text++);
}

static void print_hex(u32 value)
{
	int shift = 28;

	while (shift && !(value >> shift))
		shift -= 4;
	for (; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

static void print_text(const char *name, u32 text)
{
	print(name);
	print((const char *)text);
	put('\n');
}

/* As the loader cannot know where there is room, it is not compared; that it is a page is. */
static void print_module(u32 start, u32 end, u32 arguments)
{
	print(start & 0xfff ? "module, not at a page: " : "module: ");
	print_hex(end - start);
	print(" bytes, ");
	print((const char *)arguments);
	print(": ");
	for (u32 at = start; at < end && at < start + 16; at++)
		put(*(const char *)at);
	put('\n');
}

static void print_range(const u32 *entry)
{
	print("map: ");
	print_hex(entry[0]);
	put('+');
	print_hex(entry[2]);
	print(entry[1] || entry[3] ? ", far" : "");
	print(entry[4] == 1 ? "\n" : " reserved\n");
}

void main(u32 magic, const u32 *info)
{
#if MULTIBOOT == 1
	const u32 *entry;

	print("magic: ");
	print_hex(magic);
	print(" flags: ");
	print_hex(info[0]);
	print(" lower: ");
	print_hex(info[1]);
	print(" upper: ");
	print_hex(info[2]);
	put('\n');
	print_text("command line: ", info[4]);
	for (u32 i = 0; i < info[5]; i++) {
		entry = (const u32 *)info[6] + 4 * i;
		print_module(entry[0], entry[1], entry[2]);
	}
	for (u32 at = info[12]; at < info[12] + info[11]; at += *(const u32 *)at + 4)
		print_range((const u32 *)(at + 4));
	print_text("loader: ", info[16]);
	print("screen: ");
	print_hex(info[22]);
	put(' ');
	print_hex(info[25]);
	put('x');
	print_hex(info[26]);
	put('\n');
	print("sections: ");
	print_hex(info[8]);
	/* The names of the sections are there, too: the first is that of a section that there is. */
	print(((const char *)((const u32 *)(info[9] + info[8] * info[10]))[3])[1] == '.' ? " named\n" : "\n");
#elif MULTIBOOT == 2
	u32 at = (u32)info + 8;

	print("magic: ");
	print_hex(magic);
	put('\n');
	for (const u32 *tag; tag = (const u32 *)at, tag[0]; at += (tag[1] + 7) & ~7u) {
		if (at >= (u32)info + info[0]) {
			print("the information does not end\n");
			break;
		}
		if (tag[0] == 1)
			print_text("command line: ", at + 8);
		else if (tag[0] == 2)
			print_text("loader: ", at + 8);
		else if (tag[0] == 3)
			print_module(tag[2], tag[3], at + 16);
		else if (tag[0] == 6)
			for (u32 entry = at + 16; entry < at + tag[1]; entry += tag[2])
				print_range((const u32 *)entry);
		else {
			print("tag: ");
			print_hex(tag[0]);
			put('\n');
		}
	}
#else
	print("magic: ");
	print_hex(info[0]);
	print(" version: ");
	print_hex(info[1]);
	put('\n');
	(void)magic;
	print_text("command line: ", info[6]);
	for (u32 i = 0; i < info[3]; i++) {
		const u32 *module = (const u32 *)info[4] + 8 * i;

		print_module(module[0], module[0] + module[2], module[4]);
	}
	for (u32 i = 0; i < info[12]; i++)
		print_range((const u32 *)info[10] + 6 * i);
#endif
}
