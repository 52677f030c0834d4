; 64-bit code, for --mode=64, whose exceptions have no gates of their own.
;
; A debugger that steps should see UD2, whose gate is not present, come to `not_present` at 0x1070, and the page
; fault, which has none, to `double_fault` at 0x107d. A KVM that delivers exceptions itself may make a double
; fault of the first one, too; others write to port 0x80.

	bits 64
	org 0x1000

%macro gate 3 ; vector, handler, type
	mov word [0x9000 + 16 * %1], %2
	mov dword [0x9000 + 16 * %1 + 4], %3
	mov word [0x9000 + 16 * %1 + 2], cs
%endmacro

	mov esp, 0x8000
	gate 6, hlt, 0x0e00
	gate 11, not_present, 0x8e00
	gate 8, double_fault, 0x8e00
	lidt [table]
	ud2
	mov rdi, 0x7fff00000000
	mov al, [rdi]
hlt:	hlt
not_present:
	out 0x80, al
	add rsp, 8
	add qword [rsp], 2
	iretq
double_fault:
	nop
	pop rax
	hlt

	align 16
table:	dw 16 * 12 - 1
	dq 0x9000
