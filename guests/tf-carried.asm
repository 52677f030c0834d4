; Runs with TF set, and prints how many traps there were: one behind each of nine instructions, two of which a KVM that
; emulates guest code leaves to the debugger's stub.

	bits 16
	org 0x1000

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x9000
	mov word [1 * 4], trap
	mov [1 * 4 + 2], ax
	xor bx, bx
	fninit
	pushf
	pop ax
	or ah, 1
	push ax
	popf
	nop
	fld1
	aaa
	nop
	pushf
	pop ax
	and ah, 0xfe
	push ax
	popf
	mov al, '0'
	add al, bl
	out 0xe9, al
	mov al, 10
	out 0xe9, al
	hlt

trap:	inc bx
	iret
