; 64-bit code, for --mode=64, that goes to user code by SYSRET, which comes back by SYSCALL: first without TF, then
; with it, which it clears. The handler of the trap counts in EDX.
;
; A debugger that steps should be at `user` behind each SYSRET, then at each instruction there and at `back`, and
; see 5 in EDX at the halt.

	bits 64
	org 0x1000

tables	equ 0x10000

%macro write_msr 3
	mov ecx, %1
	mov eax, %2
	mov edx, %3
	wrmsr
%endmacro

start:	cld
	mov edi, tables
	mov ecx, 0x3000 / 8
	xor eax, eax
	rep stosq
	mov dword [tables], tables + 0x1007
	mov dword [tables + 0x1000], tables + 0x2007
	mov dword [tables + 0x2000], 0x87
	mov eax, tables
	mov cr3, rax
	mov esp, 0x8000
	lgdt [gdtr]
	lidt [idtr]
	mov ax, 0x28
	ltr ax
	mov ecx, 0xc0000080		; EFER.SCE
	rdmsr
	or al, 1
	wrmsr
	write_msr 0xc0000081, 0, 0x00130008
	write_msr 0xc0000082, back, 0
	write_msr 0xc0000084, 0x300, 0	; TF and IF are cleared
	xor edx, edx
	mov esi, 2
	mov ecx, user
	mov r11d, 2
	o64 sysret
back:	mov ecx, user
	mov r11d, 0x102
	dec esi
	jz done
	o64 sysret
done:	hlt

user:	inc ebx
	pushf
	and dword [rsp], ~0x100
	popf
	syscall

trap:	inc edx
	iretq

	align 8
gdt:	dq 0
	dq 0x00af9b000000ffff		; 0x08
	dq 0x00cffb000000ffff		; 0x10
	dq 0x00cff3000000ffff		; 0x18
	dq 0x00affb000000ffff		; 0x20
	dw 0x67, tss - start + 0x1000	; 0x28
	db 0, 0x89, 0, 0
	dq 0
gdtr:	dw $ - gdt - 1
	dq gdt

	align 8
idt:	dq 0, 0
	dw trap - start + 0x1000, 0x08, 0x8e00, 0
	dq 0
idtr:	dw $ - idt - 1
	dq idt

	align 8
tss:	dd 0
	dq 0x7000
	times 0x60 - 8 db 0
