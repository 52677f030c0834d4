; 32-bit code, for --mode=32, with a descriptor table of its own, at `gdt`, 0x1040.
;
; A debugger should be able to load from it, at 0x1007: 0x18 (data at 0x100000), 0x20 (read-only), and
; for CS 0x30 (code at 0x100000), but neither 0x28 (not present) nor 0x38 (a system descriptor) nor
; what is beyond the limit, and into SS no code and nothing read-only; then MOV reads through DS.

	bits 32
	org 0x1000

	lgdt [gdtr]
	mov eax, [0]
	mov ebx, [fs:0]
	push eax
	hlt

	align 64
gdt:	dq 0
	dq 0x00cf9b000000ffff	; 0x08: code
	dq 0x00cf93000000ffff	; 0x10: data
	dq 0x00cf93100000ffff	; 0x18: data at 0x100000
	dq 0x00cf91000000ffff	; 0x20: data, read-only
	dq 0x00cf13000000ffff	; 0x28: data, not present
	dq 0x00cf9b100000ffff	; 0x30: code at 0x100000
	dq 0x00008b0010000067	; 0x38: a task state segment
	dq 0x00cff3000000ffff	; 0x40: data for privilege level 3
.end:	dq 0x00cf93000000ffff	; 0x48 would be this data, but the table ends before it
gdtr:	dw gdt.end - gdt - 1
	dd gdt
