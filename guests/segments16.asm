; Uses each data segment register of real mode once.
;
; A debugger should be able to move each, before the instruction that uses it, to where it likes, and
; see AX read from DS:0 and put at ES:2, FS:4, GS:6 and on the stack; the halt is at 0x1013.

	bits 16
	org 0x1000

	mov ax, [0]
	mov [es:2], ax
	mov [fs:4], ax
	mov [gs:6], ax
	push ax
	sti
	cli
	hlt
