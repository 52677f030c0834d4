; One of each instruction that a debugger's step could get wrong.
;
; A debugger should stop, step by step, behind each instruction: port output and input, which leave
; the guest to be served, and FLAGS, in which no trap flag is left to be seen. STOSB with REP takes up
; to three steps, one for each iteration. The last step halts.

	bits 16
	org 0x1000

	mov al, 'x'
	mov dx, 0xeff
	out dx, al
	out dx, al
	in al, dx
	out 0xe9, al
	mov cx, 3
	mov di, 0x2000
	cld
	rep stosb
	pushf
	pop bx
	call near procedure
	jmp 0x0100:elsewhere
elsewhere equ $ - 0x1000
	mov cx, 0xeff		; all of them but TF
	mov dx, cx
	xor ax, ax
	mov ss, ax
	mov sp, 0x1000
	push cx
	popf
	hlt
procedure:
	ret
