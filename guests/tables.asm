; Protected mode with a GDT, an LDT and an IDT of every kind of descriptor, and procedures in two 16-bit
; code segments that do not begin at 0.
;
; A debugger should see the tables once `loaded` is reached, with the selectors' bases, who called
; `near_one` and `far_one`, and the halt in 32-bit code.

	bits 16
	org 0x1000

start:	cli
	mov sp, 0x8000
	lgdt [gdtr]
	lidt [idtr]
	mov eax, cr0
	or al, 1
	mov cr0, eax
loaded:	mov ax, 0x20
	lldt ax
	mov ax, 0x10
	mov ds, ax
	mov ax, 0x58
	mov ss, ax
	mov sp, 0x400
	jmp 0x28:here - 0x1000
here:	call near_one
	call 0x30:far_one - 0x1080
	jmp 0x08:wide
near_one:
	push bx
	call 0x30:far_one - 0x1080
	pop bx
	ret

	times 0x80-($-$$) db 0x90
far_one:
	push bp
	mov bp, sp
	nop
	pop bp
	retf

	bits 32
wide:	mov ax, 0x10
	mov ss, ax
	hlt

; DESCRIPTOR base, limit, attributes: these as in the descriptor's upper half, 16 bits from bit 8.
%macro descriptor 3
	dw (%2) & 0xffff, (%1) & 0xffff
	db ((%1) >> 16) & 0xff, (%3) & 0xff, ((%3) >> 8) & 0xf0 | ((%2) >> 16) & 0xf, ((%1) >> 24) & 0xff
%endmacro
%macro gate 3
	dw (%2) & 0xffff, %1, (%3) << 8, (%2) >> 16
%endmacro

	align 8
gdt:	descriptor 0x7777, 0xff, 0x0093		; the null descriptor, which may hold anything
	descriptor 0, 0xfffff, 0xc09b		; 0x08
	descriptor 0, 0xfffff, 0xc093		; 0x10
	descriptor 0x2000, 0x67, 0x0089		; 0x18: TSS
	descriptor ldt - start + 0x1000, 15, 0x0082		; 0x20: LDT
	descriptor 0x1000, 0xffff, 0x009b	; 0x28
	descriptor 0x1080, 0xffff, 0x009b	; 0x30
	descriptor 0x12345678, 0xabcde, 0x0097	; 0x38: expand-down
	descriptor 0x3000, 0xfff, 0x40fe	; 0x40: conforming, DPL 3
	descriptor 0x3000, 0xfff, 0x0011	; 0x48: not present, read-only
	gate 0x08, 0x5678, 0xec			; 0x50: call gate
	descriptor 0x30000, 0xffff, 0x0093	; 0x58: 16-bit stack
	descriptor 0, 0, 0x0087			; 0x60: a gate without a selector
	dq 0					; 0x68: free
	descriptor 0, 0xfffff, 0xa09b		; 0x70: 64-bit code
gdtr:	dw $ - gdt - 1
	dd gdt

	align 8
ldt:	descriptor 0x4000, 0xff, 0x0093
	descriptor 0x5000, 0xff, 0x0093

idt:	gate 0x08, 0x12345678, 0x8e
	gate 0x28, 0x9abc, 0xef
	dq 0
	gate 0x30, 0x51234, 0x86
	gate 0x18, 0, 0x85
	gate 0x08, 0x1234, 0x0e
idtr:	dw $ - idt - 1
	dd idt
