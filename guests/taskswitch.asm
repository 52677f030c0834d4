; 32-bit code, for --mode=32, in which the processor switches tasks: by a call, back by IRET, by a jump through a
; task gate, back by a jump, by an interrupt and by an exception that have task gates, and back from these.
;
; A debugger that steps should be at the first instruction of each task, and see 0 in EBX at the halt: no TF is
; in the flags that the tasks were left with. If it sets TF before the call, that is in the flags at 0x11d4, which the
; task comes back with.

	bits 32
	org 0x1000

%define at(label) (label - start + 0x1000)
%macro descriptor 3 ; base, limit, attributes
	dw (%2) & 0xffff, (%1) & 0xffff
	db ((%1) >> 16) & 0xff, (%3) & 0xff, ((%3) >> 8) & 0xf0 | ((%2) >> 16) & 0xf, ((%1) >> 24) & 0xff
%endmacro
%macro gate 3 ; selector, offset, type
	dw (%2) & 0xffff, %1, (%3) << 8, (%2) >> 16
%endmacro

start:	lgdt [gdtr]
	lidt [idtr]
	mov ax, 0x18
	ltr ax
	call 0x20:0
	jmp 0x30:0
	int 0x20
	ud2
	mov ebx, [first + 0x24]
	or ebx, [second + 0x24]
	or ebx, [third + 0x24]
	and ebx, 0x100
	hlt

called:	inc esi
	iret
	inc esi
	iret
	inc esi
	add dword [first + 0x20], 2	; behind UD2
	iret

jumped:	pushf
	pop edx
	jmp far [back]

back:	dd 0
	dw 0x18

	align 8
gdt:	dq 0
	descriptor 0, 0xfffff, 0xc09b		; 0x08
	descriptor 0, 0xfffff, 0xc093		; 0x10
	descriptor at(first), 0x67, 0x0089		; 0x18
	descriptor at(second), 0x67, 0x0089		; 0x20
	descriptor at(third), 0x67, 0x0089		; 0x28
	gate 0x28, 0, 0x85			; 0x30
gdtr:	dw $ - gdt - 1
	dd gdt

	align 8
idt:	dq 0
	times 5 dq 0
	gate 0x20, 0, 0x85
	times 0x20 - 7 dq 0
	gate 0x20, 0, 0x85
idtr:	dw $ - idt - 1
	dd idt

; TSS ip, sp: the rest are flat segments
%macro tss 2
	times 7 dd 0
	dd 0, %1, 2, 0, 0, 0, 0, %2, 0, 0, 0
	dd 0x10, 0x08, 0x10, 0x10, 0x10, 0x10, 0, 0x680000
%endmacro
	align 4
first:	tss 0, 0
second:	tss called, 0x7000
third:	tss jumped, 0x6000
