/*
 * C in real mode, at 0000:7c00: the compiler makes 32-bit code of it that runs in 16-bit mode.
 *
 * A debugger should see main() call outer(), outer() call inner(), and the halt in stop(), which main()
 * calls by a pointer with 42.
 */
__asm__(".text\n"
	".globl start\n"
	"start:	cli\n"
	"	xorw %ax, %ax\n"
	"	movw %ax, %ds\n"
	"	movw %ax, %es\n"
	"	movw %ax, %ss\n"
	"	movl $0x7c00, %esp\n"
	"	calll main\n"
	"	hlt\n");

static int inner(int a, int b)
{
	int product = a * b;

	return product;
}

static int outer(int a)
{
	int sum = a + inner(a, 3);

	sum += inner(a, 2);
	return sum;
}

/* The stack is aligned for it, in a way that only the compiler's description tells. */
__attribute__((force_align_arg_pointer)) static int aligned(void)
{
	volatile int value __attribute__((aligned(64))) = inner(1, 1);

	return value;
}

static void stop(int value)
{
	(void)value;
	for (;;)
		__asm__("hlt");
}

static void (*volatile end)(int) = stop;

int main(void)
{
	int result = outer(7);

	result += aligned() - 1;
	end(result);
	return result;
}
