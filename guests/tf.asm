; Sets its own TF for some instructions; the handler of the trap counts them in DX.
;
; A debugger should see DX = 8 at the HLT, 0x1025, whether it has stepped there or not.

	bits 16
	org 0x1000

	xor ax, ax
	mov ds, ax
	mov ss, ax
	mov sp, 0x3000
	xor dx, dx
	mov word [1 * 4], handler
	mov [1 * 4 + 2], ax
	pushf
	pop ax
	or ah, 1
	push ax
	popf			; sets TF: a trap behind each of the next eight
	nop
	nop
	nop
	pushf
	pop ax
	and ah, 0xfe
	push ax
	popf			; clears it
	hlt
handler:
	inc dx
	iret
