/*
 * What the servers debug: loops at offsets that measure.c knows. A boot sector in 16-bit code, or with PROGRAM
 * defined a Linux program in 64-bit code, for gdbserver.
 */
#ifdef PROGRAM
	.code64
	.globl _start
_start:
#else
	.code16
	cli
	xor %eax, %eax
	mov %ax, %ds
	mov %ax, %ss
	mov $0x7000, %sp
#endif
	xor %ecx, %ecx
	jmp spin

	.org 0x40 /* counts for ever, by two instructions */
spin:	inc %ecx
	jmp spin

	.org 0x60 /* the same by five, for a breakpoint at the first */
point:	inc %ecx
	add %ecx, %eax
	add $1, %ebx
	nop
	jmp point

	.org 0x80 /* counts down to 0, and leaves */
range:	dec %ecx
	jnz range
left:	nop
	jmp left

#ifdef PROGRAM
	.bss
	.globl buffer
buffer:	.skip 0x100000
#else
	.org 0x1fe
	.word 0xaa55
#endif
