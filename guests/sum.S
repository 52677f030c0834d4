# sum.asm for the GNU assembler: the same bytes.
#
#	as --32 -o sum.o sum.S && objcopy -O binary -j .text sum.o sum.bin

	.code16
	xor %ax, %ax
	xor %bx, %bx
next:	add %bx, %ax
	add $1, %bx
	cmp $20, %bx
	jle next
	mov $0xeff, %dx
	out %al, %dx
	hlt
