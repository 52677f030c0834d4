; 32-bit code, for --mode=32, that raises an exception while its table of handlers is in memory that is not
; there, which it has looked at before.
;
; A debugger should see the read, then the guest's end at the UD2, 0x100c: an Intel processor leaves it to KVM
; to deliver the exception, and KVM cannot; elsewhere it is a triple fault, or an instruction that cannot be
; emulated.

	bits 32
	org 0x1000

TABLE equ 0xf0000000

	mov eax, [TABLE]
	lidt [pointer]
	ud2
	hlt

pointer:
	dw 256 * 8 - 1
	dd TABLE
