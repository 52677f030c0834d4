; 64-bit code, for --mode=64: writes near both ends of the first 16 MiB and reads back, through the
; identity page tables, and turns a number in registers that only this mode has.
;
; A debugger should see 0x1122334455667788 in RBX and RDX and at 0x8 and 0xfffff8, R8 at `next`,
; 0x103a, as 0x123456789abcdef, turned by 4 bits each time until it is that again, and the halt at
; 0x1044.

	bits 64
	org 0x1000

	mov rax, 0x1122334455667788
	mov [0x8], rax
	mov rbx, [0x8]
	mov [0xfffff8], rbx
	mov rdx, [0xfffff8]
	mov r8, 0x0123456789abcdef
	mov r15d, 16
next:	rol r8, 4
	dec r15
	jnz next
	hlt
