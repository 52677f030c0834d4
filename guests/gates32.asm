; 32-bit code, for --mode=32, that goes through gates of all kinds by INT, INT3 and INTO, and back by IRET: from
; privilege level 0 and, with another stack, from level 3. Each handler writes a line of four words to the log at
; 0x6000: its number with its own IF and CS, and the IP, CS and flags that it was given.
;
; A debugger that steps should come to the first instruction of each handler, and behind each INT again.

	bits 32
	org 0x1000

log	equ 0x6000

start:	lgdt [gdtr]
	jmp 8:.flat
.flat:	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, 0x8000
	mov ax, 0x28
	ltr ax
	lidt [idtr]
	mov edi, log
	xor eax, eax
	xor ebx, ebx
	sti
	stc
	int 0x30
	int 0x31
	int 0x32
	int 0x33
	int3
	mov al, 0x7f
	add al, 1			; OF
	into
	xor eax, eax
	into				; not now
	push dword 0x23
	push dword 0x7000
	push dword 0x3202		; IOPL 3
	push dword 0x1b
	push dword user
	iret

user:	mov ax, 0x23
	mov ds, ax
	xor eax, eax
	int 0x34
	mov bx, es			; 0: it was level 0's
	int 0x36
	cli
	int 0x35
	ud2

%macro entry 2				; %1: number, %2: the size of what is on the stack
	pushfd
	push eax
	mov eax, %1
	mov [edi], eax
	mov [edi + 2], cs
	mov eax, [esp + 4]
	shl eax, 6
	and eax, 0x8000
	or [edi], eax
%if %2 == 4
	mov eax, [esp + 8]
	mov [edi + 4], eax
	mov eax, [esp + 12]
	mov [edi + 8], eax
	movzx eax, word [esp + 16]	; without RF, which some processors save here
	mov [edi + 12], eax
%else
	movzx eax, word [esp + 8]
	mov [edi + 4], eax
	movzx eax, word [esp + 10]
	mov [edi + 8], eax
	movzx eax, word [esp + 12]
	mov [edi + 12], eax
%endif
	add edi, 16
	pop eax
	popfd
%endmacro

h30:	entry 0x30, 4
	iret
h31:	entry 0x31, 4
	iret
h32:	entry 0x32, 2
	o16 iret
h33:	entry 0x33, 4
	iret
h03:	entry 3, 4
	iret
h04:	entry 4, 4
	iret
h34:	entry 0x34, 4
	mov eax, [esp + 12]		; ESP and SS of level 3
	mov edx, [esp + 16]
	mov bp, 0x10
	mov es, bp
	iret
h35:	entry 0x35, 4
	mov ecx, ds
	hlt
h36:	entry 0x36, 4
	iret

	align 8
gdt:	dq 0
	dq 0x00cf9b000000ffff		; 08 code, level 0
	dq 0x00cf93000000ffff		; 10 data, level 0
	dq 0x00cffb000000ffff		; 18 code, level 3
	dq 0x00cff3000000ffff		; 20 data, level 3
	dw 0x67, tss, 0x8900, 0		; 28 TSS
	dq 0x00cf9f000000ffff		; 30 conforming code
gdtr:	dw $ - gdt - 1
	dd gdt

	align 8
%macro gate 4				; offset, selector, type, level
	dw %1, %2, 0x8000 | %3 << 8 | %4 << 13, 0
%endmacro
idt:	times 3 dq 0
	gate h03, 8, 0xe, 0
	gate h04, 8, 0xf, 3
	times 0x30 - 5 dq 0
	gate h30, 8, 0xe, 0
	gate h31, 8, 0xf, 0
	gate h32, 8, 0x6, 0
	gate h33, 0x30, 0xf, 0
	gate h34, 8, 0xf, 3
	gate h35, 8, 0xe, 3
	gate h36, 0x30, 0xf, 3
idtr:	dw $ - idt - 1
	dd idt

	align 8
tss:	dd 0, 0x9000, 0x10
	times 0x68 - ($ - tss) db 0
