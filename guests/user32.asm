; 32-bit code, for --mode=32, with a small kernel at privilege level 0 and a program at level 3 that calls it by INT 80h:
; AL is a character to be printed, or 0 at the end. The kernel has a handler for invalid opcodes, too, which prints U and
; gives up: a KVM that cannot emulate INT gives the guest one.
;
; A debugger should see each INT 80h end behind itself, with the low byte of $eax counted up.

	bits 32
	org 0x1000

	lgdt [gdtr]
	jmp 8:.flat
.flat:	mov ax, 0x10
	mov ds, ax
	mov es, ax
	mov ss, ax
	mov esp, 0x8000
	mov ax, 0x28
	ltr ax
	lidt [idtr]
	push dword 0x23
	push dword 0x7000
	push dword 0x3002		; IOPL 3, IF 0
	push dword 0x1b
	push dword user
	iret

user:	mov ax, 0x23
	mov ds, ax
	mov es, ax
	mov al, 'a'
.next:	int 0x80
	mov ecx, 1000			; some work
.work:	add ebx, ecx
	xchg edx, ebx
	loop .work
	cmp al, 'z'
	jbe .next
	mov al, 10
	int 0x80
	xor al, al
	int 0x80
	jmp $

call:	test al, al
	jz .end
	out 0xe9, al
	inc al
	iret
.end:	hlt

invalid:
	mov al, 'U'
	out 0xe9, al
	hlt

	align 8
gdt:	dq 0
	dq 0x00cf9b000000ffff		; 08 code, level 0
	dq 0x00cf93000000ffff		; 10 data, level 0
	dq 0x00cffb000000ffff		; 18 code, level 3
	dq 0x00cff3000000ffff		; 20 data, level 3
	dw 0x67, tss, 0x8900, 0		; 28 TSS
gdtr:	dw $ - gdt - 1
	dd gdt

	align 8
idt:	times 6 dq 0
	dw invalid, 8, 0x8e00, 0
	times 0x80 - 7 dq 0
	dw call, 8, 0xee00, 0
idtr:	dw $ - idt - 1
	dd idt

	align 8
tss:	dd 0, 0x9000, 0x10
	times 0x68 - ($ - tss) db 0
