; 64-bit code, for --mode=64, that goes through gates by INT and INT3, with the stack as it is and with one of the
; interrupt stack table, and back by IRETQ. Each handler writes its number, the stack pointer and the IP, CS, flags,
; SP and SS that it was given to the log at 0x6000.

	bits 64
	org 0x1000

	lgdt [gdtr]
	mov ax, 0x18
	ltr ax
	lidt [idtr]
	mov esp, 0x8004
	mov edi, 0x6000
	xor eax, eax
	sti
	stc
	int 0x30
	int 0x31
	int3
	nop
	int 0x32
	ud2

%macro entry 1
	pushfq
	push rax
	lea rax, [rsp + 16]
	mov dword [rdi], %1
	mov [rdi + 8], rax
	mov rax, [rsp + 8]
	and eax, 0x200			; IF, in the handler
	or [rdi], eax
%assign i 0
%rep 5
	mov rax, [rsp + 16 + i * 8]
%if i == 2
	and eax, 0xffff			; not RF, which some processors save here
%endif
	mov [rdi + 16 + i * 8], rax
%assign i i + 1
%endrep
	add rdi, 56
	pop rax
	popfq
%endmacro

h30:	entry 0x30
	iretq
h31:	entry 0x31
	iretq
h03:	entry 3
	iretq
h32:	entry 0x32
	hlt

	align 8
gdt:	dq 0
	dq 0x00209b0000000000		; 08 code
	dq 0x00cf93000000ffff		; 10 data
	dw 0x67, tss, 0x8900, 0		; 18 TSS
	dq 0
gdtr:	dw $ - gdt - 1
	dq gdt

	align 16
%macro gate 3				; offset, stack, type
	dw %1, 8, 0x8000 | %3 << 8 | %2, 0
	dq 0
%endmacro
idt:	times 6 dq 0
	gate h03, 2, 0xf
	times 2 * 0x2c dq 0
	gate h30, 0, 0xe
	gate h31, 1, 0xe
	gate h32, 0, 0xf
idtr:	dw $ - idt - 1
	dq idt

	align 8
tss:	times 0x24 db 0
	dq 0x9008, 0xa000
	times 0x68 - ($ - tss) db 0
