; 32-bit code, for --mode=32: calls a procedure that doubles EAX, until nothing is left of it.
;
; A debugger should see EAX 1, 2, 4 ... at `double`, 0x100f, whose caller's address, 0x100c, is on
; the stack; then 0x80000000 in the port, and the halt at 0x101d.

	bits 32
	org 0x1000

	mov eax, 1
next:	mov ebx, eax
	call double
	jmp check
	nop
double:	add eax, eax
	ret
check:	test eax, eax
	jnz next
	mov dx, 0xeff
	xchg eax, ebx
	out dx, eax
	hlt
