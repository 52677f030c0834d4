; 64-bit code, for --mode=64: an interrupt's handler, and a system call.
;
; A debugger should see vector 0x20 enter `handler`, count in RBX, and return, and SYSCALL come to `entry`
; with R11 as RFLAGS were.

	bits 64
	org 0x1000

	mov rsp, 0x8000
	mov eax, handler
	mov edi, 0x9000 + 16 * 0x20
	mov [rdi], eax
	mov word [rdi + 2], cs
	mov dword [rdi + 4], 0x8e00	; an interrupt gate
	mov qword [rdi + 8], 0
	lidt [table]
	mov ecx, 0xc0000082		; LSTAR
	mov eax, entry
	xor edx, edx
	wrmsr
	mov ecx, 0xc0000081		; STAR: CS 8, SS 16
	mov edx, 8
	xor eax, eax
	wrmsr
	mov ecx, 0xc0000084		; FMASK: TF and IF
	mov eax, 0x300
	xor edx, edx
	wrmsr
	mov ecx, 0xc0000080		; EFER.SCE
	rdmsr
	or eax, 1
	wrmsr
	xor ebx, ebx
	sti
ready:	nop
	nop
	syscall
	hlt
entry:	nop
	cli
	hlt
handler: inc ebx
	iretq

	align 16
table:	dw 16 * 0x21 - 1
	dq 0x9000
