; 64-bit code, for --mode=64, that goes back to real mode: through 32-bit code with paging (compatibility mode),
; without, and 16-bit protected mode. It writes a number at 0x3000 in each, from 1 to 5.
;
; A debugger should see 64-, 32- and 16-bit instructions at `wide`, `narrow` and `low16`, the five numbers, and
; the halt.

	bits 64
	org 0x1000

wide:	lgdt [gdtr]
	mov rsp, 0x8000
	mov byte [0x3000], 1
	push qword 0x08
	push qword narrow
	o64 retf

	bits 32
narrow:	mov ax, 0x10
	mov ds, ax
	mov ss, ax
	mov byte [0x3000], 2
	mov eax, cr0
	and eax, 0x7fffffff
	mov cr0, eax
	mov ecx, 0xc0000080
	rdmsr
	and eax, ~0x100			; EFER.LME
	wrmsr
	mov byte [0x3000], 3
	jmp 0x18:low16

	bits 16
low16:	mov ax, 0x20
	mov ds, ax
	mov ss, ax
	mov byte [0x3000], 4
	mov eax, cr0
	and al, 0xfe
	mov cr0, eax
	jmp 0:real
real:	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov byte [0x3000], 5
	hlt

	align 8
gdt:	dq 0
	dq 0x00cf9b000000ffff		; 0x08: 32-bit code
	dq 0x00cf93000000ffff		; 0x10
	dq 0x00009b000000ffff		; 0x18: 16-bit code
	dq 0x000093000000ffff		; 0x20
gdtr:	dw $ - gdt - 1
	dq gdt
