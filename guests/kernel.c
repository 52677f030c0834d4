/*
 * A kernel of 32 or 64 bits, as an ELF file that is linked where it is loaded or in the higher half. With
 * PAGING it turns on 32-bit paging itself and goes there; else it is there from the beginning.
 *
 * A debugger should see main() call fill(), which changes `filled` from 0 to 4, and sum(), which calls
 * itself; then 20 in `total`, and a halt in start's code.
 */
#ifdef PAGING
__asm__(".data\n"
	".balign 4096\n"
	"directory:\n" /* 4 MiB at 0 and at 0xc0000000 */
	"	.long 0x83\n"
	"	.fill 767, 4, 0\n"
	"	.long 0x83\n"
	"	.fill 255, 4, 0\n"
	"	.fill 4096, 1, 0\n"
	"stack:	.text\n"
	".globl start\n"
	"start:	movl $directory - 0xc0000000, %eax\n"
	"	movl %eax, %cr3\n"
	"	movl %cr4, %eax\n"
	"	orl $0x10, %eax\n"
	"	movl %eax, %cr4\n"
	"	movl %cr0, %eax\n"
	"	orl $0x80000000, %eax\n"
	"	movl %eax, %cr0\n"
	"	movl $stack, %esp\n"
	"	movl $high_start, %eax\n"
	"	jmp *%eax\n"
	"high_start:\n"
	"	call main\n"
	"halt:	hlt\n"
	"	jmp halt\n");
#else
__asm__(".text\n"
	".globl start\n"
	"start:	call main\n"
	"halt:	hlt\n"
	"	jmp halt\n");
#endif

static int squares[4];
static int filled; /* in .bss */
static int bias = 6; /* in .data */
int total;

static void fill(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		squares[i] = i * i;
		filled++;
	}
}

static int sum(int count)
{
	if (!count)
		return bias;
	return squares[count - 1] + sum(count - 1);
}

int main(void)
{
	fill();
	total = sum(filled);
	return total;
}
