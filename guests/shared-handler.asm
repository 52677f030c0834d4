; 32-bit code, for --mode=32, whose exceptions all have one handler, which goes on two bytes behind: with an error code on
; the stack and without it. Then there are an INT and an invalid opcode with TF set, and EBX has how many traps there were.
;
; A debugger should see 0x3ff in $eax at the end, flags with TF in $ecx, and 6 in $ebx, however the guest runs.

	bits 32
	org 0x1000

idt	equ 0x6000

	mov esp, 0x8000
	mov edi, idt
	mov ecx, 32
.fill:	mov word [edi], shared
	mov [edi + 2], cs
	mov dword [edi + 4], 0x8e00
	add edi, 8
	loop .fill
	mov word [idt + 8], trap
	mov word [idt + 32 * 8], back
	mov [idt + 32 * 8 + 2], cs
	mov dword [idt + 32 * 8 + 4], 0x8f00
	lidt [idtr]

	push dword 0x3ff		; where flags would be, with an error code
	ud2
	pop eax

	xor ebx, ebx
	pushf
	or byte [esp + 1], 1		; TF
	popf
	int 0x20
	nop
	ud2
	pushf
	pop ecx
	and byte [esp - 3], 0xfe
	push dword [esp - 4]
	popf
	hlt

shared:	add dword [esp], 2
	iret
back:	iret
trap:	inc ebx
	iret

idtr:	dw 33 * 8 - 1
	dd idt
